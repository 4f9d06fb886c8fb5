/**
 * Change events of Debezium that leave out values, or are of no row. The events are like those that a
 * Debezium 3.6 wrote; debezium_test.ts has a real one.
 */
import assert from "node:assert/strict";
import { gpdbKafka, text } from "../support/cli.ts";
import { ABSENT, event, type Row } from "../support/change_events.ts";
import { produce, type TestRecord } from "../support/kafka.ts";
import { dialect, ownServer, runScript } from "../support/load.ts";
import { canReject, loadCounts } from "../support/load_shaped.ts";
import { startWorld, type World } from "../support/load_world.ts";

const ignore = !ownServer;

const ABSENT_BYTES = "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==";

const table =
  "CREATE TABLE orders (id int PRIMARY KEY, name text, note text, data bytea, doc jsonb)";
const flags = [
  ...["--fields", "id, name, note, data:text, doc"],
  ...["--select", "data = decode(data, 'base64')"],
];

async function add({ broker, dsn, topic, sql }: World, more: string[] = flags, where = "orders") {
  const run = await gpdbKafka([
    ...["sql", "source", where, "--for", dialect, "-t", topic, "--dsn", dsn],
    ...[
      "-b",
      broker.bootstrap,
      "--value",
      "json",
      "--envelope",
      "debezium",
      "--merge",
      "id",
      ...more,
    ],
  ]);
  assert.equal(run.code, 0, run.stderr);
  await runScript({ sql }, text(run.stdout));
}

/** A row of which all large values are absent. */
const absent = (id: number, name: string): Row => ({
  id,
  name,
  note: ABSENT,
  data: ABSENT_BYTES,
  doc: ABSENT,
});

async function rowsOf({ sql }: World): Promise<unknown[]> {
  const rows = await sql`
    SELECT id, name, note, convert_from(data, 'UTF8') AS data, doc->>'a' AS doc FROM orders ORDER BY id`;
  return rows.map((row) => Object.values(row));
}

Deno.test({
  name:
    "change events: a value that an update leaves out is the one of the record before, or of the table",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, topic, sql } = world;
    await sql.unsafe(table);
    await add(world, [...flags, "--where", "name <> 'TEST'"]);
    const large = (id: number, value: string): Row => ({
      id,
      name: "new",
      note: `note ${value}`,
      data: btoa(`data ${value}`),
      doc: JSON.stringify({ a: value }),
    });
    await produce(broker, topic, [
      event("r", large(1, "one")),
      event("c", large(2, "two")),
      event("u", absent(2, "seen")),
      event("u", absent(2, "seen again")),
      event("c", large(3, "three")),
    ]);
    await loadCounts(world, "orders");
    assert.deepEqual(await rowsOf(world), [
      [1, "new", "note one", "data one", "one"],
      [2, "seen again", "note two", "data two", "two"],
      [3, "new", "note three", "data three", "three"],
    ]);
    await produce(broker, topic, [
      // Of the table.
      event("u", absent(3, "later")),
      // One value of a record of this load, the others of the table.
      event("u", { ...absent(2, "x"), note: "changed" }),
      event("u", { ...absent(2, "last"), doc: null }),
      // Of the row that there is now, not of the one before it.
      event("d", { id: 3 }),
      event("c", large(3, "again")),
      event("u", absent(3, "and again")),
      // A deleted row needs no values.
      event("c", large(4, "four")),
      // A record that is left out has them, too.
      event("u", { ...large(1, "left out"), name: "TEST" }),
      event("u", { ...absent(1, "last"), note: "new" }),
      event("u", absent(4, "gone")),
      event("d", { id: 4 }),
    ]);
    const { updated, inserted, deleted, filtered } = await loadCounts(world, "orders");
    assert.deepEqual([inserted, updated, deleted, filtered], [0, 3, 0, 1]);
    assert.deepEqual(await rowsOf(world), [
      [1, "last", "new", "data left out", "left out"],
      [2, "last", "changed", "data two", null],
      [3, "and again", "note again", "data again", "again"],
    ]);
  },
});

Deno.test({
  name:
    "change events: a value that neither the table nor the load has fails the load, by its record",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, topic, sql } = world;
    await sql.unsafe(table);
    await add(world);
    const failing = async (why: RegExp, ...records: TestRecord[]) => {
      const before = await rowsOf(world);
      await produce(broker, topic, records);
      const error = await loadCounts(world, "orders").then(() => assert.fail(), (error) => error);
      assert.match(error.message, why);
      assert.match(error.hint, /REPLICA IDENTITY FULL/);
      assert.deepEqual(await rowsOf(world), before);
      await sql`SELECT * FROM kafka.seek('orders', 'latest')`;
    };
    await produce(broker, topic, [event("c", { id: 1, name: "a", note: "n" })]);
    await loadCounts(world, "orders");
    // The table has no such row.
    await failing(
      /partition 0 offset 1: column "note" lacks a value that Debezium did not have/,
      event("u", { id: 2, note: ABSENT }),
    );
    // A primary key that changed is a delete and a row of the new key.
    await failing(
      /partition 0 offset 3: column "doc" lacks a value .*, and neither the table nor an earlier record/,
      event("d", { id: 1 }),
      event("c", { id: 3, doc: ABSENT }),
    );
    // The old row of that key is another one.
    await failing(
      /partition 0 offset 5: column "data"/,
      event("d", { id: 1 }),
      event("c", { id: 1, data: ABSENT_BYTES, note: "x" }),
      event("u", { id: 1, data: ABSENT_BYTES, note: "y" }),
    );
    await failing(
      /partition 0 offset 8: column "data"/,
      event("d", { id: 1 }),
      event("u", { id: 1, data: ABSENT_BYTES, note: "y" }),
    );
    await failing(/offset 9: column "note"/, event("c", { id: 1, note: ABSENT }));
    // What comes after it is whole.
    await produce(broker, topic, [
      event("c", { id: 4, note: ABSENT }),
      event("u", { id: 4, note: "whole" }),
    ]);
    await loadCounts(world, "orders");
    assert.deepEqual(await rowsOf(world), [
      [1, "a", "n", null, null],
      [4, null, "whole", null, null],
    ]);
  },
});

Deno.test({
  name: "change events: an expression of several fields, and a condition, must have their values",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, topic, sql } = world;
    await sql.unsafe(table);
    await add(world, [
      ...["--fields", "id, name, note, extra:text=doc"],
      ...["--select", "name = name || note", "--where", "extra IS DISTINCT FROM 'hidden'"],
      ...["--delete-when", "extra = 'gone'"],
    ]);
    const row = { id: 1, name: "a", note: "b", doc: "shown" };
    await produce(broker, topic, [event("c", row), event("c", { ...row, id: 2 })]);
    await loadCounts(world, "orders");
    const failing = async (why: RegExp, ...records: TestRecord[]) => {
      await produce(broker, topic, records);
      await assert.rejects(loadCounts(world, "orders"), why);
      await sql`SELECT * FROM kafka.seek('orders', 'latest')`;
    };
    await failing(/offset 2: column "name" lacks a value/, event("u", { ...row, note: ABSENT }));
    await failing(
      /offset 3: --(where|delete-when) lacks a value that .*, and so it is not known/,
      event("u", { ...row, doc: ABSENT }),
    );
    // A later record of the key decides.
    await produce(broker, topic, [
      event("u", { ...row, doc: ABSENT }),
      event("u", { ...row, name: "c" }),
      event("u", { ...row, id: 2, doc: ABSENT }),
      event("u", { ...row, id: 2, doc: "gone" }),
    ]);
    const { updated, deleted } = await loadCounts(world, "orders");
    assert.deepEqual([updated, deleted], [1, 1]);
    assert.deepEqual((await rowsOf(world))[0], [1, "cb", "b", null, null]);
  },
});

Deno.test({
  name: "change events: numbers for dates and times become them, or are rejected with what to do",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, topic, sql } = world;
    await sql`CREATE TABLE orders (id int PRIMARY KEY, day date, span interval, "at" timestamp, "time" time)`;
    await add(world, []);
    const row = (id: number, more: Record<string, unknown>) => ({
      value: JSON.stringify({ before: null, after: { id, ...more }, op: "c" }),
    });
    await produce(broker, topic, [
      row(1, { day: 20484, span: 3600250000, at: "2026-01-31T12:00:00.5Z", time: "12:00:00Z" }),
      row(2, { day: "2026-01-31Z", span: "P1DT1.5S" }),
      row(3, { day: -1, span: -1 }),
    ]);
    await loadCounts(world, "orders");
    const rows = await sql`
      SELECT day::text, span::text, "at"::text, "time"::text FROM orders ORDER BY id`;
    assert.deepEqual(rows.map((row) => Object.values(row)), [
      ["2026-01-31", "01:00:00.25", "2026-01-31 12:00:00.5", "12:00:00"],
      ["2026-01-31", "1 day 00:00:01.5", null, null],
      ["1969-12-31", "-00:00:00.000001", null, null],
    ]);
    // As numbers, both are something else to PostgreSQL: 12:00 and a day in 2099.
    for (const more of [{ time: 120000 }, { at: 20990101 }]) {
      await produce(broker, topic, [row(4, more)]);
      await assert.rejects(
        loadCounts(world, "orders"),
        /field "(at|time)": .* is a number: set time.precision.mode=isostring in the connector/,
      );
      await sql`SELECT * FROM kafka.seek('orders', 'latest')`;
    }
    if (!await canReject(world)) return;
    await add(world, ["--reject-limit", "10"]);
    await produce(broker, topic, [row(5, { day: "never", at: ABSENT }), row(6, { day: 0 })]);
    assert.equal((await loadCounts(world, "orders")).rejected, 1);
    const [{ column_name, reason }] = await sql`SELECT column_name, reason FROM kafka.rejected`;
    assert.equal(`${column_name}: ${reason}`, 'day: invalid input syntax for type date: "never"');
  },
});

Deno.test({
  name: "change events: records that are of no row are named: truncated tables, heartbeats, others",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, topic, sql } = world;
    await sql.unsafe(table);
    await add(world);
    const records: [RegExp, string][] = [
      [
        /offset 0: the table that Debezium reads was truncated \(op t\)$/,
        '{"before":null,"after":null,"transaction":null,"op":"t","ts_ms":1795689485643}',
      ],
      [/offset 1: it is not a change event of Debezium: it has no op$/, '{"ts_ms":1795689485643}'],
      [
        /offset 2: it is not a change event of Debezium: it has no op$/,
        '{"status":"BEGIN","id":"756:24507400","event_count":null,"data_collections":null,"ts_ms":1}',
      ],
      [/offset 3: it is not a change event of Debezium: it has no op$/, '{"id":1,"name":"a"}'],
      [
        /offset 4: the merge key \(id\) is null in a delete$/,
        '{"before":null,"after":null,"op":"d"}',
      ],
      [/offset 5: the merge key \(id\) is null$/, '{"before":null,"after":{"name":"a"},"op":"c"}'],
    ];
    for (const [why, value] of records) {
      await produce(broker, topic, [{ value }]);
      await assert.rejects(loadCounts(world, "orders"), why);
      await sql`SELECT * FROM kafka.seek('orders', 'latest')`;
    }
    await produce(broker, topic, [
      {
        value: '{"op":"m","ts_ms":1,"transaction":null,"message":{"prefix":"x","content":"aGk="}}',
      },
      { key: '{"id":1}', value: null },
    ]);
    const { filtered, rows } = await loadCounts(world, "orders");
    assert.deepEqual([filtered, rows], [1, 0]);
  },
});
