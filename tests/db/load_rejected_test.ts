/** Values that do not fit their columns: left out and listed, up to a limit. */
import assert from "node:assert/strict";
import { gpdbKafka, text } from "../support/cli.ts";
import { produce } from "../support/kafka.ts";
import { ownServer, runScript } from "../support/load.ts";
import { startScripted } from "../support/load_scripted.ts";
import { addShaped, canReject, loadCounts, shapeOf } from "../support/load_shaped.ts";
import { startWorld } from "../support/load_world.ts";

const fields = "id integer, name varchar(3), at timestamp with time zone";

Deno.test("rejected: each row that does not fit is listed with its record, column and reason", async () => {
  await using world = await startScripted();
  if (!await canReject(world)) return;
  const { sql } = world;
  await sql`CREATE TABLE events (id int, name varchar(3), at timestamptz)`;
  await addShaped(world, { table: "events", shape: shapeOf(fields), rejectLimit: "4 ROWS" });
  await world.plan([{ end: 4 }, { end: 2 }], [
    "0,0,1,abc,2026-01-31 12:00Z",
    "0,1,x,abcd,2026-01-31 12:00Z",
    "0,2,2,abcd,2026-01-31 12:00Z",
    "0,3,3,,",
    "1,0,4,abc,yesterday or so",
    "1,1,5,abc,2026-02-01",
  ]);
  const counts = await loadCounts(world);
  assert.deepEqual([counts.rows, counts.rejected, counts.rows_read, counts.records], [3, 3, 6, 6]);
  assert.equal((await sql`SELECT 1 FROM events`).length, 3);
  const rows = await sql`
    SELECT source, load_no::int, topic, partition_no, "offset"::int, column_name, reason
    FROM kafka.rejected ORDER BY partition_no, "offset"`;
  assert.deepEqual(rows.map((row) => Object.values(row)), [
    ["things", 1, "t", 0, 1, "id", 'invalid input syntax for type integer: "x"'],
    ["things", 1, "t", 0, 2, "name", "value too long for type character varying(3)"],
    [
      "things",
      1,
      "t",
      1,
      0,
      "at",
      'invalid input syntax for type timestamp with time zone: "yesterday or so"',
    ],
  ]);
  const [history] = await sql`SELECT rows::int, rejected::int FROM kafka.load_history`;
  assert.deepEqual({ ...history }, { rows: 3, rejected: 3 });
});

Deno.test("rejected: as many as the limit fail the load, which names the first; nothing stays of it", async () => {
  await using world = await startScripted();
  if (!await canReject(world)) return;
  const { sql } = world;
  await addShaped(world, { shape: shapeOf("id integer, name text"), rejectLimit: "2 ROWS" });
  await world.plan([{ end: 3 }], ["0,2,y,b", "0,1,x,a", "0,0,1,a"]);
  const message =
    /^PostgresError: cannot load source "things": 2 of 3 rows do not fit, and its reject limit is 2 rows; the first one: topic "t" partition 0 offset 1, column "id": invalid input syntax for type integer: "x"$/;
  await assert.rejects(loadCounts(world), message);
  assert.equal((await sql`SELECT 1 FROM kafka.rejected`).length, 0);
  assert.equal((await sql`SELECT 1 FROM things`).length, 0);

  await addShaped(world, { shape: shapeOf("id integer, name text"), rejectLimit: "10 PERCENT" });
  const rows = (count: number, bad: number) =>
    Array.from({ length: count }, (_, i) => `0,${i},${i < bad ? "x" : i},a`);
  // As on Greenplum a share is looked at from 300 rows on.
  await world.plan([{ end: 300 }], rows(300, 100));
  assert.equal((await loadCounts(world)).rejected, 100);
  await world.plan([{ end: 301 + 300 }], rows(301, 31));
  await assert.rejects(loadCounts(world), /31 of 301 rows do not fit, .* limit is 10 percent/);
  await world.plan([{ end: 301 + 300 }], rows(301, 30));
  assert.equal((await loadCounts(world)).rejected, 30);
});

Deno.test("rejected: rows that do not fit are left out before a merge and its filter", async () => {
  await using world = await startScripted();
  if (!await canReject(world)) return;
  const { sql } = world;
  await addShaped(world, {
    shape: shapeOf("id integer, name text, n integer", { merge: ["id"], where: "n > 0" }),
    rejectLimit: "9 ROWS",
  });
  await world.plan([{ end: 5 }], ["0,0,1,a,1", "0,1,1,b,x", "0,2,2,c,0", "0,3,3,d,1", "0,4,x,e,0"]);
  const counts = await loadCounts(world);
  assert.deepEqual(counts, {
    rows: 2,
    inserted: 2,
    updated: 0,
    deleted: 0,
    filtered: 1,
    rejected: 2,
    records: 5,
    rows_read: 5,
  });
  const rows = await sql`SELECT name FROM things ORDER BY id`;
  assert.deepEqual(rows.map(({ name }) => name), ["a", "d"]);
});

Deno.test("rejected: a role sees the rows of sources that it may load, and no others", async () => {
  await using world = await startScripted();
  if (!await canReject(world)) return;
  const { sql } = world;
  await sql`CREATE TABLE secrets (id int, name text)`;
  for (const [name, table] of [["things", "things"], ["secrets", "secrets"]]) {
    await addShaped(world, {
      name,
      table,
      shape: shapeOf("id integer, name text"),
      rejectLimit: "9 ROWS",
    });
    await world.plan([{ end: 1 }], [`0,0,value of ${name},a`], name);
    await loadCounts(world, name);
  }
  const etl = await world.role("rejected_etl");
  await sql`SELECT kafka.allow('rejected_etl')`;
  await sql`GRANT INSERT ON things TO rejected_etl`;
  const seen = await etl.sql`SELECT source FROM kafka.rejected`;
  assert.deepEqual(seen.map(({ source }) => source), ["things"]);
  await assert.rejects(async () => await etl.sql`SELECT 1 FROM kafka.rejected_row`, {
    code: "42501",
  });
  assert.equal((await sql`SELECT 1 FROM kafka.rejected`).length, 2);
  await sql`SELECT kafka.drop_source('secrets')`;
  assert.equal((await sql`SELECT 1 FROM kafka.rejected_row`).length, 1);
  await sql`SELECT kafka.prune('0 s')`;
  assert.equal((await sql`SELECT 1 FROM kafka.rejected_row`).length, 0);
});

Deno.test("rejected: a server that cannot tell what fits refuses the limit, and names the first record", async () => {
  await using world = await startScripted();
  const { sql } = world;
  await sql.unsafe(`
    CREATE OR REPLACE FUNCTION kafka._can_reject() RETURNS boolean LANGUAGE sql AS 'SELECT false'`);
  await assert.rejects(
    addShaped(world, { shape: shapeOf("id integer"), rejectLimit: "2 ROWS" }),
    /cannot shape source "things": --reject-limit requires PostgreSQL 16 or later/,
  );
});

Deno.test({
  name: "rejected: --reject-limit alone, of CSV rows of a real topic",
  ignore: !ownServer,
  async fn() {
    await using world = await startWorld();
    const { broker, sql, topic, dsn } = world;
    const args = ["sql", "source", "things", "--for", "postgres", "-t", topic, "--dsn", dsn];
    const run = await gpdbKafka([...args, "-b", broker.bootstrap, "--reject-limit", "3"]);
    assert.equal(run.code, 0, run.stderr);
    await runScript(world, text(run.stdout));
    await produce(broker, topic, [{ value: "0,a" }, { value: "x,b" }, { value: "2,c" }]);
    const loaded = await gpdbKafka(["load", "things", "--dsn", dsn, "--once"]);
    assert.equal(loaded.code, 0, loaded.stderr);
    assert.match(text(loaded.stdout), /things: load 1: 2 rows, 1 rejected in /);
    assert.equal(await world.names(), "a c");
    const [row] = await sql`SELECT topic, "offset"::int, column_name FROM kafka.rejected`;
    assert.deepEqual({ ...row }, { topic, offset: 1, column_name: "id" });
  },
});
