import { type Column, quoteTable } from "../greenplum/source.ts";
import { readColumns } from "../load/database.ts";
import { nearest } from "../text.ts";
import type { KnownDatabase } from "./database.ts";
import { type Say, some, whatWentWrong } from "./findings.ts";

/** A table, and the columns that rows are read into, in their order. */
export interface KnownTable {
  name: string;
  owner: string;
  columns: Column[];
}

/** Finds a table; `only` are the columns that are loaded, all of them if it is null. */
export async function checkTable(
  say: Say,
  { sql }: KnownDatabase,
  table: string,
  only: readonly string[] | null,
): Promise<KnownTable | null> {
  try {
    const { target, columns } = await readColumns(sql, table);
    const chosen = only === null
      ? columns
      : only.flatMap((name) => columns.find((column) => column.name === name) ?? []);
    const gone = only?.filter((name) => !columns.some((column) => column.name === name)) ?? [];
    const name = quoteTable(target).replaceAll(/"(\w+)"/g, "$1");
    if (gone.length > 0) {
      const meant = nearest(gone[0], columns.map((column) => column.name));
      const near = meant === null ? "" : ` (did you mean column "${meant}"?)`;
      say(
        "fail",
        `${name} has no column ${some(gone)}`,
        `recreate the source: gpdb-kafka sql source${near}`,
      );
      return null;
    }
    const [{ owner }] = await sql`
      SELECT pg_get_userbyid(c.relowner) AS owner FROM pg_class c WHERE c.oid = ${table}::regclass`;
    say("ok", `${name} has ${columns.length} columns, ${chosen.length} are loaded`);
    return { name, owner, columns: chosen };
  } catch (error) {
    say("fail", whatWentWrong(error), "create it, or name its schema too: public.crimes");
    return null;
  }
}
