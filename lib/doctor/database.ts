import type { Dialect } from "../greenplum/ddl.ts";
import { type Column, quoteTable } from "../greenplum/source.ts";
import { type Database, openDatabase, readColumns } from "../load/database.ts";
import type { Dsn } from "../load/dsn.ts";
import { inWords, type Say, some, whatWentWrong } from "./findings.ts";

/** Two clocks may differ so much without a word, milliseconds. */
const CLOCK_TOLERANCE = 5000;

/** A database that answered. */
export interface KnownDatabase {
  sql: Database;
  dialect: Dialect;
  user: string;
  isSuperuser: boolean;
}

/** Connects, and looks at the version and the clock. */
export async function checkDatabase(
  say: Say,
  dsn: Dsn,
  timeout: number,
): Promise<KnownDatabase> {
  const sql = openDatabase(dsn, "gpdb-kafka doctor");
  await sql.unsafe(`SET statement_timeout = ${Math.ceil(timeout)}`);
  const asked = Date.now();
  const [found] = await sql`
    SELECT version() AS version, current_database() AS database, current_user AS user,
      extract(epoch FROM clock_timestamp())::float8 * 1000 AS clock,
      (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) AS super`;
  const answered = Date.now();
  const greenplum = /Greenplum Database (\d+)\.\S+/.exec(found.version);
  const postgres = /PostgreSQL (\d+)\S*/.exec(found.version);
  const [name, major] = greenplum
    ? [greenplum[0], Number(greenplum[1])]
    : [postgres?.[0] ?? found.version, Number(postgres?.[1] ?? 0)];
  const where = `${name}, database "${found.database}", user "${found.user}"`;
  const isOld = greenplum ? major < 6 : major < 10;
  if (isOld) say("warn", where, greenplum ? "6 and 7 are known to work" : "10 to 18 are");
  else say("ok", where);
  const skew = found.clock - (asked + answered) / 2;
  if (Math.abs(skew) > CLOCK_TOLERANCE + (answered - asked)) {
    say(
      "warn",
      `its clock is ${inWords(Math.abs(skew))} ${skew > 0 ? "ahead of" : "behind"} this host's`,
      "set one of them (NTP): kafka.seek and --offset @TIME use its time",
    );
  }
  return {
    sql,
    dialect: greenplum ? "greenplum" : "postgres",
    user: found.user,
    isSuperuser: found.super === true,
  };
}

/** A table, and the columns that rows are read into, in their order. */
export interface KnownTable {
  name: string;
  owner: string;
  columns: Column[];
}

/** Finds a table; `only` are the columns that are loaded, all of them unless told. */
export async function findTable(
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
      say(
        "fail",
        `${name} has no column ${some(gone)}`,
        "recreate the source: gpdb-kafka sql source",
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

/** A source of kafka.load, as the database has it. */
export interface KnownSource {
  name: string;
  topic: string;
  target: string;
  columns: string[];
  /** The shell command that reads its rows. */
  command: string;
  brokers: string | null;
  configFile: string | null;
  group: string;
  /** The next offsets by partition, as the database holds them. */
  offsets: Map<number, number>;
}

/** SQLSTATE of a function that the schema does not have. */
const NO_FUNCTION = "42883";

/**
 * Lets the database take the steps of a load that come before its rows: what would fail there,
 * fails here in the same words. Null if it does.
 */
export async function checkPlan(
  say: Say,
  { sql }: KnownDatabase,
  { name, topic }: KnownSource,
): Promise<true | null> {
  try {
    const [{ records, lost, reason }] = await sql`
      SELECT records, lost, reason FROM kafka.check_source(${name})`;
    const more = reason === "max_records" ? ", and there is more (max_records)" : "";
    say("ok", `the next load of source "${name}" reads ${records} offsets of "${topic}"${more}`);
    if (Number(lost) > 0) {
      say(
        "warn",
        `the next load of source "${name}" skips ${lost} offsets that were deleted before they were read`,
        "load more often, or raise retention.ms",
      );
    }
    return true;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== NO_FUNCTION) throw error;
    say(
      "fail",
      "schema kafka is older than this program",
      "upgrade it: gpdb-kafka sql schema | psql, then gpdb-kafka sql source for each source",
    );
    return null;
  }
}

/** Finds a source. Null if there is none. */
export async function findSource(
  say: Say,
  { sql, dialect }: KnownDatabase,
  name: string,
): Promise<KnownSource | null> {
  const rows = await sql`
    SELECT s.topic, s.target, array_to_json(s.columns)::text AS columns, s.reader, s.brokers,
      s.config_file, s.group_name, s.paused
    FROM kafka.source s WHERE s.name = ${name}`.catch((error) => {
    const { code } = error as { code?: string };
    if (code !== "42P01" && code !== "3F000") throw error;
    say("fail", "schema kafka does not exist", "install it: gpdb-kafka sql schema | psql");
    return null;
  });
  if (rows === null) return null;
  if (rows.length === 0) {
    const all = await sql`SELECT s.name FROM kafka.source s ORDER BY 1`;
    const names = all.length > 0 ? some(all.map((row) => `"${row.name}"`)) : "none";
    say(
      "fail",
      `source "${name}" does not exist; there are: ${names}`,
      "create it: gpdb-kafka sql source",
    );
    return null;
  }
  const [{ topic, target, columns, reader, brokers, config_file, group_name, paused }] = rows;
  if (dialect === "greenplum") {
    await sql`SELECT kafka._check_reader(s) FROM kafka.source s WHERE s.name = ${name}`;
  }
  const [found] = dialect === "greenplum"
    ? await sql`SELECT e.command FROM pg_exttable e WHERE e.reloid = ${reader}::regclass`
    : [{ command: reader }];
  const offsets = await sql`
    SELECT o.partition_no, o.next_offset FROM kafka.load_offset o WHERE o.source = ${name}`;
  say("ok", `source "${name}" loads topic "${topic}" into ${target}`);
  if (paused) say("warn", `source "${name}" is paused`, `SELECT kafka.resume('${name}')`);
  return {
    name,
    topic,
    target,
    columns: JSON.parse(columns),
    command: found.command,
    brokers,
    configFile: config_file,
    group: group_name,
    offsets: new Map(offsets.map((row) => [Number(row.partition_no), Number(row.next_offset)])),
  };
}
