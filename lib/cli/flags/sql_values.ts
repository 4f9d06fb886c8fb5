/** Values of flags that become a part of SQL. */
import { Failure } from "../../failure.ts";
import type { Column, TableName } from "../../greenplum/source.ts";

/**
 * Reads a table's name as SQL does: `Crimes` is crimes, `"Crimes"` is not, `a."b.c"` has a schema.
 */
export function parseTable(text: string): TableName {
  const parts = text.match(/"(?:[^"]|"")+"|[^".]+/g) ?? [];
  if (parts.length < 1 || parts.length > 2 || parts.join(".") !== text) {
    throw new Failure(
      "usage",
      `--table: ${text} is not the name of a table, such as public.crimes`,
    );
  }
  const names = parts.map((part) =>
    part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part.toLowerCase()
  );
  return names.length === 1
    ? { schema: null, table: names[0] }
    : { schema: names[0], table: names[1] };
}

/** `name:type`; a name may hold colons if it has a type. */
export function parseColumn(text: string): Column {
  const at = text.lastIndexOf(":");
  if (at === -1) return { name: text, type: "" };
  const [name, type] = [text.slice(0, at), text.slice(at + 1)];
  // A type is written into the SQL as it is.
  if (name === "" || !/^[a-zA-Z_"][\w ."(),[\]]*$/.test(type)) {
    throw new Failure("usage", `--column: "${text}" is not NAME:TYPE`);
  }
  return { name, type };
}

/** `10`, or `1%`, as the SQL of Greenplum says it. Throws Failure (usage). */
export function parseRejectLimit(text: string): string {
  const match = /^(\d{1,9})(%?)$/.exec(text);
  const limit = Number(match?.[1]);
  if (!match || (match[2] ? limit < 1 || limit > 100 : limit < 2)) {
    throw new Failure(
      "usage",
      `--reject-limit: "${text}" is neither 2 or more rows nor 1% to 100%`,
    );
  }
  return match[2] ? `${limit} PERCENT` : `${limit} ROWS`;
}
