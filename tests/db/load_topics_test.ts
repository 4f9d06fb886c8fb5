/** Sources of several topics, named or by a pattern, with a real broker: what joins, goes and comes back. */
import assert from "node:assert/strict";
import { createTopic, deleteTopic, produce, uniqueName, withAdmin } from "../support/kafka.ts";
import { until } from "../support/group.ts";
import { load, ownServer } from "../support/load.ts";
import { startWorld, things, type World } from "../support/load_world.ts";
import { Random } from "../support/random.ts";

/** Where the source stands: `eu 0 3`, without what all names begin with. */
async function places({ sql }: World, front: string): Promise<string[]> {
  const rows = await sql`
    SELECT topic, partition_no, next_offset::int FROM kafka.load_offset
    ORDER BY topic COLLATE "C", partition_no`;
  return rows.map((row) =>
    `${row.topic.slice(front.length)} ${row.partition_no} ${row.next_offset}`
  );
}

/** What the last statement's error says, with its hint. */
async function failure(query: PromiseLike<unknown>): Promise<string> {
  try {
    await query;
  } catch (error) {
    const { message, hint } = error as { message: string; hint?: string };
    return hint === undefined ? message : `${message} — ${hint}`;
  }
  return "no error";
}

async function addPartitions({ broker }: World, topic: string, count: number): Promise<void> {
  await withAdmin(
    broker,
    (admin) => admin.createPartitions({ topicPartitions: [{ topic, count }] }),
  );
  await until("they are there", 30_000, async () => {
    const found = await withAdmin(broker, (admin) => admin.fetchTopicOffsets(topic)).catch(
      () => [],
    );
    return found.length === count;
  });
}

Deno.test({
  name:
    "topics: those of a pattern are loaded into one table; new topics and partitions join at their start",
  ignore: !ownServer,
  async fn() {
    await using world = await startWorld();
    const { broker, sql } = world;
    const front = `${uniqueName("shop")}.`;
    const [eu, us, asia] = ["eu", "us", "asia"].map((name) => front + name);
    await createTopic(broker, eu, { partitions: 2 });
    await createTopic(broker, us);
    await produce(broker, eu, things("old"), 1);
    const topicPattern = `^${front.replaceAll(".", "\\.")}`;
    await world.add({ topic: null, topicPattern, fallback: "latest", group: front });
    assert.deepEqual(await load(world, "things"), {
      rows: 0,
      records: 0,
      lag: 0,
      reason: "end",
      load_no: 1,
    });
    await produce(broker, eu, things("a"), 0);
    await produce(broker, eu, things("b", "c"), 1);
    await produce(broker, us, things("d"));
    assert.equal((await load(world, "things")).rows, 4);
    assert.deepEqual(await places(world, front), ["eu 0 1", "eu 1 3", "us 0 1"]);

    // Later than the first load: from their starts, whatever the fallback.
    await createTopic(broker, asia, { partitions: 2 });
    await produce(broker, asia, things("e", "f"), 1);
    await addPartitions(world, us, 2);
    await produce(broker, us, things("g"), 1);
    const [row] = await sql`SELECT rows::int, topics FROM kafka.load('things')`;
    assert.equal(row.rows, 3);
    assert.deepEqual(row.topics, [
      { topic: asia, records: 2, lag: 0 },
      { topic: eu, records: 0, lag: 0 },
      { topic: us, records: 1, lag: 0 },
    ]);
    const [last] = await sql`SELECT * FROM kafka.load_history ORDER BY load_no DESC LIMIT 1`;
    assert.deepEqual(last.topics, [asia, eu, us]);
    assert.deepEqual(last.topic_starts, [1, 3, 5]);
    assert.equal(new Set(last.topic_ids).size, 3);
    assert.equal(last.ranges, `${asia}/1:0-2,${us}/1:0-1`);
    assert.deepEqual(await places(world, front), [
      ...["asia 0 0", "asia 1 2", "eu 0 1", "eu 1 3", "us 0 1", "us 1 1"],
    ]);
    assert.equal(await world.names(), "a b d e g c f");

    // At most so much of each partition; lag and status know each topic.
    await produce(broker, eu, things("h", "i"), 0);
    await produce(broker, us, things("j"), 1);
    const part = await load(world, "things", 1);
    assert.deepEqual([part.rows, part.lag, part.reason], [2, 1, "max_records"]);
    const lag = await sql`
      SELECT topic, partition_no, lag::int FROM kafka.lag WHERE lag > 0 AND error IS NULL`;
    assert.deepEqual(lag.map((row) => Object.values(row)), [[eu, 0, 1]]);
    const [status] = await sql`SELECT topic, topic_pattern, partitions FROM kafka.status`;
    assert.deepEqual(Object.values(status), [`/${topicPattern}/`, topicPattern, 6]);
    const [check] = await sql`SELECT records::int, reason FROM kafka.check_source('things')`;
    assert.deepEqual(Object.values(check), [1, "end"]);

    // The group follows, one load behind, in each topic.
    assert.equal((await load(world, "things")).rows, 1);
    assert.equal((await load(world, "things")).rows, 0);
    const committed = await withAdmin(broker, (admin) => admin.fetchOffsets({ groupId: front }));
    const stored = committed.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) =>
        `${topic.slice(front.length)} ${partition} ${offset}`
      )
    );
    assert.deepEqual(stored.sort(), await places(world, front));
  },
});

Deno.test({
  name:
    "topics: one of several that is recreated or deleted stops the loads until kafka.seek accepts it; the others stay where they are",
  ignore: !ownServer,
  async fn() {
    await using world = await startWorld();
    const { broker, sql } = world;
    const front = `${uniqueName("gone")}.`;
    const [eu, us] = ["eu", "us"].map((name) => front + name);
    for (const topic of [eu, us]) await createTopic(broker, topic);
    await produce(broker, eu, things("a"));
    await produce(broker, us, things("b"));
    await world.add({ topic: null, topicPattern: `^${front}`, group: front });
    assert.equal((await load(world, "things")).rows, 2);

    await deleteTopic(broker, us);
    await createTopic(broker, us);
    await produce(broker, us, things("x", "y", "z"));
    await produce(broker, eu, things("c"));
    const recreated = await failure(load(world, "things"));
    assert.match(recreated, new RegExp(`topic "${us}" was deleted and created again: its id is`));
    assert.ok(
      recreated.endsWith(
        `SELECT kafka.seek('things', '${us}:earliest') accepts the present log, and starts at its first record.`,
      ),
      recreated,
    );
    // Another topic can be moved; this one still is not accepted.
    await sql`SELECT kafka.seek('things', ${`${eu}:latest`})`;
    assert.match(await failure(load(world, "things")), /was deleted and created again/);
    await sql`SELECT kafka.seek('things', ${`${eu}:0:1`})`;
    await sql`SELECT kafka.seek('things', ${`${us}:earliest`})`;
    assert.deepEqual(await places(world, front), ["eu 0 1", "us 0 0"]);
    assert.equal((await load(world, "things")).rows, 4);

    await deleteTopic(broker, us);
    const hint = `SELECT kafka.seek('things', '${us}:earliest') forgets it: ` +
      "what was not loaded of it is lost.";
    const gone = `topic "${us}" of source "things" does not exist any more — ${hint}`;
    await until("it is gone", 30_000, async () => await failure(load(world, "things")) === gone);
    assert.equal(await failure(sql`SELECT * FROM kafka.check_source('things')`), gone);
    const [{ error }] = await sql`SELECT error FROM kafka.lag`;
    assert.equal(error, gone.split(" — ")[0]);
    const sought = await sql`SELECT * FROM kafka.seek('things', ${`${us}:earliest`})`;
    assert.deepEqual([...sought], [{ partition_no: null, next_offset: null, topic: us }]);
    assert.deepEqual(await places(world, front), ["eu 0 2"]);
    await produce(broker, eu, things("d"));
    assert.equal((await load(world, "things")).rows, 1);
    // A topic of that name joins as any new one.
    await createTopic(broker, us);
    await produce(broker, us, things("e"));
    assert.equal((await load(world, "things")).rows, 1);
    assert.equal(await world.names(), "a b c d e x y z");

    // All of them gone.
    for (const topic of [eu, us]) await deleteTopic(broker, topic);
    const all = async () => await failure(load(world, "things"));
    await until("both are gone", 30_000, async () => (await all()).startsWith(`topic "${eu}" of`));
    await sql`SELECT kafka.seek('things', 'earliest')`;
    assert.match(await all(), /no topic matches the pattern "\^gone.*" of source "things"/);
  },
});

Deno.test({
  name:
    "topics: named ones; one that is missing is named, one that is left out and comes back goes on where it stood",
  ignore: !ownServer,
  async fn() {
    await using world = await startWorld();
    const { broker } = world;
    const front = `${uniqueName("named")}.`;
    const [a, b, c] = ["a", "b", "c"].map((name) => front + name);
    for (const topic of [a, b]) await createTopic(broker, topic);
    const add = (...topics: string[]) =>
      topics.length === 1
        ? world.add({ topic: topics[0], group: front })
        : world.add({ topic: null, topics, group: front });
    await add(a);
    await produce(broker, a, things("a0"));
    await produce(broker, b, things("b0"));
    assert.equal((await load(world, "things")).rows, 1);
    await add(a, b, c);
    const missing =
      `topic "${c}" of source "things" does not exist — Create the topic, or leave it ` +
      "out of --topics and run the SQL of gpdb-kafka sql source again.";
    assert.equal(await failure(load(world, "things")), missing);
    await add(a, b);
    assert.equal((await load(world, "things")).rows, 1);
    await produce(broker, b, [{ value: "1,b1" }]);
    await add(a);
    assert.equal((await load(world, "things")).rows, 0);
    assert.deepEqual(await places(world, front), ["a 0 1", "b 0 1"]);
    await produce(broker, a, [{ value: "1,a1" }]);
    assert.equal((await load(world, "things")).rows, 1);
    await add(b, a);
    assert.equal((await load(world, "things")).rows, 1);
    assert.equal(await world.names(), "a0 b0 a1 b1");
    assert.match(await failure(add(c)), /cannot change the topic of source "things": its offsets/);
    await world.add({ topic: null, topicPattern: `^${front}(a|b)$`, group: front });
    assert.equal((await load(world, "things")).records, 0);
  },
});

for (const seed of [1, 2]) {
  Deno.test({
    name:
      `topics: random rounds of new topics, partitions, records, part loads, rollbacks and returns equal their model (seed ${seed})`,
    ignore: !ownServer,
    async fn() {
      await using world = await startWorld();
      const { broker, sql } = world;
      const random = new Random(seed);
      const front = `${uniqueName("rounds")}.`;
      const topics = new Map<string, number>();
      const written: string[] = [];
      const join = async () => {
        const topic = `${front}${topics.size}`;
        const partitions = random.int(1, 3);
        await createTopic(broker, topic, { partitions });
        topics.set(topic, partitions);
      };
      await join();
      await join();
      await world.add({ topic: null, topicPattern: `^${front}`, group: front });
      for (let round = 0; round < 14; round++) {
        const names = [...topics.keys()];
        const kind = random.int(0, 9);
        if (kind === 0 && topics.size < 6) await join();
        if (kind === 1) {
          const topic = names[random.int(0, names.length - 1)];
          topics.set(topic, topics.get(topic)! + 1);
          await addPartitions(world, topic, topics.get(topic)!);
        }
        for (let i = random.int(0, 3); i > 0; i--) {
          const topic = names[random.int(0, names.length - 1)];
          const values = Array.from({ length: random.int(1, 5) }, (_, n) => {
            return `${written.length + n},r${round}`;
          });
          written.push(...values);
          const partition = random.int(0, topics.get(topic)! - 1);
          await produce(broker, topic, values.map((value) => ({ value })), partition);
        }
        const most = random.int(0, 2) === 0 ? random.int(1, 3) : null;
        if (random.int(0, 3) === 0) {
          await assert.rejects(
            sql.begin(async (tx) => {
              await load({ sql: tx }, "things", most);
              throw new Error("rolled back");
            }),
            /rolled back/,
          );
        } else await load(world, "things", most);
        // Part of what was written, and no record twice.
        const rows = await sql`SELECT id || ',' || name AS row FROM things`;
        const loaded = rows.map(({ row }) => row);
        assert.equal(new Set(loaded).size, loaded.length);
        assert.ok(loaded.every((row) => written.includes(row)));
      }
      const { lag } = await load(world, "things");
      assert.equal(lag, 0);
      const rows = await sql`SELECT id || ',' || name AS row FROM things ORDER BY id`;
      assert.deepEqual(rows.map(({ row }) => row), written);
      const [{ sum }] = await sql`SELECT sum(next_offset)::int FROM kafka.load_offset`;
      assert.equal(sum, written.length);
    },
  });
}
