import { quoteIdent } from "../greenplum/quote.ts";
import type { KnownDatabase } from "./database.ts";
import type { Say } from "./findings.ts";
import type { KnownSource } from "./source.ts";

/** Settings and rights that web tables, or COPY FROM PROGRAM, need. Null if no program can be run. */
export async function checkRights(
  say: Say,
  database: KnownDatabase,
  partitions: number | null,
): Promise<true | null> {
  return database.dialect === "greenplum"
    ? await checkGreenplum(say, database, partitions)
    : await checkPostgres(say, database);
}

/** What a load of a source that gpdb-kafka reads needs. Null if the role lacks a right. */
export async function checkClientRights(
  say: Say,
  { sql, user }: KnownDatabase,
  { target, merges }: KnownSource,
): Promise<true | null> {
  const needed = merges ? ["SELECT", "INSERT", "DELETE"] : ["INSERT"];
  const [may] = await sql`
    SELECT has_table_privilege(${target}, 'SELECT') AS "SELECT",
      has_table_privilege(${target}, 'INSERT') AS "INSERT",
      has_table_privilege(${target}, 'DELETE') AS "DELETE"`;
  const missing = needed.filter((right) => !may[right]);
  if (missing.length === 0) {
    say("ok", `user "${user}" may load into ${target}: ${needed.join(", ")}`);
    return true;
  }
  say(
    "fail",
    `user "${user}" may not load into ${target}: it lacks ${missing.join(", ")}`,
    `GRANT ${missing.join(", ")} ON ${target} TO ${quoteIdent(user)}`,
  );
  return null;
}

async function checkGreenplum(
  say: Say,
  { sql, user, isSuperuser }: KnownDatabase,
  partitions: number | null,
): Promise<true | null> {
  const [{ setting }] = await sql`SELECT current_setting('gp_external_enable_exec') AS setting`;
  if (setting === "on") say("ok", "gp_external_enable_exec is on");
  else {
    say(
      "fail",
      "gp_external_enable_exec is off, so no web table may run a command",
      "gpconfig -c gp_external_enable_exec -v on, then restart Greenplum",
    );
  }
  const [{ segments, down }] = await sql`
    SELECT count(*)::int AS segments, sum((status = 'd')::int)::int AS down
    FROM gp_segment_configuration WHERE content >= 0 AND role = 'p'`;
  if (down > 0) say("fail", `${down} of ${segments} segments are down`, "gprecoverseg");
  else if (partitions !== null && partitions < segments) {
    say(
      "ok",
      `${segments} segments are up, ${segments - partitions} more than the topic has partitions`,
      "those have nothing to read; more partitions would load faster",
    );
  } else say("ok", `${segments} segments are up`);
  if (isSuperuser) {
    say("ok", `user "${user}" is a superuser, so it may create web tables with EXECUTE`);
  } else {
    say(
      "warn",
      `user "${user}" is not a superuser, so it cannot create web tables with EXECUTE`,
      "let a superuser create them, and GRANT SELECT; a load requires no more",
    );
  }
  return isSuperuser && setting === "on" ? true : null;
}

async function checkPostgres(
  say: Say,
  { sql, user, isSuperuser }: KnownDatabase,
): Promise<true | null> {
  const [{ member, available, installed }] = await sql`
    SELECT pg_has_role(current_user, 'pg_execute_server_program', 'MEMBER') AS member,
      EXISTS (SELECT FROM pg_available_extensions WHERE name = 'file_fdw') AS available,
      EXISTS (SELECT FROM pg_extension WHERE extname = 'file_fdw') AS installed`;
  const may = isSuperuser || member;
  if (may) say("ok", `user "${user}" may run programs (COPY … FROM PROGRAM)`);
  else {
    say(
      "warn",
      `user "${user}" may not run programs; the functions of schema kafka do it with their owner's ` +
        "rights",
      `GRANT pg_execute_server_program TO ${quoteIdent(user)}, if it is to create sources`,
    );
  }
  if (installed) say("ok", "file_fdw is installed");
  else if (available) say("ok", "file_fdw is not installed yet", "CREATE EXTENSION file_fdw");
  else say("warn", "file_fdw is not available", "install the server's contrib package");
  return may ? true : null;
}
