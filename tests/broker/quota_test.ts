/** Quotas of a real broker: it throttles for longer than our --timeout, and nothing fails of that. */
import assert from "node:assert/strict";
import { type Broker, startBroker } from "../../scripts/servers/broker.ts";
import { consumer, producer, text } from "../support/cli.ts";
import { alterConfigs, createTopic, topicOffsets, uniqueName } from "../support/kafka.ts";

/** Sets quotas for every client with this client.id. */
async function limit(broker: Broker, clientId: string, quotas: string): Promise<void> {
  const entity = ["--entity-type", "clients", "--entity-name", clientId];
  await alterConfigs(broker, [...entity, "--add-config", quotas]);
}

Deno.test("quotas: producer and consumer are throttled for longer than --timeout", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("quota");
  const clientId = uniqueName("limited");
  await createTopic(broker, topic);
  await limit(broker, clientId, "producer_byte_rate=120000,consumer_byte_rate=200000");
  const rows = Array.from({ length: 2600 }, (_, i) => `${i},${"x".repeat(1000)}`).join("\n") + "\n";
  const common = ["-b", broker.bootstrap, "-t", topic, "--timeout", "2s", "-v"];
  common.push("-X", `client.id=${clientId}`);
  const longest = (stderr: string) =>
    Math.max(
      ...[...stderr.matchAll(/nothing is sent to it for (\d+) ms/g)].map(([, ms]) => Number(ms)),
    );

  const written = await producer(common, { stdin: rows });
  assert.equal(written.code, 0, written.stderr);
  assert.ok(longest(written.stderr) > 2000, written.stderr);
  assert.deepEqual(await topicOffsets(broker, topic), [{ partition: 0, low: 0n, high: 2600n }]);

  const read = await consumer([...common, "-o", "earliest", "--commit", "no"]);
  assert.equal(read.code, 0, read.stderr);
  assert.ok(longest(read.stderr) > 2000, read.stderr);
  assert.equal(text(read.stdout), rows);
});
