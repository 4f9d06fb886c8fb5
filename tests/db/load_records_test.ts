/** Records with structure, mapped and merged: JSON of a real topic, tombstones and change events. */
import assert from "node:assert/strict";
import { gpdbKafka, text } from "../support/cli.ts";
import { produce, type TestRecord } from "../support/kafka.ts";
import { dialect, ownServer, runScript } from "../support/load.ts";
import { loadCounts } from "../support/load_shaped.ts";
import { startWorld, type World } from "../support/load_world.ts";
import { Random } from "../support/random.ts";

const ignore = !ownServer;

/** Runs what `gpdb-kafka sql source orders` prints. */
async function addOrders({ broker, dsn, topic, ...world }: World, ...flags: string[]) {
  const source = ["sql", "source", "orders", "--for", dialect, "-t", topic, "--dsn", dsn];
  const run = await gpdbKafka([...source, "-b", broker.bootstrap, "--value", "json", ...flags]);
  assert.equal(run.code, 0, run.stderr);
  await runScript(world, text(run.stdout));
}

async function rows({ sql }: World, query: string): Promise<unknown[]> {
  return (await sql.unsafe(query)).map((row) => Object.values(row));
}

Deno.test({
  name:
    "records: JSON fields by their paths, computed columns, and tombstones that delete their key",
  ignore,
  async fn() {
    await using world = await startWorld(2);
    await world.sql`
      CREATE TABLE orders (id bigint PRIMARY KEY, customer text, total numeric, at timestamptz, tags jsonb)`;
    await addOrders(
      world,
      ...["--key", "json", "--key-fields", "id"],
      ...["--fields", 'customer=customer.name, amount:numeric, at=meta.ts, tags, "odd.name":text'],
      ...["--select", "total = amount * 2", "--where", `"odd.name" IS DISTINCT FROM 'x'`],
      ...["--merge", "id", "--tombstones", "delete"],
    );
    const order = (id: number, customer: string, amount: number, more = {}): TestRecord => ({
      key: JSON.stringify({ id }),
      value: JSON.stringify({
        id: 0,
        customer: { name: customer },
        amount,
        meta: { ts: "2026-01-31T12:00:00Z" },
        tags: ["a", { b: null }],
        ...more,
      }),
    });
    const gone = (id: number): TestRecord => ({ key: JSON.stringify({ id }), value: null });
    await produce(world.broker, world.topic, [
      order(1, 'Ann "A", the first', 1.25),
      order(3, "x", 1, { "odd.name": "x" }),
      order(1, "Ann\nB", 2.5),
      gone(5),
    ], 0);
    await produce(world.broker, world.topic, [order(2, "", 1), gone(2), order(4, "D", 4)], 1);
    const first = await loadCounts(world, "orders");
    assert.deepEqual([first.inserted, first.deleted, first.filtered, first.rows_read], [
      2,
      0,
      1,
      7,
    ]);
    const seen = await rows(world, "SELECT id, customer, total, at, tags FROM orders ORDER BY id");
    const at = new Date("2026-01-31T12:00:00Z");
    const tags = ["a", { b: null }];
    assert.deepEqual(seen, [["1", "Ann\nB", "5.0", at, tags], ["4", "D", "8", at, tags]]);
    await produce(world.broker, world.topic, [gone(4)], 1);
    const second = await loadCounts(world, "orders");
    assert.deepEqual([second.rows, second.deleted], [0, 1]);
  },
});

Deno.test({
  name: "records: each column from the field of its name, and no more than a COPY",
  ignore,
  async fn() {
    await using world = await startWorld();
    await world.sql`CREATE TABLE orders (id int, "odd name" text, at timestamptz)`;
    await addOrders(world);
    await produce(world.broker, world.topic, [
      { value: '{"odd name":"x","id":1,"more":[1]}' },
      { value: '{"at":"2026-01-31T12:00:00Z"}' },
    ]);
    assert.equal((await loadCounts(world, "orders")).rows, 2);
    assert.deepEqual(await rows(world, "SELECT * FROM orders ORDER BY id"), [
      [1, "x", null],
      [null, null, new Date("2026-01-31T12:00:00Z")],
    ]);
    assert.equal((await world.sql`SELECT stage FROM kafka.source`)[0].stage, null);
  },
});

Deno.test({
  name: "records: change events equal the table that they are of, with and without their schema",
  ignore,
  async fn() {
    await using world = await startWorld(3);
    await world
      .sql`CREATE TABLE orders (id int PRIMARY KEY, name text, note text, amount numeric(8,2))`;
    await addOrders(
      world,
      ...["--envelope", "debezium", "--merge", "id", "--fields", "id, name=customer.name, amount"],
    );
    const random = new Random(7);
    const table = new Map<number, { name: string | null; amount: number }>();
    for (let load = 0; load < 6; load++) {
      const records: TestRecord[][] = [[], [], []];
      for (let i = random.int(1, 40); i > 0; i--) {
        const id = random.int(1, 15);
        const row = (one?: { name: string | null; amount: number }) =>
          one ? { id, customer: { name: one.name }, amount: one.amount } : null;
        const before = table.get(id);
        const after = before && random.int(0, 2) === 0 ? undefined : {
          name: random.int(0, 3) === 0 ? null : `name ${random.int(0, 99)}`,
          amount: random.int(0, 9999) / 100,
        };
        if (after) table.set(id, after);
        else table.delete(id);
        // A key changes nothing else of a delete: only its primary key is in `before` by default.
        const event = {
          before: after ? row(before) : { id },
          after: row(after),
          op: after ? before ? "u" : random.int(0, 1) === 0 ? "c" : "r" : "d",
          ts_ms: 1,
        };
        const value = random.int(0, 1) === 0
          ? event
          : { schema: { type: "struct" }, payload: event };
        const partition = records[id % 3];
        partition.push({ key: `{"id":${id}}`, value: JSON.stringify(value) });
        if (!after) partition.push({ key: `{"id":${id}}`, value: null });
        if (random.int(0, 9) === 0) {
          partition.push({ value: JSON.stringify({ op: "m", message: { prefix: "x" } }) });
        }
      }
      for (const [partition, some] of records.entries()) {
        if (some.length > 0) await produce(world.broker, world.topic, some, partition);
      }
      await loadCounts(world, "orders");
      assert.deepEqual(
        await rows(world, "SELECT id, name, amount::float FROM orders ORDER BY id"),
        [...table].sort(([a], [b]) => a - b).map(([id, { name, amount }]) => [id, name, amount]),
        `load ${load}`,
      );
    }
    await produce(
      world.broker,
      world.topic,
      [{ value: '{"before":null,"after":null,"op":"t"}' }],
      2,
    );
    await assert.rejects(
      loadCounts(world, "orders"),
      /partition 2 offset \d+: the table that Debezium reads was truncated/,
    );
  },
});

Deno.test({
  name: "records: Avro fields, by the types that a schema file says",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { sql, broker, topic, dsn } = world;
    await sql`CREATE TABLE orders (id bigint PRIMARY KEY, customer text, day date)`;
    const folder = await Deno.makeTempDir();
    try {
      // The server's user reads it.
      await Deno.chmod(folder, 0o755);
      const fields = [
        { name: "id", type: "long" },
        {
          name: "customer",
          type: { type: "record", name: "C", fields: [{ name: "name", type: "string" }] },
        },
        { name: "day", type: { type: "int", logicalType: "date" } },
      ];
      const schema = `${folder}/order.avsc`;
      await Deno.writeTextFile(schema, JSON.stringify({ type: "record", name: "O", fields }), {
        mode: 0o644,
      });
      const flags = ["--value", "avro", "--schema", schema, "--merge", "id"];
      flags.push("--fields", "id, customer=customer.name, day", "--where", "day > '1970-01-02'");
      const source = ["sql", "source", "orders", "--for", dialect, "-t", topic, "--dsn", dsn];
      const run = await gpdbKafka([...source, "-b", broker.bootstrap, ...flags]);
      assert.equal(run.code, 0, run.stderr);
      await runScript(world, text(run.stdout));
      const zigzag = (value: number) => value << 1 ^ value >> 31;
      const order = (id: number, name: string, day: number): TestRecord => ({
        value: new Uint8Array([
          zigzag(id),
          zigzag(name.length),
          ...new TextEncoder().encode(name),
          zigzag(day),
        ]),
      });
      await produce(broker, topic, [order(1, "a", 2), order(2, "b", 1), order(1, "c", 30)]);
      const { inserted, filtered } = await loadCounts(world, "orders");
      assert.deepEqual([inserted, filtered], [1, 1]);
      assert.deepEqual(await rows(world, "SELECT id, customer, day::text FROM orders"), [
        ["1", "c", "1970-01-31"],
      ]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
