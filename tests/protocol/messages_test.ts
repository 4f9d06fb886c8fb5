import assert from "node:assert/strict";
import { apiVersions } from "../../lib/protocol/messages/api_versions.ts";
import { findCoordinator } from "../../lib/protocol/messages/find_coordinator.ts";
import { initProducerId } from "../../lib/protocol/messages/init_producer_id.ts";
import { listOffsets } from "../../lib/protocol/messages/list_offsets.ts";
import { metadata } from "../../lib/protocol/messages/metadata.ts";
import { offsetCommit } from "../../lib/protocol/messages/offset_commit.ts";
import { offsetFetch } from "../../lib/protocol/messages/offset_fetch.ts";
import { produce } from "../../lib/protocol/messages/produce.ts";
import { saslAuthenticate, saslHandshake } from "../../lib/protocol/messages/sasl.ts";
import { apiOf, captured, cases, decodeWhole, frame } from "../golden/frames.ts";

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
    replicas: [1],
    inSyncReplicas: [1],
  });
  for (const { partitions } of topics) partitions.sort(byPartition);
  assert.deepEqual(topics, [
    {
      errorCode: 0,
      topic: "golden-plain",
      isInternal: false,
      partitions: [partition(0), partition(1), partition(2)],
    },
    { errorCode: 0, topic: "golden-tx", isInternal: false, partitions: [partition(0)] },
    { errorCode: 3, topic: "golden-unknown", isInternal: false, partitions: [] },
  ]);
});

Deno.test("ListOffsets: latest, earliest, by time, none as late, unknown partition", none, () => {
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
});

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
  const fetched = (offsets: number[]) => ({
    topics: [{
      topic: "golden-plain",
      partitions: offsets.map((offset, partition) => ({ partition, offset, errorCode: 0 })),
    }],
    errorCode: 0,
  });
  const stored = decodeWhole(offsetFetch, frame("offset_fetch"));
  stored.topics[0].partitions.sort(byPartition);
  assert.deepEqual(stored, fetched([5_000_000_000, 1, -1]));
  const nothing = decodeWhole(offsetFetch, frame("offset_fetch_none"));
  nothing.topics[0].partitions.sort(byPartition);
  assert.deepEqual(nothing, fetched([-1, -1, -1]));
});

Deno.test("OffsetCommit: taken, and refused while the group has a live member", none, () => {
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
  assert.deepEqual(given, { throttle: 0, errorCode: 0, producerId: 0, producerEpoch: 0 });
  const loading = decodeWhole(initProducerId, frame("init_producer_id_loading"));
  assert.deepEqual(loading, {
    throttle: 0,
    errorCode: 14,
    producerId: -1,
    producerEpoch: -1,
  });
});

Deno.test("Produce: taken, again behind the first, unknown topic, corrupt batch", none, () => {
  const produced = (baseOffset: number, errorCode = 0, topic = "golden-produced") => ({
    throttle: 0,
    partitions: [{ topic, partition: 0, errorCode, baseOffset }],
  });
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
  });
  assert.deepEqual(decodeWhole(saslAuthenticate, frame("sasl_authenticate_failed")), {
    errorCode: 58,
    errorMessage: "Authentication failed: Invalid username or password",
    authBytes: new Uint8Array(),
  });
});
