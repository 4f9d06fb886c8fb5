/** Groups of the new consumer protocol (KIP-848), with Java's consumer as their member. */
import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import type { Broker } from "../../scripts/servers/broker.ts";
import { defaultVersion } from "../../scripts/servers/broker/own.ts";
import { consumer, text } from "../support/cli.ts";
import { Feed, Member, Seen, until } from "../support/group.ts";
import { consoleConsumer, createTopic, groupOffsets, uniqueName } from "../support/kafka.ts";

// The protocol came with Kafka 4.
const ignore = defaultVersion().startsWith("3.");

/** Java's console consumer as a member; it commits what it has printed. */
async function javaMember(broker: Broker, topic: string) {
  const properties = ["group.protocol=consumer", "auto.commit.interval.ms=100"]
    .flatMap((property) => ["--consumer-property", property]);
  const [command, ...args] = await consoleConsumer(broker, topic, [
    "--group",
    topic,
    ...properties,
  ]);
  const child = new Deno.Command(command, { args, stdout: "piped", stderr: "null" }).spawn();
  const status = child.status;
  let said = "";
  const reading = (async () => {
    for await (const chunk of child.stdout) said += text(chunk);
  })();
  return {
    get rows() {
      return said.split("\n").slice(0, -1);
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM"); // It leaves the group.
      await Promise.all([status, reading]);
    },
  };
}

Deno.test("a member of the new protocol keeps its group: whom it is of is said, with 69", {
  ignore,
}, async () => {
  await using broker = await startBroker();
  const topic = uniqueName("kip848");
  await createTopic(broker, topic, { partitions: 4 });
  const feed = new Feed(broker, topic, 4);
  await feed.write(1);
  {
    await using java = await javaMember(broker, topic);
    await until("Java's consumer has read", 60_000, () => java.rows.length === 4);
    const run = await consumer([
      "-b",
      broker.bootstrap,
      "-t",
      topic,
      "-g",
      topic,
      "--assign",
      "group",
    ]);
    assert.equal(run.code, 69, run.stderr);
    assert.match(
      run.stderr,
      /^kafka_consumer: cannot join group "kip848-.*": it uses the new consumer protocol \(KIP-848, group\.protocol=consumer\), which this program does not speak: client "console-consumer" at [\d.]+ \(id .+\) — use another group, or group\.protocol=classic there\n$/,
    );
    assert.equal(run.stdout.length, 0);
    // The group was not disturbed: its member still has all partitions.
    await feed.write(1);
    await until("Java's consumer has read more", 60_000, () => java.rows.length === 8);
    const committed = async () => [...(await groupOffsets(broker, topic, topic)).values()];
    await until("it has committed", 30_000, async () => `${await committed()}` === "2,2,2,2");
  }
  // Without members the group is anybody's, and its offsets are continued.
  await feed.write(1);
  const run = await consumer([
    "-b",
    broker.bootstrap,
    "-t",
    topic,
    "-g",
    topic,
    "--assign",
    "group",
  ]);
  assert.equal(run.code, 0, run.stderr);
  assert.deepEqual(text(run.stdout).split("\n").slice(0, -1).sort(), feed.rows.slice(8).sort());
});

Deno.test("a member of the new protocol that comes later ends ours with 69, and is named", {
  ignore,
}, async () => {
  await using broker = await startBroker();
  const topic = uniqueName("kip848-later");
  await createTopic(broker, topic, { partitions: 4 });
  const feed = new Feed(broker, topic, 4);
  const seen = new Seen();
  await feed.write(10);
  const member = new Member(broker, topic, seen, "--until", "forever");
  try {
    await until("our member has read", 60_000, () => seen.has(feed.rows));
    await using _java = await javaMember(broker, topic);
    await until("our member has ended", 60_000, () => member.ended);
    assert.equal((await member.status).code, 69, member.said);
    assert.match(member.said, /kafka_consumer: cannot join group ".*": it uses the new consumer/);
    assert.match(member.said, /client "console-consumer" at /);
  } finally {
    if (!member.ended) await member.kill("SIGKILL");
  }
});
