/** A topic that is deleted and created again on a real broker, which deletes a group's offsets with it. */
import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { Cluster } from "../../lib/kafka/cluster.ts";
import { commitOffsets, storedPositions } from "../../lib/kafka/offsets.ts";
import { findCoordinator } from "../../lib/protocol/messages/find_coordinator.ts";
import { offsetCommit } from "../../lib/protocol/messages/offset_commit.ts";
import { offsetFetch } from "../../lib/protocol/messages/offset_fetch.ts";
import { consumer, text } from "../support/cli.ts";
import { until } from "../support/group.ts";
import { createTopic, deleteTopic, produce, topicOffsets, uniqueName } from "../support/kafka.ts";
import { clientConfig } from "../support/scripted_broker/peer.ts";

const values = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ({ value: `new ${from + i}` }));

Deno.test("a recreated topic is never read from the old one's offset, even if that is stored again", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("recreated");
  await createTopic(broker, topic);
  await produce(broker, topic, [{ value: "a" }, { value: "b" }, { value: "c" }]);
  const args = ["-b", broker.bootstrap, "-t", topic, "-g", topic];
  assert.equal(text((await consumer(args)).stdout), "a\nb\nc\n");
  const config = clientConfig({ brokers: broker.bootstrap.split(","), timeout: 30_000 });
  const cluster = new Cluster(config, [findCoordinator, offsetCommit, offsetFetch]);
  try {
    const item = { topic, partition: 0 };
    const [old] = await storedPositions(cluster, topic, [item]);
    assert.equal(old.offset, 3);
    await deleteTopic(broker, topic);
    await until(
      "it is gone",
      30_000,
      () => topicOffsets(broker, topic).then(() => false, () => true),
    );
    await createTopic(broker, topic);
    for (
      const [size, records] of [[2, values(0, 2)], [3, values(2, 3)], [5, values(3, 5)]] as const
    ) {
      await produce(broker, topic, [...records]);
      // As a run does that outlived the topic, or an export of offsets.
      await commitOffsets(cluster, topic, [{ ...item, ...old }]);
      const run = await consumer(args);
      assert.deepEqual([run.code, text(run.stdout)], [65, ""], run.stderr);
      assert.match(run.stderr, /offset 3 of topic "recreated-.*" partition 0 .*recreated/);
      const peek = await consumer([...args, "--on-lost", "earliest", "--commit", "no", "--stats"]);
      assert.equal(text(peek.stdout).split("\n").length - 1, size, peek.stderr);
      assert.match(peek.stderr, /recreated.*reading continues at offset 0/);
    }
  } finally {
    cluster.close();
  }
});
