/** Which databases are of Greenplum's family: what their catalogs have says it, whatever they are called. */
import assert from "node:assert/strict";
import { schemaSql } from "../../lib/greenplum/schema_files.ts";
import { productName, readFamily } from "../../lib/load/family.ts";
import { startPostgres } from "../../scripts/servers/postgres.ts";
import { gpdbKafka, text } from "../support/cli.ts";
import { runScript } from "../support/load.ts";

const ignore = Boolean(Deno.env.get("DATABASE_URL"));

/** The tables that a Greenplum has, as views of the same names in pg_catalog. */
const catalog = `
  CREATE VIEW pg_catalog.gp_segment_configuration AS SELECT 1 AS content;
  CREATE VIEW pg_catalog.gp_distribution_policy AS
    SELECT c.oid AS localoid, 'p'::"char" AS policytype FROM pg_class c;`;
const webTables = "SELECT 0::oid AS reloid, '{}'::text[] AS execlocation, ''::text AS command";

Deno.test({
  name: "family: the catalog decides, with its web tables as a table, a view or a function",
  ignore,
  async fn() {
    await using pg = await startPostgres();
    const session = await pg.sql.reserve();
    const family = () => readFamily(session as never);
    try {
      const plain = await family();
      assert.deepEqual([plain.dialect, plain.name.split(" ")[0]], ["postgres", "PostgreSQL"]);
      assert.ok(plain.postgres >= 100_000);

      // What a user can make is not the catalog, not even where it is looked up first.
      await session.unsafe(`
        CREATE SCHEMA front;
        CREATE TABLE front.gp_segment_configuration (); CREATE TABLE front.gp_distribution_policy ();
        CREATE FUNCTION front.version() RETURNS text LANGUAGE sql AS
          $$ SELECT 'PostgreSQL 9.4.26 (Greenplum Database 6.24.3 build x)'::text $$;
        SET search_path = front, pg_catalog, public`);
      assert.deepEqual(await family(), plain);

      await session.unsafe(`SET allow_system_table_mods = on; ${catalog}`);
      assert.deepEqual(await family(), {
        ...plain,
        dialect: "greenplum",
        webTables: "pg_exttable()",
      });
      await session.unsafe(
        `CREATE FUNCTION pg_catalog.pg_exttable(OUT reloid oid, OUT execlocation text[],
        OUT command text) RETURNS SETOF record LANGUAGE sql AS $$ ${webTables} $$`,
      );
      assert.equal((await family()).webTables, "pg_exttable()");
      await session.unsafe("CREATE VIEW pg_catalog.pg_exttable AS SELECT * FROM pg_exttable()");
      assert.equal((await family()).webTables, "pg_exttable");
      await session.unsafe(`DROP VIEW pg_catalog.pg_exttable;
        CREATE TABLE pg_catalog.pg_exttable AS ${webTables}`);
      assert.equal((await family()).webTables, "pg_exttable");
      await session.unsafe("DROP VIEW pg_catalog.gp_segment_configuration");
      assert.equal((await family()).dialect, "postgres");
    } finally {
      session.release();
    }
  },
});

Deno.test({
  name: "family: the schema for Greenplum distributes its tables by the catalog, and a fork's too",
  ignore,
  async fn() {
    await using pg = await startPostgres();
    await runScript(
      pg,
      `SET allow_system_table_mods = on; ${catalog}; RESET allow_system_table_mods`,
    );
    // PostgreSQL does not know the words: so the statement was tried.
    await assert.rejects(
      runScript(pg, await schemaSql("greenplum")),
      /syntax error at or near "DISTRIBUTED"/,
    );
    const { stdout } = await gpdbKafka([
      "doctor",
      "-b",
      "127.0.0.1:1",
      "--timeout",
      "5s",
      "--dsn",
      pg.dsn,
    ]);
    assert.match(
      text(stdout),
      /^ok {4}database: PostgreSQL \d.*, database .* a Greenplum by its catalog; .*: docs\/install\.md$/m,
    );
  },
});

Deno.test("family: the name is the one in parentheses, whoever has made it", () => {
  const names = {
    "PostgreSQL 9.4.26 (Greenplum Database 6.24.3 build commit:25d3498) on x86_64-unknown-linux-gnu":
      "Greenplum Database 6.24.3",
    "PostgreSQL 12.12 (Greenplum Database 7.1.0 build commit:e7c2b1f) on x86_64-pc-linux-gnu":
      "Greenplum Database 7.1.0",
    "PostgreSQL 14.4 (Apache Cloudberry 2.0.0-incubating build 1) on aarch64-unknown-linux-gnu":
      "Apache Cloudberry 2.0.0-incubating",
    "PostgreSQL 14.4 (Cloudberry Database 1.6.0 build commit:abc) on x86_64-pc-linux-gnu":
      "Cloudberry Database 1.6.0",
    "PostgreSQL 9.4.26 (Greengage Database 6.26.35_arenadata53 build 2625.gitac00af7.el7) on x86_64":
      "Greengage Database 6.26.35_arenadata53",
    "PostgreSQL 12.12 (WarehousePG 7.2.0 build commit:abc) on x86_64-pc-linux-gnu":
      "WarehousePG 7.2.0",
    "PostgreSQL 12.12 on x86_64-pc-linux-gnu": "PostgreSQL 12.12",
    "EnterpriseDB 1": "EnterpriseDB 1",
  };
  for (const [version, name] of Object.entries(names)) {
    assert.equal(productName(version, true), name);
  }
  const debian = "PostgreSQL 16.2 (Debian 16.2-1.pgdg120+2) on x86_64-pc-linux-gnu";
  assert.equal(productName(debian, false), "PostgreSQL 16.2");
});
