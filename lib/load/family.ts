import type { Dialect } from "../greenplum/ddl.ts";
import type { Database } from "./database.ts";

/** What kind of database answers. */
export interface Family {
  /** That of Greenplum for its forks, too. */
  dialect: Dialect;
  /** Its name and version: `PostgreSQL 18.4`, `Apache Cloudberry 2.0.0`. */
  name: string;
  /** Of the PostgreSQL that it is or is made from: 180004, 90426. */
  postgres: number;
  /** What web tables are listed in, as SQL. */
  webTables: "pg_exttable" | "pg_exttable()";
}

/**
 * Whether a database is of Greenplum's family: Greenplum, Apache Cloudberry, Greengage, WarehousePG.
 * Its catalog says so, as no two of them have the same name in version(). `pg_exttable` is a table
 * (Greenplum 6), or a view over a function (7, Cloudberry).
 */
export async function readFamily(sql: Database): Promise<Family> {
  const [found] = await sql`
    SELECT pg_catalog.version() AS version,
      pg_catalog.current_setting('server_version_num')::int AS postgres,
      (SELECT count(*) = 2 FROM pg_catalog.pg_class c
        WHERE c.relnamespace = 11
          AND c.relname IN ('gp_segment_configuration', 'gp_distribution_policy')) AS greenplum,
      EXISTS (SELECT 1 FROM pg_catalog.pg_class c
        WHERE c.relnamespace = 11 AND c.relname = 'pg_exttable') AS relation`;
  return {
    dialect: found.greenplum ? "greenplum" : "postgres",
    name: productName(found.version, found.greenplum),
    postgres: found.postgres,
    webTables: found.relation ? "pg_exttable" : "pg_exttable()",
  };
}

/** The name and version in what version() answers; those in parentheses of a database made from PostgreSQL. */
export function productName(version: string, isMade: boolean): string {
  const made = isMade
    ? /^PostgreSQL \S+ \(([A-Z][\w ]*? \d+\.[^\s)]*)/.exec(version)?.[1]
    : undefined;
  return made ?? /^PostgreSQL \d+\S*/.exec(version)?.[0] ?? version;
}
