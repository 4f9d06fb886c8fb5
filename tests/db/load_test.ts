import assert from "node:assert/strict";
import postgres from "postgres";
import {
  createTopic,
  deleteRecords,
  deleteTopic,
  groupOffsets,
  produce,
  withAdmin,
} from "../support/kafka.ts";
import { load, ownServer } from "../support/load.ts";
import { startWorld, things } from "../support/load_world.ts";

const ignore = !ownServer;

Deno.test({
  name: "load: what is new is loaded once; the next load copies the offsets to the group",
  ignore,
  async fn() {
    await using world = await startWorld(2);
    const { broker, sql, topic } = world;
    await world.add();
    await produce(broker, topic, things("a", "b", "c"), 0);
    await produce(broker, topic, things("d"), 1);
    const all = { rows: 4, records: 4, lag: 0, reason: "end", load_no: 1 };
    assert.deepEqual(await load(world, "things"), all);
    assert.equal(await world.names(), "a d b c");
    assert.deepEqual(
      await groupOffsets(broker, "gpdb-kafka.things", topic),
      new Map([[0, -1n], [1, -1n]]),
    );

    assert.deepEqual(await load(world, "things"), { ...all, rows: 0, records: 0 });
    assert.deepEqual(
      await groupOffsets(broker, "gpdb-kafka.things", topic),
      new Map([[0, 3n], [1, 1n]]),
    );
    const [status] = await sql`SELECT * FROM kafka.status`;
    assert.deepEqual([status.source, status.last_reason, Number(status.rows_loaded)], [
      "things",
      "end",
      4,
    ]);
    const [history] = await sql`SELECT * FROM kafka.load_history`;
    assert.equal(history.ranges, "0:0-3,1:0-1");
  },
});

Deno.test({
  name: "load: the group never gets offsets that a rollback can still undo",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, sql, topic } = world;
    await world.add();
    await produce(broker, topic, things("a", "b"));
    await load(world, "things", 1);
    await assert.rejects(
      sql.begin(async (sql) => {
        assert.equal((await load({ sql }, "things")).rows, 1);
        assert.equal((await load({ sql }, "things")).rows, 0);
        throw new Error("no");
      }),
      /^Error: no$/,
    );
    assert.equal((await groupOffsets(broker, "gpdb-kafka.things", topic)).get(0), 1n);
    assert.equal((await load(world, "things")).rows, 1);
    assert.equal(await world.names(), "a b");
  },
});

Deno.test({
  name:
    "load: max_records bounds each partition; the answer says that there is more, and the next load has it",
  ignore,
  async fn() {
    await using world = await startWorld(2);
    const { broker, topic } = world;
    await world.add({ maxRecords: 3 });
    await produce(broker, topic, things("a", "b", "c", "d", "e"), 0);
    await produce(broker, topic, things("x"), 1);
    const first = { rows: 3, records: 3, lag: 3, reason: "max_records", load_no: 1 };
    assert.deepEqual(await load(world, "things", 2), first);
    const rest = { rows: 3, records: 3, lag: 0, reason: "end", load_no: 2 };
    assert.deepEqual(await load(world, "things", 100), rest);
    assert.equal(await world.names(), "a x b c d e");
    await assert.rejects(load(world, "things", 0), /max_records is 0/);
  },
});

Deno.test({
  name: "load: new partitions are read from their start, whatever the fallback",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, topic } = world;
    await world.add({ name: "s", fallback: "latest" });
    await produce(broker, topic, things("old"));
    assert.equal((await load(world, "s")).rows, 0);
    await withAdmin(
      broker,
      (admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] }),
    );
    for (let tries = 0;; tries++) {
      try {
        await produce(broker, topic, things("joined"), 1);
        break;
      } catch (error) {
        if (tries === 20) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    await produce(broker, topic, things("new"));
    assert.equal((await load(world, "s")).rows, 2);
    assert.equal(await world.names(), "joined new");
  },
});

Deno.test({
  name: "load: deleted offsets are an error that names them, unless --on-lost says how to continue",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, sql, topic } = world;
    await world.add({ fallback: "fail" });
    await assert.rejects(load(world, "things"), /never loaded, and its fallback is "fail"/);
    await world.add();
    await produce(broker, topic, things("a", "b", "c", "d"));
    await load(world, "things", 1);
    await deleteRecords(broker, topic, { 0: 3 });
    await assert.rejects(
      load(world, "things"),
      new RegExp(`topic "${topic}" partition 0 has the offsets 3 to 4, but source "things" .* 1`),
    );
    await world.add({ onLost: "earliest" });
    assert.equal((await load(world, "things")).rows, 1);
    assert.equal(await world.names(), "a d");

    // Another topic of that name.
    await deleteTopic(broker, topic);
    await createTopic(broker, topic);
    await produce(broker, topic, things("again"));
    await world.add();
    await assert.rejects(
      load(world, "things"),
      /topic ".*" was deleted and created again: its id is \S+, but source "things" has loaded \S+/,
    );
    await assert.rejects(world.add({ topic: "other" }), /its offsets belong to another topic/);
    await sql`SELECT kafka.drop_source('things')`;
    await world.add();
    assert.equal((await load(world, "things")).rows, 1);
  },
});

Deno.test({
  name: "load: seek, pause and resume",
  ignore,
  async fn() {
    await using world = await startWorld(2);
    const { broker, sql, topic } = world;
    await world.add();
    const records = things("a", "b", "c").map((record, i) => ({ ...record, timestamp: i * 1000 }));
    await produce(broker, topic, records, 0);
    await produce(broker, topic, things("z"), 1);
    const reload = async (position: string) => {
      const moved = await sql`SELECT next_offset::int FROM kafka.seek('things', ${position})`;
      await sql`TRUNCATE things`;
      await load(world, "things");
      return [moved.map(({ next_offset }) => next_offset).join(","), await world.names()];
    };
    assert.deepEqual(await reload("latest"), ["3,1", ""]);
    assert.deepEqual(await reload("earliest"), ["0,0", "a z b c"]);
    assert.deepEqual(await reload("0:2"), ["2,1", "c"]);
    assert.deepEqual(await reload("1:0,0:3"), ["3,0", "z"]);
    assert.deepEqual(await reload("@1970-01-01 00:00:01+00"), ["1,0", "z b c"]);
    assert.deepEqual(await reload("@2100-01-01"), ["3,1", ""]);
    const seek = (position: string) => sql`SELECT kafka.seek('things', ${position})`;
    await assert.rejects(seek("0:4"), /partition 0 has the offsets 0 to 3, not 4/);
    await assert.rejects(seek("2:0"), /has no partition 2/);
    await assert.rejects(seek("tomorrow"), /"tomorrow" is not one of earliest, latest/);

    await sql`SELECT kafka.pause('things')`;
    await assert.rejects(load(world, "things"), /source "things" is paused/);
    await sql`SELECT kafka.resume('things')`;
    assert.equal((await load(world, "things")).rows, 0);

    const [{ pruned }] = await sql`SELECT kafka.prune('0 s')::int AS pruned`;
    assert.ok(pruned > 5);
    assert.equal((await load(world, "things")).rows, 0);
  },
});

Deno.test({
  name: "load: a second load of a source waits, other sources do not",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, sql, topic } = world;
    await sql`CREATE TABLE others (id int, name text)`;
    await world.add();
    await world.add({ name: "others", table: "others" });
    await produce(broker, topic, things("a"));
    const notices: string[] = [];
    const second = postgres(world.dsn, {
      max: 1,
      onnotice: ({ message }) => notices.push(message!),
    });
    try {
      let waiting: Promise<{ rows: number }>;
      await sql.begin(async (sql) => {
        assert.equal((await load({ sql }, "things")).rows, 1);
        waiting = load({ sql: second }, "things");
        assert.equal((await load(world, "others")).rows, 1);
        while (notices.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
        assert.match(notices[0], /source "things" is in use by another session: waiting/);
      });
      assert.equal((await waiting!).rows, 0);
      assert.equal(await world.names(), "a");
    } finally {
      await second.end();
    }
  },
});

Deno.test({
  name: "load: more ranges than fit into one statement are loaded by several, in one load",
  ignore,
  async fn() {
    await using world = await startWorld(9);
    const { broker, sql, topic } = world;
    await world.add();
    for (let p = 0; p < 9; p++) await produce(broker, topic, things(`p${p}`), p);
    // As small as on Greenplum, and smaller.
    await sql`
      CREATE OR REPLACE FUNCTION kafka._room(topic text) RETURNS integer
      LANGUAGE sql IMMUTABLE AS 'SELECT 20'`;
    assert.equal((await load(world, "things")).rows, 9);
    assert.equal((await load(world, "things")).rows, 0);
    const group = await groupOffsets(broker, "gpdb-kafka.things", topic);
    assert.deepEqual([...group.values()], Array(9).fill(1n));
  },
});
