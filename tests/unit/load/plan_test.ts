/** What a planner prints, and to whom: from brokers that do what a real one does rarely. */
import assert from "node:assert/strict";
import { consumer, gpdbKafka, text } from "../../support/cli.ts";
import { type Hooks, scriptedBroker } from "../../support/scripted_broker/mod.ts";
import { logHash, planTopic } from "../../../lib/load/plan_topic.ts";

const topic = "t";
const asked = { topic, isolation: "read_committed", at: null, log: null } as const;

/** What one plan answers, and what was said meanwhile. */
async function plan(
  kafka: Awaited<ReturnType<typeof scriptedBroker>>,
  options: Partial<Parameters<typeof planTopic>[0]> = {},
) {
  const warnings: string[] = [];
  const all = { ...asked, offsets: [], group: null, ...options };
  const found = await planTopic(
    all,
    kafka.config({ timeout: 3000 }),
    (line) => warnings.push(line),
  );
  return { ...found, warnings };
}

Deno.test("plan: a start that moves past the end between two questions is the end", async () => {
  const on: Hooks = {
    listOffsets(call) {
      // Retention removed everything after the end was told.
      for (const { partitions } of call.reply.topics) {
        for (const found of partitions) {
          const { timestamp } = call.request.topics[0].partitions[0];
          if (timestamp === -2) found.offset = 7;
          if (timestamp > 0) found.offset = 1;
        }
      }
    },
  };
  await using kafka = await scriptedBroker({ topics: { t: 1 }, on });
  kafka.log(topic).append(["a", "b", "c"]);
  const { partitions: [found] } = await plan(kafka, { at: 1000 });
  assert.deepEqual([found.earliest, found.end, found.at], [7, 7, 7]);
});

Deno.test("plan: the end of the log that was read so far is asked for, if it has another leader now", async () => {
  await using kafka = await scriptedBroker({ topics: { t: 4 } });
  for (let p = 0; p < 4; p++) kafka.log(topic, p).append(["a", "b", "c"], { leaderEpoch: 2 });
  // Partition 1 was cut to one record by the leader of epoch 5; 3 was never told of.
  Object.assign(kafka.log(topic, 0), { leaderEpoch: 2 });
  kafka.log(topic, 1).batches.splice(0);
  kafka.log(topic, 1).end = 0;
  kafka.log(topic, 1).append(["a"], { leaderEpoch: 2 }).append(["x", "y", "z"], { leaderEpoch: 5 });
  kafka.log(topic, 2).append(["d"], { leaderEpoch: 5 });
  for (const p of [1, 2, 3]) kafka.log(topic, p).leaderEpoch = 5;
  const stand = [0, 1, 2].map((partition) => ({ partition, offset: 3, leaderEpoch: 2 }));
  const { identity, partitions } = await plan(kafka, { offsets: stand });
  assert.deepEqual(partitions.map(({ leaderEpoch, epochEnd }) => [leaderEpoch, epochEnd]), [
    [2, null],
    [5, 1],
    [5, 3],
    [5, null],
  ]);
  assert.equal(identity.clusterId, kafka.clusterId);
  const wanted = kafka.requestsOf("offsetForLeaderEpoch").flatMap(({ request }) =>
    request.topics[0].partitions.map(({ partition }: { partition: number }) => partition)
  );
  assert.deepEqual(wanted, [1, 2]);
});

Deno.test("plan: the group's offsets name the log that they are of, and no other", async () => {
  await using kafka = await scriptedBroker({ topics: { t: 1 } });
  kafka.log(topic).append(["a", "b"]);
  const offsets = [{ partition: 0, offset: 2, leaderEpoch: 0 }];
  const { identity } = await plan(kafka);
  const other = logHash({ ...identity, topicId: "another" });
  await plan(kafka, { offsets, group: "g", log: other });
  await plan(kafka, { offsets, group: null, log: logHash(identity) });
  assert.equal(kafka.group("g").size, 0);
  // The database may know less: it was filled before the brokers had topic ids.
  for (const known of [identity, { ...identity, topicId: null }]) {
    const group = `g${known.topicId}`;
    await plan(kafka, { offsets, group, log: logHash(known) });
    assert.equal(kafka.group(group).get("t/0")?.offset, 2);
  }
});

Deno.test("plan: if the topic is not available, the first line is the reason, and the copy in Kafka reports nothing", async () => {
  await using kafka = await scriptedBroker({
    topics: { t: 1 },
    on: { listOffsets: (call) => call.fail(29), findCoordinator: (call) => call.fail(15) },
  });
  const connection = ["--brokers", kafka.bootstrap, "--topic", topic, "--timeout", "2s"];
  const run = await consumer([
    "plan",
    ...connection,
    "--group",
    "g",
    "--stand",
    "0:0:0",
    "--mirror",
  ]);
  assert.notEqual(run.code, 0);
  assert.match(
    run.stderr,
    /^gpdb-kafka plan: cannot list the offsets of topic "t" partition 0: TOPIC_AUTHORIZATION_FAILED/,
  );
  assert.equal(run.stderr.trim().split("\n").length, 1, run.stderr);
  // With a plan it is a warning, and the plan is there.
  kafka.on = { findCoordinator: (call) => call.fail(30) };
  const mirrored = await consumer([
    ...["plan", ...connection, "--group", "g", "--stand", "0:0:0", "--mirror"],
  ]);
  assert.equal(mirrored.code, 0);
  assert.match(mirrored.stderr, /cannot commit the offsets of the database for group "g": cannot/);
});

Deno.test("plan: five columns as version 0.1 reads them, nine with --log-identity", async () => {
  await using kafka = await scriptedBroker({ topics: { t: 1 } });
  kafka.log(topic).append(["a", "b"]);
  const connection = ["plan", "--brokers", kafka.bootstrap, "--topic", topic];
  const old = await gpdbKafka([...connection, "--group", "g", "--commit-offsets", "0:1"]);
  assert.equal(text(old.stdout), "t,0,0,2,\n", old.stderr);
  assert.equal(kafka.group("g").get("t/0")?.offset, 1);
  kafka.clusterId = 'my, "own"';
  const run = await gpdbKafka([...connection, "--log-identity"]);
  assert.match(text(run.stdout), /^t,0,0,2,,"my, ""own""",[\w-]{22},0,\n$/);
  const wrong = await gpdbKafka([...connection, "--from-query", "--stand", "0:1"]);
  assert.deepEqual([wrong.code, wrong.stdout.length], [64, 0]);
  assert.match(wrong.stderr, /--stand and --from-query exclude each other/);
});
