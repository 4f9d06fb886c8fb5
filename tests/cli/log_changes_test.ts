/** lag, offsets and doctor, if the log is not the one that a group's offsets are of. */
import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { Cluster } from "../../lib/kafka/cluster.ts";
import { identityText } from "../../lib/kafka/log_identity.ts";
import { commitOffsets } from "../../lib/kafka/offsets.ts";
import { findCoordinator } from "../../lib/protocol/messages/find_coordinator.ts";
import { offsetCommit } from "../../lib/protocol/messages/offset_commit.ts";
import { gpdbKafka, text } from "../support/cli.ts";
import { createTopic, deleteTopic, produce, uniqueName } from "../support/kafka.ts";
import { scriptedBroker } from "../support/scripted_broker/mod.ts";

/** Lines of a table, by topic and partition. */
async function lines(args: string[]): Promise<string[]> {
  const run = await gpdbKafka(args);
  assert.deepEqual([run.code, run.stderr], [0, ""]);
  return text(run.stdout).split("\n");
}

const values = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);

Deno.test("lag, offsets: a topic recreated past, at and below what a group has read is reported", async () => {
  await using broker = await startBroker();
  const config = {
    ...{ brokers: broker.bootstrap.split(","), clientId: "test", timeout: 10_000 },
    ...{ debug: () => {}, tls: null, sasl: null },
  };
  const cluster = new Cluster(config, [findCoordinator, offsetCommit]);
  try {
    const topic = uniqueName("recreated");
    const group = uniqueName("group");
    await createTopic(broker, topic);
    const { topicId } = await cluster.topic(topic);
    const metadata = identityText({ clusterId: cluster.clusterId, topicId });
    const args = ["-b", broker.bootstrap, "-g", group];
    for (const count of [9, 5, 2]) {
      await deleteTopic(broker, topic);
      await createTopic(broker, topic);
      await produce(broker, topic, values(count).map((value) => ({ value })));
      // The broker forgets a group's offsets with the topic; a reader that still runs commits again.
      await commitOffsets(cluster, group, [{ topic, partition: 0, offset: 5, metadata }]);
      const note = `the topic was recreated: the offsets are of topic id ${topicId}, .*`;
      const [, lag] = await lines(["lag", ...args]);
      assert.match(lag, new RegExp(` 0 +5 +${count} +${count}  ${note}$`));
      const [, , , shown] = await lines(["offsets", "show", ...args]);
      assert.match(shown, new RegExp(` 0 +5 +0 +${count} +${count}  ${note}$`));
      const run = await gpdbKafka(["doctor", ...args, "-t", topic]);
      assert.equal(run.code, 1, run.stderr);
      assert.match(
        text(run.stdout),
        new RegExp(`^fail  offsets: group "${group}", partition 0: ${note} — .*reset`, "m"),
      );
    }
    // A reset is how the group accepts the log there is.
    const reset = ["offsets", "reset", ...args, "-t", topic, "--to", "1"];
    assert.equal((await gpdbKafka(reset)).code, 0);
    const [, accepted] = await lines(["lag", ...args]);
    assert.match(accepted, / 0 +1 +2 +1$/);
  } finally {
    cluster.close();
  }
});

Deno.test("lag, offsets, doctor: a truncated log, another cluster and a partition that is gone are reported", async () => {
  await using kafka = await scriptedBroker({ topics: { t: 2 } });
  // Epoch 0 wrote 10 records; an unclean leader knew 6 of them, and wrote 14 more.
  const log = kafka.log("t", 0);
  log.append(values(6));
  log.leaderEpoch = 1;
  log.append(values(14));
  const group = kafka.group("g");
  const cluster = identityText({ clusterId: kafka.clusterId, topicId: null });
  group.set("t/0", { offset: 10, leaderEpoch: 0, metadata: cluster });
  const elsewhere = identityText({ clusterId: "elsewhere", topicId: null });
  group.set("t/1", { offset: 0, leaderEpoch: 0, metadata: elsewhere });
  group.set("t/7", { offset: 3, leaderEpoch: -1, metadata: "" });
  const args = ["-b", kafka.bootstrap, "-g", "g"];
  const other =
    `the offsets are of cluster elsewhere, the brokers are of cluster ${kafka.clusterId}`;
  const [, cut, moved, gone] = await lines(["lag", ...args]);
  assert.match(cut, / 0 +10 +20 +14 {2}the log was truncated at offset 6$/);
  assert.match(moved, new RegExp(` 1 +0 +0 +0  ${other}$`));
  assert.match(gone, / 7 +3 +0 +0 {2}past the end of the log: was the topic recreated\?$/);
});
