import assert from "node:assert/strict";
import { apiVersions } from "../../../lib/protocol/messages/api_versions.ts";
import { consumerGroupDescribe } from "../../../lib/protocol/messages/consumer_group_describe.ts";
import { createTopics } from "../../../lib/protocol/messages/create_topics.ts";
import { describeConfigs } from "../../../lib/protocol/messages/describe_configs.ts";
import { findCoordinator } from "../../../lib/protocol/messages/find_coordinator.ts";
import { initProducerId } from "../../../lib/protocol/messages/init_producer_id.ts";
import { listOffsets } from "../../../lib/protocol/messages/list_offsets.ts";
import { metadata, metadataWithIds } from "../../../lib/protocol/messages/metadata.ts";
import { offsetCommit } from "../../../lib/protocol/messages/offset_commit.ts";
import { offsetFetch } from "../../../lib/protocol/messages/offset_fetch.ts";
import { offsetForLeaderEpoch } from "../../../lib/protocol/messages/offset_for_leader_epoch.ts";
import { produce } from "../../../lib/protocol/messages/produce.ts";
import {
  saslAuthenticate,
  saslHandshake,
  saslSession,
} from "../../../lib/protocol/messages/sasl.ts";
import { Reader } from "../../../lib/protocol/reader.ts";
import { apiOf, captured, cases, decodeWhole, frame } from "../../golden/frames.ts";

const none = { permissions: "none" } as const;
const byPartition = (a: { partition: number }, b: { partition: number }) =>
  a.partition - b.partition;

Deno.test("ApiVersions: what Kafka 4.1.1 accepts", none, () => {
  const { errorCode, apis } = decodeWhole(apiVersions, frame("api_versions"));
  assert.equal(errorCode, 0);
  assert.equal(apis.length, 73);
  assert.deepEqual(apis.slice(0, 3), [
    { key: 0, min: 0, max: 13 },
    { key: 1, min: 4, max: 18 },
    { key: 2, min: 1, max: 10 },
  ]);
  assert.deepEqual(apis.at(-1), { key: 92, min: 0, max: 0 });
});

Deno.test("every API's pinned version is one that Kafka 4.1.1 accepts", none, () => {
  const { apis } = decodeWhole(apiVersions, frame("api_versions"));
  for (const name of cases) {
    const { key, version } = apiOf(name);
    const range = apis.find((api) => api.key === key);
    assert.ok(range && range.min <= version && version <= range.max, name);
  }
});

Deno.test("Metadata: brokers, partitions with leader and replicas, an unknown topic", none, () => {
  const { topics, ...cluster } = decodeWhole(metadata, frame("metadata"));
  assert.deepEqual(cluster, {
    brokers: [{ id: 1, host: "127.0.0.1", port: captured.port }],
    clusterId: captured.clusterId,
    controllerId: 1,
  });
  const partition = (partition: number) => ({
    errorCode: 0,
    partition,
    leader: 1,
    leaderEpoch: 0,
    replicas: [1],
    inSyncReplicas: [1],
  });
  for (const { partitions } of topics) partitions.sort(byPartition);
  assert.deepEqual(topics, [
    {
      errorCode: 0,
      topic: "golden-plain",
      topicId: null,
      isInternal: false,
      partitions: [partition(0), partition(1), partition(2)],
    },
    {
      errorCode: 0,
      topic: "golden-tx",
      topicId: null,
      isInternal: false,
      partitions: [partition(0)],
    },
    {
      errorCode: 3,
      topic: "golden-unknown",
      topicId: null,
      isInternal: false,
      partitions: [],
    },
  ]);
});

Deno.test("Metadata 10: the same with topic ids, as Kafka's own tool prints them", none, () => {
  const { topics, ...cluster } = decodeWhole(metadata, frame("metadata"));
  const { topics: withIds, ...sameCluster } = decodeWhole(metadataWithIds, frame("metadata_ids"));
  assert.deepEqual(sameCluster, cluster);
  const byName = (all: typeof topics) => all.toSorted((a, b) => a.topic < b.topic ? -1 : 1);
  for (const { partitions } of [...topics, ...withIds]) partitions.sort(byPartition);
  const [plain, tx, unknown] = byName(withIds);
  assert.equal(plain.topicId, captured.topicId);
  assert.match(tx.topicId!, /^[A-Za-z0-9_-]{22}$/);
  assert.notEqual(tx.topicId, plain.topicId);
  assert.equal(unknown.topicId, null);
  assert.deepEqual([plain, tx, unknown].map((t) => ({ ...t, topicId: null })), byName(topics));
});

Deno.test(
  "OffsetForLeaderEpoch: an epoch's end, one later than the log, no such partition",
  none,
  () => {
    const ends = (name: Parameters<typeof frame>[0]) => {
      const { topics } = decodeWhole(offsetForLeaderEpoch, frame(name));
      for (const { partitions } of topics) partitions.sort(byPartition);
      return topics;
    };
    const end = (partition: number, leaderEpoch: number, endOffset: number, errorCode = 0) => ({
      partition,
      errorCode,
      leaderEpoch,
      endOffset,
    });
    assert.deepEqual(ends("offset_for_leader_epoch"), [
      { topic: "golden-plain", partitions: [end(0, 0, 7), end(1, 0, 1), end(2, 0, 0)] },
    ]);
    assert.deepEqual(ends("offset_for_leader_epoch_later"), [
      { topic: "golden-plain", partitions: [end(0, -1, -1), end(1, -1, -1), end(2, -1, -1)] },
    ]);
    assert.deepEqual(ends("offset_for_leader_epoch_unknown"), [
      { topic: "golden-plain", partitions: [end(9, -1, -1, 3)] },
    ]);
  },
);

Deno.test(
  "ListOffsets: latest, earliest, by time, none at or after it, unknown partition",
  none,
  () => {
    const listed = (name: Parameters<typeof frame>[0]) => {
      const { topics } = decodeWhole(listOffsets, frame(name));
      for (const { partitions } of topics) partitions.sort(byPartition);
      return topics;
    };
    const at = (partition: number, offset: number, timestamp = -1, errorCode = 0) => ({
      partition,
      errorCode,
      timestamp,
      offset,
      leaderEpoch: offset === -1 ? -1 : 0,
    });
    assert.deepEqual(listed("list_offsets_latest"), [
      { topic: "golden-plain", partitions: [at(0, 7), at(1, 1), at(2, 0)] },
    ]);
    assert.deepEqual(listed("list_offsets_earliest"), [
      { topic: "golden-deleted", partitions: [at(0, 2)] },
    ]);
    assert.deepEqual(listed("list_offsets_time"), [
      { topic: "golden-plain", partitions: [at(0, 2, 1_704_067_200_002), at(1, -1)] },
    ]);
    assert.deepEqual(listed("list_offsets_unknown"), [
      { topic: "golden-plain", partitions: [at(9, -1, -1, 3)] },
    ]);
  },
);

Deno.test("FindCoordinator: found, and not there yet", none, () => {
  assert.deepEqual(decodeWhole(findCoordinator, frame("find_coordinator")), {
    errorCode: 0,
    errorMessage: "NONE",
    id: 1,
    host: "127.0.0.1",
    port: captured.port,
  });
  assert.deepEqual(decodeWhole(findCoordinator, frame("find_coordinator_missing")), {
    errorCode: 15,
    errorMessage: "The coordinator is not available.",
    id: -1,
    host: "",
    port: -1,
  });
});

Deno.test("OffsetFetch: stored offsets, above 2^32 too; -1 where none is stored", none, () => {
  const fetched = (offsets: number[], leaderEpoch = -1, metadata = "") => ({
    topics: [{
      topic: "golden-plain",
      partitions: offsets.map((offset, partition) => ({
        partition,
        offset,
        leaderEpoch: partition === 0 ? leaderEpoch : -1,
        metadata: partition === 0 ? metadata : "",
        errorCode: 0,
      })),
    }],
    errorCode: 0,
  });
  const stored = decodeWhole(offsetFetch, frame("offset_fetch"));
  stored.topics[0].partitions.sort(byPartition);
  assert.deepEqual(stored, fetched([5_000_000_000, 1, -1], 4, "from here"));
  const nothing = decodeWhole(offsetFetch, frame("offset_fetch_none"));
  nothing.topics[0].partitions.sort(byPartition);
  assert.deepEqual(nothing, fetched([-1, -1, -1]));
});

Deno.test("OffsetCommit: accepted, and rejected while the group has a live member", none, () => {
  const committed = (errorCode: number) => ({
    topics: [{
      topic: "golden-plain",
      partitions: [{ partition: 0, errorCode }, { partition: 1, errorCode }],
    }],
  });
  assert.deepEqual(decodeWhole(offsetCommit, frame("offset_commit")), committed(0));
  assert.deepEqual(decodeWhole(offsetCommit, frame("offset_commit_refused")), committed(25));
});

Deno.test("InitProducerId: given, and not yet", none, () => {
  const given = decodeWhole(initProducerId, frame("init_producer_id"));
  assert.deepEqual(given, { errorCode: 0, producerId: 0, producerEpoch: 0 });
  const loading = decodeWhole(initProducerId, frame("init_producer_id_loading"));
  assert.deepEqual(loading, {
    errorCode: 14,
    producerId: -1,
    producerEpoch: -1,
  });
});

Deno.test("DescribeConfigs: a value, and a broker that was asked for another one's", none, () => {
  assert.deepEqual(decodeWhole(describeConfigs, frame("describe_configs")), {
    errorCode: 0,
    values: new Map([["producer.id.expiration.ms", "86400000"]]),
  });
  assert.deepEqual(decodeWhole(describeConfigs, frame("describe_configs_elsewhere")), {
    errorCode: 42,
    values: new Map(),
  });
});

Deno.test("Produce: accepted, again after the first, unknown topic, corrupt batch", none, () => {
  const produced = (baseOffset: number, errorCode = 0, topic = "golden-produced") => [
    { topic, partition: 0, errorCode, baseOffset },
  ];
  assert.deepEqual(decodeWhole(produce, frame("produce")), produced(0));
  assert.deepEqual(decodeWhole(produce, frame("produce_again")), produced(4));
  assert.deepEqual(
    decodeWhole(produce, frame("produce_unknown")),
    produced(-1, 3, "golden-unknown"),
  );
  assert.deepEqual(decodeWhole(produce, frame("produce_corrupt")), produced(-1, 2));
});

Deno.test("SaslHandshake: accepted, unsupported mechanism, not a SASL listener", none, () => {
  const mechanisms = ["PLAIN", "SCRAM-SHA-256"];
  const shaken = (name: Parameters<typeof frame>[0]) => decodeWhole(saslHandshake, frame(name));
  assert.deepEqual(shaken("sasl_handshake"), { errorCode: 0, mechanisms });
  assert.deepEqual(shaken("sasl_handshake_unsupported"), { errorCode: 33, mechanisms });
  assert.deepEqual(shaken("sasl_handshake_illegal"), { errorCode: 34, mechanisms: [] });
});

Deno.test("SaslAuthenticate: accepted, and a wrong password", none, () => {
  assert.deepEqual(decodeWhole(saslAuthenticate, frame("sasl_authenticate")), {
    errorCode: 0,
    errorMessage: "",
    authBytes: new Uint8Array(),
    sessionLifetime: 0,
  });
  assert.deepEqual(decodeWhole(saslAuthenticate, frame("sasl_authenticate_failed")), {
    errorCode: 58,
    errorMessage: "Authentication failed: Invalid username or password",
    authBytes: new Uint8Array(),
    sessionLifetime: 0,
  });
});

Deno.test("SaslAuthenticate: a session of an hour", none, () => {
  assert.deepEqual(decodeWhole(saslSession, frame("sasl_session")), {
    errorCode: 0,
    errorMessage: "",
    authBytes: new Uint8Array(),
    sessionLifetime: 3_600_000,
  });
});

Deno.test("CreateTopics: created, exists, and why a name is rejected", none, () => {
  assert.deepEqual(decodeWhole(createTopics, frame("create_topics")), [
    { topic: "golden_new", errorCode: 0, errorMessage: null },
  ]);
  assert.deepEqual(decodeWhole(createTopics, frame("create_topics_exists")), [
    { topic: "golden-plain", errorCode: 36, errorMessage: "Topic 'golden-plain' already exists." },
  ]);
  const [{ errorCode, errorMessage }] = decodeWhole(createTopics, frame("create_topics_collides"));
  assert.equal(errorCode, 17);
  assert.match(errorMessage!, /collides with existing topic: golden_new/);
});

Deno.test("every answer that has a throttle time reports it to its reader", none, () => {
  const without = /^(api_versions|sasl_)/;
  for (const name of cases.filter((name) => !without.test(name))) {
    const bytes = frame(name);
    const at = name.startsWith("produce") ? bytes.length - 4 : 0;
    new DataView(bytes.buffer).setInt32(at, 12_345);
    const reader = new Reader(bytes);
    apiOf(name).decode(reader);
    assert.equal(reader.throttled, 12_345, name);
  }
});

Deno.test(
  "ConsumerGroupDescribe: the members of a group of the new protocol; others are not found",
  none,
  () => {
    const decode = (name: "" | "_missing" | "_classic") =>
      decodeWhole(consumerGroupDescribe, frame(`consumer_group_describe${name}`)).groups;
    const [{ members, ...found }] = decode("");
    assert.deepEqual(found, { errorCode: 0, group: "golden-new", state: "Stable" });
    const [{ id, ...member }] = members;
    assert.match(id, /^[\w-]{22}$/);
    assert.deepEqual(member, { client: "console-consumer", host: "127.0.0.1", type: 1 });
    assert.equal(members.length, 1);
    const none = { errorCode: 69, state: "", members: [] };
    assert.deepEqual(decode("_missing"), [{ ...none, group: "none" }]);
    assert.deepEqual(decode("_classic"), [{ ...none, group: "golden-classic" }]);
  },
);
