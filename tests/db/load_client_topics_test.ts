/** Sources of several topics that gpdb-kafka reads itself. */
import assert from "node:assert/strict";
import { gpdbKafka, text } from "../support/cli.ts";
import { until } from "../support/group.ts";
import { createTopic, deleteTopic, produce, uniqueName } from "../support/kafka.ts";
import { dialect, ownServer, runScript } from "../support/load.ts";
import { clientSession } from "../support/load_client.ts";
import { startWorld, things } from "../support/load_world.ts";

Deno.test("client: topics of a pattern, named ones, new ones, and one that is deleted", async () => {
  await using world = await startWorld();
  const { broker, sql } = world;
  const front = `${uniqueName("client")}.`;
  const [a, b, c] = ["a", "b", "c"].map((name) => front + name);
  await createTopic(broker, a, { partitions: 2 });
  await createTopic(broker, b);
  await produce(broker, a, things("a0"), 1);
  await world.add({ via: "client", topic: null, topicPattern: `^${front}`, group: front });
  await using client = clientSession(world.dsn);
  assert.equal((await client.load("things")).rows, 1);
  await produce(broker, b, things("b0", "b1"));
  await createTopic(broker, c);
  await produce(broker, c, things("c0"));
  const second = await client.load("things", 1);
  assert.deepEqual(second.topics, [
    { topic: a, records: 0, lag: 0 },
    { topic: b, records: 1, lag: 1 },
    { topic: c, records: 1, lag: 0 },
  ]);
  assert.equal(second.reason, "max_records");
  assert.equal((await client.load("things")).rows, 1);
  assert.equal(await world.names(), "a0 b0 c0 b1");
  const history = await sql`SELECT ranges FROM kafka.load_history ORDER BY load_no`;
  assert.deepEqual(history.map(({ ranges }) => ranges.replaceAll(front, "")), [
    "a/1:0-1",
    "b/0:0-1,c/0:0-1",
    "b/0:1-2",
  ]);

  await deleteTopic(broker, b);
  await until("it is gone", 30_000, async () => {
    const said = await client.load("things").then(() => "", (error) => error.message);
    return said === `topic "${b}" of source "things" does not exist any more`;
  });
  const at = ["--dsn", world.dsn];
  const forgotten = await gpdbKafka(["seek", "things", `${b}:earliest`, ...at]);
  assert.equal(forgotten.code, 0, forgotten.stderr);
  assert.match(text(forgotten.stdout), new RegExp(`${b} +- +-`));
  const moved = await gpdbKafka(["seek", "things", `${c}:0:0`, ...at]);
  assert.match(text(moved.stdout), new RegExp(`${c} +0 +0`), moved.stderr);
  const lag = await gpdbKafka(["lag", "--source", "things", ...at, "--json"]);
  assert.equal(lag.code, 0, lag.stderr);
  const { partitions } = JSON.parse(text(lag.stdout));
  assert.deepEqual(
    partitions.map((
      { topic, partition, databaseLag }: Record<string, unknown>,
    ) => [topic, partition, databaseLag]),
    [[a, 0, 0], [a, 1, 0], [c, 0, 1]],
  );
  const doctor = await gpdbKafka(["doctor", "--source", "things", ...at]);
  assert.equal(doctor.code, 0, text(doctor.stdout));
  for (
    const line of [
      `offsets of ${c}: source "things" is 1 offsets`,
      `rows of ${a}: each of the last`,
    ]
  ) {
    assert.ok(text(doctor.stdout).includes(line), text(doctor.stdout));
  }
  await world.add({ via: "client", topic: null, topics: [a, c], group: front });
  await produce(broker, c, things("d"));
  assert.equal((await client.load("things")).rows, 2);
});

Deno.test({
  name:
    "client: a merge of several topics keeps the newest of each key, and names the topic of what fails",
  ignore: !ownServer || dialect === "greenplum",
  async fn() {
    await using world = await startWorld();
    const { broker, sql, dsn } = world;
    const front = `${uniqueName("merged")}.`;
    const [a, b] = ["a", "b"].map((name) => front + name);
    for (const topic of [a, b]) await createTopic(broker, topic);
    await sql`CREATE TABLE merged (id int PRIMARY KEY, name text, at timestamptz)`;
    const made = await gpdbKafka([
      ...["sql", "source", "merged", "--for", "postgres", "--dsn", dsn, "-b", broker.bootstrap],
      ...["--via", "client", "--topics", `${a},${b}`, "--columns", "at=timestamp"],
      ...["--fields", "id, name", "--merge", "id", "--merge-order", "at"],
    ]);
    assert.equal(made.code, 0, made.stderr);
    await runScript({ sql }, text(made.stdout));
    await produce(broker, a, [{ value: "1,newer", timestamp: 2000 }]);
    await produce(broker, b, [{ value: "1,older", timestamp: 1000 }]);
    await using client = clientSession(dsn);
    assert.equal((await client.load("merged")).rows, 1);
    assert.equal((await sql`SELECT name FROM merged`)[0].name, "newer");
    await produce(broker, a, [{ value: "2,x", timestamp: 3000 }]);
    await produce(broker, b, [{ value: "two,y", timestamp: 3000 }]);
    await assert.rejects(
      client.load("merged"),
      new RegExp(`topic "${b}" partition 0 offset 1: field "id": invalid input syntax`),
    );
  },
});
