import assert from "node:assert/strict";
import { startBroker } from "../../../scripts/servers/broker.ts";
import { Cluster } from "../../../lib/kafka/cluster.ts";
import {
  identityChange,
  identityOf,
  identityText,
  sharedEnds,
} from "../../../lib/kafka/log_identity.ts";
import { commitOffsets, lookUpPositions, storedPositions } from "../../../lib/kafka/offsets.ts";
import { findCoordinator } from "../../../lib/protocol/messages/find_coordinator.ts";
import { LATEST, listOffsets } from "../../../lib/protocol/messages/list_offsets.ts";
import { offsetCommit } from "../../../lib/protocol/messages/offset_commit.ts";
import { offsetFetch } from "../../../lib/protocol/messages/offset_fetch.ts";
import { offsetForLeaderEpoch } from "../../../lib/protocol/messages/offset_for_leader_epoch.ts";
import { createTopic, deleteTopic, produce, uniqueName } from "../../support/kafka.ts";

const none = { permissions: "none" } as const;
const identity = (clusterId: string | null, topicId: string | null) => ({ clusterId, topicId });

Deno.test("another topic id or cluster id is a change; an unknown one is not", none, () => {
  assert.equal(identityChange(identity("c", "t"), identity("c", "t")), null);
  assert.equal(identityChange(identity(null, null), identity("c", "t")), null);
  assert.equal(identityChange(identity("c", "t"), identity("c", null)), null);
  assert.match(
    identityChange(identity("c", "t"), identity("c", "u"))!,
    /recreated.*id t.*id is u$/,
  );
  assert.match(identityChange(identity("c", "t"), identity("d", "u"))!, /cluster c.*cluster d$/);
});

Deno.test("an identity is the same after it was text; other texts say nothing", none, () => {
  for (const given of [identity("c-1", "t_2"), identity(null, "t"), identity(null, null)]) {
    assert.deepEqual(identityOf(identityText(given)), given);
  }
  for (const text of [null, "", "cluster=c topic=t", "by hand", "gpdb-kafka2 topic=t"]) {
    assert.deepEqual(identityOf(text), identity(null, null));
  }
});

Deno.test("a recreated topic has another id; offsets keep their epoch and identity", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("identity");
  await createTopic(broker, topic);
  await produce(broker, topic, [{ value: "a" }, { value: "b" }]);
  const config = {
    brokers: broker.bootstrap.split(","),
    clientId: "test",
    timeout: 10_000,
    debug: () => {},
    tls: null,
    sasl: null,
  };
  const cluster = new Cluster(config, [
    ...[listOffsets, findCoordinator, offsetFetch, offsetCommit, offsetForLeaderEpoch],
  ]);
  try {
    const { topicId } = await cluster.topic(topic);
    assert.ok(topicId !== null && cluster.clusterId !== null);
    assert.equal(cluster.leaderEpoch(topic, 0), 0);
    const [latest] = await lookUpPositions(cluster, "read_committed", [
      { topic, partition: 0, timestamp: LATEST },
    ]);
    assert.deepEqual(latest, { offset: 2, leaderEpoch: 0 });

    const at = (leaderEpoch: number) => ({ topic, partition: 0, offset: 2, leaderEpoch });
    assert.deepEqual(await sharedEnds(cluster, [at(0)]), [2]);
    assert.deepEqual(await sharedEnds(cluster, [at(-1)]), [Infinity]);
    assert.deepEqual(await sharedEnds(cluster, [at(5)]), [0]);

    const group = uniqueName("group");
    const metadata = identityText({ clusterId: cluster.clusterId, topicId });
    await commitOffsets(cluster, group, [{ ...at(0), metadata }]);
    assert.deepEqual(await storedPositions(cluster, group, [at(0), { topic, partition: 1 }]), [
      { offset: 2, leaderEpoch: 0, metadata },
      { offset: -1, leaderEpoch: -1, metadata: "" },
    ]);

    await deleteTopic(broker, topic);
    await createTopic(broker, topic);
    const again = await cluster.topic(topic);
    assert.ok(again.topicId !== null && again.topicId !== topicId);
  } finally {
    cluster.close();
  }
});
