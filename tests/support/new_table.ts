/** Tables that `gpdb-kafka sql table` prints, made and loaded as a person would. */
import assert from "node:assert/strict";
import type { Postgres } from "../../scripts/servers/postgres.ts";
import { commandLine, gpdbKafka, text } from "./cli.ts";
import { quoteWord } from "../../lib/greenplum/quote.ts";
import { runScript } from "./load.ts";

/** Makes the table, and the source by the command that is printed with it. Returns the SQL. */
export async function makeTable(
  pg: Pick<Postgres, "sql" | "dsn">,
  args: readonly string[],
): Promise<string> {
  const run = await gpdbKafka(["sql", "table", ...args, "--for", "postgres"]);
  assert.equal(run.code, 0, run.stderr);
  const sql = text(run.stdout);
  await runScript(pg, sql);
  await runScript(pg, await sourceSql(pg.dsn, sql));
  return sql;
}

/** What the command in the last comment prints, run by a shell as it is shown. */
async function sourceSql(dsn: string, table: string): Promise<string> {
  const [, shown] = /\n-- (gpdb-kafka sql source .*)\n$/.exec(table) ?? [];
  assert.ok(shown, table);
  const command = shown
    .replace(/^gpdb-kafka/, commandLine("main", []).map(quoteWord).join(" "))
    .replace("postgres://user@host/database", dsn);
  const { code, stdout, stderr } = await new Deno.Command("sh", { args: ["-c", command] }).output();
  assert.equal(code, 0, text(stderr));
  return text(stdout);
}

/** `name type not-null comment` of each column, as the database has them. */
export async function columnsOfTable(
  { sql }: Pick<Postgres, "sql">,
  table: string,
): Promise<{ name: string; type: string; required: boolean; comment: string }[]> {
  const rows = await sql`
    SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS required,
      col_description(attrelid, attnum) AS comment
    FROM pg_attribute WHERE attrelid = ${table}::regclass AND attnum > 0 ORDER BY attnum`;
  return rows.map(({ name, type, required, comment }) => ({ name, type, required, comment }));
}
