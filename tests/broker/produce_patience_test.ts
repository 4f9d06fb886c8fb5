/** What a producer must wait out: a quota, a broker that forgets it, and its own pauses. */
import assert from "node:assert/strict";
import { type Broker, startBroker } from "../../scripts/servers/broker.ts";
import { producer } from "../support/cli.ts";
import { alterConfigs, createTopic, topicOffsets, uniqueName } from "../support/kafka.ts";

/** A broker that forgets an idle producer almost at once. */
const forgetful = {
  "producer.id.expiration.ms": "300",
  "producer.id.expiration.check.interval.ms": "100",
};

/** Bytes a second that the broker accepts from our producer. */
async function limit(broker: Broker, rate: number): Promise<void> {
  await alterConfigs(broker, [
    ...["--entity-type", "clients", "--entity-name", "gpdb-kafka"],
    ...["--add-config", `producer_byte_rate=${rate}`],
  ]);
}

function rows(count: number): string {
  return Array.from({ length: count }, (_, i) => `${String(i).padEnd(99, ".")}\n`).join("");
}

async function stored(broker: Broker, topic: string): Promise<number> {
  return (await topicOffsets(broker, topic)).reduce((sum, { high }) => sum + Number(high), 0);
}

Deno.test("patience: a quota slower than --timeout delays rows, and none comes twice", async () => {
  await using broker = await startBroker({
    own: true,
    properties: { ...forgetful, "quota.window.num": "2" },
  });
  const topic = uniqueName("quota");
  await createTopic(broker, topic);
  await limit(broker, 150_000);
  const run = await producer(
    ["-b", broker.bootstrap, "-t", topic, "--timeout", "4s"],
    { stdin: rows(20_000) },
  );
  assert.equal(run.code, 0, run.stderr);
  assert.match(run.stderr, /^20000 rows, \d+ bytes delivered/);
  assert.equal(await stored(broker, topic), 20_000);
  assert.ok(run.ms > 5_000, `${run.ms} ms: there was no quota`);
});

Deno.test("patience: a producer that was idle for longer than its broker remembers it continues", async () => {
  await using broker = await startBroker({ own: true, properties: forgetful });
  const topic = uniqueName("idle");
  await createTopic(broker, topic, { partitions: 2 });
  const pace = ["--batch-rows", "50000", "--pause", "1500ms"];
  const run = await producer(
    ["-b", broker.bootstrap, "-t", topic, ...pace],
    { stdin: rows(150_000) },
  );
  assert.equal(run.code, 0, run.stderr);
  assert.equal(await stored(broker, topic), 150_000);
});
