import type { Dialect } from "../greenplum/ddl.ts";
import { type Database, openDatabase } from "../load/database.ts";
import type { Dsn } from "../load/dsn.ts";
import { type Family, readFamily } from "../load/family.ts";
import { inWords } from "../text.ts";
import type { Say } from "./findings.ts";

/** Two clocks may differ so much without a word, milliseconds. */
const CLOCK_TOLERANCE = 5000;

/** A database that answered. */
export interface KnownDatabase {
  sql: Database;
  dialect: Dialect;
  webTables: Family["webTables"];
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
  const family = await readFamily(sql);
  const asked = Date.now();
  const [found] = await sql`
    SELECT current_database() AS database, current_user AS user,
      extract(epoch FROM clock_timestamp())::float8 * 1000 AS clock,
      (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) AS super`;
  const answered = Date.now();
  sayFamily(say, family, `database "${found.database}", user "${found.user}"`);
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
    dialect: family.dialect,
    webTables: family.webTables,
    user: found.user,
    isSuperuser: found.super === true,
  };
}

/** Which database it is, and whether that is one that is known to work. */
function sayFamily(say: Say, { dialect, name, postgres }: Family, more: string): void {
  const where = `${name}, ${more}`;
  if (dialect === "postgres") {
    if (postgres < 100_000) say("warn", where, "10 to 18 are known to work");
    else say("ok", where);
  } else if (postgres < 90_400) say("warn", where, "Greenplum 6 and 7 are known to work");
  else if (/^Greenplum Database [67]\./.test(name)) say("ok", where);
  else say("ok", where, "a Greenplum by its catalog; what was tried on which: docs/install.md");
}
