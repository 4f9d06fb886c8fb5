/**
 * Merges into each kind of table that a Greenplum has, and the schema under a fork's name. For a Greenplum only: see
 * GPDB_KAFKA_TEST_GREENPLUM in CONTRIBUTING.md.
 */
import assert from "node:assert/strict";
import postgres from "postgres";
import { schemaSql } from "../../lib/greenplum/schema_files.ts";
import { readFamily } from "../../lib/load/family.ts";
import { gpdbKafka, text } from "../support/cli.ts";
import { produce, type TestRecord } from "../support/kafka.ts";
import { dialect, runScript, startDatabase } from "../support/load.ts";
import { loadCounts } from "../support/load_shaped.ts";
import { startWorld } from "../support/load_world.ts";
import { Random } from "../support/random.ts";
import { startRole } from "../support/role.ts";

const columns = "id int, name text, total numeric, region int";

/** How a table is made, and how the table of the last rows is to be distributed. */
const kinds: Record<string, [string, RegExp]> = {
  heap: [`(${columns}) DISTRIBUTED BY (id)`, /BY \(id\)/],
  rows: [`(${columns}) WITH (appendonly=true) DISTRIBUTED BY (id)`, /BY \(id\)/],
  compressed: [
    `(${columns}) WITH (appendonly=true, orientation=column, compresstype=rle_type) DISTRIBUTED BY (id)`,
    /BY \(id\)/,
  ],
  anywhere: [`(${columns}) DISTRIBUTED RANDOMLY`, /RANDOMLY/],
  elsewhere: [`(${columns}) DISTRIBUTED BY (region)`, /BY \(region\)/],
  everywhere: [`(${columns}) DISTRIBUTED REPLICATED`, /REPLICATED/],
  parted: [
    `(${columns}) DISTRIBUTED BY (id) PARTITION BY RANGE (region) (START (0) END (4) EVERY (1), DEFAULT PARTITION other)`,
    /BY \(id\)/,
  ],
};

Deno.test({
  name: "merge: tables of each kind on Greenplum equal the model after every load",
  ignore: dialect !== "greenplum",
  async fn() {
    await using world = await startWorld(2);
    const { sql, broker, topic, dsn } = world;
    for (const [kind, [made]] of Object.entries(kinds)) {
      await sql.unsafe(`CREATE TABLE t_${kind} ${made}`);
      const run = await gpdbKafka([
        ...["sql", "source", kind, "--table", `t_${kind}`, "-t", topic, "--dsn", dsn],
        ...[
          "-b",
          broker.bootstrap,
          "--value",
          "json",
          "--fields",
          "id, name, amount:numeric, region, op",
        ],
        ...["--select", "total = amount * 2", "--where", "name IS DISTINCT FROM 'TEST'"],
        ...["--merge", "id", "--delete-when", "op = 'd'"],
      ]);
      assert.equal(run.code, 0, run.stderr);
      await runScript(world, text(run.stdout));
    }
    const bloat = async () => {
      const [row] = await sql`SELECT (SELECT count(*) FROM pg_attribute)::int
          + (SELECT count(*) FROM gp_dist_random('pg_attribute'))::int AS n`;
      return row.n;
    };
    const random = new Random(5);
    const model = new Map<number, [string | null, string, number]>();
    let attributes = 0;
    for (let round = 0; round < 5; round++) {
      const records: TestRecord[][] = [[], []];
      for (let i = random.int(1, 60); i > 0; i--) {
        const id = random.int(1, 20);
        const name = random.int(0, 4) === 0 ? null : `n${random.int(0, 99)}`;
        const [amount, region] = [random.int(0, 999), random.int(0, 5)];
        const kind = random.int(0, 5);
        const row = {
          id,
          name: kind === 0 ? "TEST" : name,
          amount,
          region,
          op: kind === 1 ? "d" : "u",
        };
        records[id % 2].push({ value: JSON.stringify(row) });
        if (kind === 1) model.delete(id);
        else if (kind !== 0) model.set(id, [name, `${amount * 2}`, region]);
      }
      for (const [partition, some] of records.entries()) {
        if (some.length > 0) await produce(broker, topic, some, partition);
      }
      const expected = [...model].sort(([a], [b]) => a - b).map(([id, row]) => [id, ...row]);
      for (const kind of Object.keys(kinds)) {
        if (round === 2) {
          await sql.begin(async (sql) => {
            await loadCounts({ sql: sql as never }, kind);
            throw new Error("rolled back");
          }).catch((error) => assert.match(`${error}`, /rolled back/));
        }
        await loadCounts(world, kind);
        const rows = await sql.unsafe(`SELECT id, name, total, region FROM t_${kind} ORDER BY id`);
        assert.deepEqual(
          rows.map((row) => Object.values(row)),
          expected,
          `${kind}, round ${round}`,
        );
      }
      if (round === 0) attributes = await bloat();
    }
    assert.equal(await bloat(), attributes);
    for (const [kind, [, distributed]] of Object.entries(kinds)) {
      const [{ by, stage }] = await sql`
        SELECT pg_get_table_distributedby(${`kafka.${kind}_latest`}::regclass) AS by,
          pg_get_table_distributedby(${`kafka.${kind}_stage`}::regclass) AS stage`;
      assert.match(by, distributed, kind);
      assert.match(stage, /RANDOMLY/);
    }
  },
});

Deno.test({
  name: "merge: a role on Greenplum merges change events with its own rights, values they lack too",
  ignore: dialect !== "greenplum",
  async fn() {
    await using world = await startWorld();
    const { sql, broker, topic, dsn } = world;
    await sql`CREATE TABLE orders (id int PRIMARY KEY, name text, note text)`;
    await using etl = await startRole(world, "etl");
    await sql.unsafe(`GRANT SELECT, INSERT, DELETE ON orders TO ${etl.quoted}`);
    const run = await gpdbKafka([
      ...["sql", "source", "orders", "-t", topic, "--dsn", dsn, "-b", broker.bootstrap],
      ...["--value", "json", "--envelope", "debezium", "--merge", "id", "--grant", etl.name],
    ]);
    assert.equal(run.code, 0, run.stderr);
    await runScript(world, text(run.stdout));
    const event = (op: string, note: string | null) => {
      const row = { id: 1, name: op, note };
      return { value: JSON.stringify({ before: null, after: row, op }) };
    };
    for (const one of [event("c", "large"), event("u", "__debezium_unavailable_value")]) {
      await produce(broker, topic, [one]);
      await loadCounts(etl, "orders");
    }
    assert.deepEqual({ ...(await sql`SELECT name, note FROM orders`)[0] }, {
      name: "u",
      note: "large",
    });
    await produce(broker, topic, [event("t", null), { value: '{"op":"t"}' }]);
    await assert.rejects(loadCounts(etl, "orders"), /was truncated \(op t\)/);
  },
});

Deno.test({
  name:
    "schema: heap and replicated on a Greenplum that has a fork's name and another default storage",
  ignore: dialect !== "greenplum",
  async fn() {
    for (
      const name of ["Apache Cloudberry 2.0.0", "Greengage Database 6.27.1", "WarehousePG 6.27.1"]
    ) {
      await using pg = await startDatabase();
      const [{ database }] = await pg.sql`SELECT current_database() AS database`;
      await pg.sql.unsafe(`
        CREATE SCHEMA fork;
        CREATE FUNCTION fork.version() RETURNS text LANGUAGE sql AS
          $$ SELECT 'PostgreSQL 14.4 (${name} build 1) on x86_64-pc-linux-gnu'::text $$;
        ALTER DATABASE ${database} SET search_path = fork, pg_catalog, public;
        ALTER DATABASE ${database} SET gp_default_storage_options = 'appendonly=true'`);
      const sql = postgres(pg.dsn, { max: 1, onnotice: () => {} });
      try {
        const [{ version }] = await sql`SELECT version()`;
        assert.ok(version.includes(name));
        assert.equal((await readFamily(sql)).dialect, "greenplum");
        await runScript({ sql }, await schemaSql("greenplum"));
        const tables = await sql`
          SELECT c.relname AS name, c.relstorage AS storage, d.policytype AS policy FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'kafka'
          LEFT JOIN gp_distribution_policy d ON d.localoid = c.oid WHERE c.relkind = 'r'`;
        assert.ok(tables.length >= 7);
        for (const table of tables) {
          assert.equal(table.storage, "h", table.name);
          if (table.name !== "schema_version") assert.equal(table.policy, "r", table.name);
        }
      } finally {
        await sql.end();
      }
    }
  },
});
