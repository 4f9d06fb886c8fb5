import type { Dialect } from "../greenplum/ddl.ts";
import { type Database, openDatabase } from "../load/database.ts";
import type { Dsn } from "../load/dsn.ts";
import { inWords } from "../text.ts";
import type { Say } from "./findings.ts";

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
      skew > 0
        ? `its clock is ${inWords(skew)} ahead of this host's`
        : `this host's clock is ${inWords(-skew)} ahead of its clock`,
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
