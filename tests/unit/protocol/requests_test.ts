/** Every request, byte for byte as kafkajs 2.2.4 sends it at the same version. */
import assert from "node:assert/strict";
import foreignMessage from "kafkajs/src/protocol/request.js";
import foreignApiVersions from "kafkajs/src/protocol/requests/apiVersions/v0/request.js";
import foreignCreateTopics from "kafkajs/src/protocol/requests/createTopics/v2/request.js";
import foreignDescribeConfigs from "kafkajs/src/protocol/requests/describeConfigs/v1/request.js";
import foreignFetch from "kafkajs/src/protocol/requests/fetch/v10/request.js";
import foreignOlderFetch from "kafkajs/src/protocol/requests/fetch/v6/request.js";
import foreignRackFetch from "kafkajs/src/protocol/requests/fetch/v11/request.js";
import foreignFindCoordinator from "kafkajs/src/protocol/requests/findCoordinator/v1/request.js";
import foreignInitProducerId from "kafkajs/src/protocol/requests/initProducerId/v1/request.js";
import foreignOlderMetadata from "kafkajs/src/protocol/requests/metadata/v5/request.js";
import foreignMetadata from "kafkajs/src/protocol/requests/metadata/v6/request.js";
import foreignOffsetFetch from "kafkajs/src/protocol/requests/offsetFetch/v4/request.js";
import foreignProduce from "kafkajs/src/protocol/requests/produce/v7/request.js";
import foreignAuthenticate from "kafkajs/src/protocol/requests/saslAuthenticate/v0/request.js";
import foreignSession from "kafkajs/src/protocol/requests/saslAuthenticate/v1/request.js";
import foreignHandshake from "kafkajs/src/protocol/requests/saslHandshake/v1/request.js";
import foreignPlain from "kafkajs/src/protocol/sasl/plain/request.js";
import type { Api } from "../../../lib/protocol/messages/api.ts";
import { apiVersions } from "../../../lib/protocol/messages/api_versions.ts";
import { consumerGroupDescribe } from "../../../lib/protocol/messages/consumer_group_describe.ts";
import { createTopics } from "../../../lib/protocol/messages/create_topics.ts";
import { describeConfigs } from "../../../lib/protocol/messages/describe_configs.ts";
import { fetch, fetchWithRack } from "../../../lib/protocol/messages/fetch.ts";
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
import { Writer } from "../../../lib/protocol/writer.ts";

interface Foreign {
  apiKey: number;
  apiVersion: number;
  encode(): Promise<{ buffer: Uint8Array }>;
}

/** The body, and that key and version are the same; `since` is kafkajs' version if that is older. */
async function same<Request>(
  api: Api<Request, unknown>,
  request: Request,
  foreign: Foreign,
  tail: Uint8Array = new Uint8Array(),
  since = api.version,
): Promise<void> {
  assert.deepEqual([api.key, since], [foreign.apiKey, foreign.apiVersion], api.name);
  const writer = new Writer();
  api.encode(writer, request);
  const theirs = new Uint8Array((await foreign.encode()).buffer);
  assert.deepEqual(new Uint8Array([...writer.finish(), ...tail]), theirs, api.name);
}

const none = { permissions: "none" } as const;

// kafkajs looks up its own environment variables when it is loaded.
const requests = (name: string, test: () => Promise<void>) =>
  Deno.test(`requests are kafkajs' bytes: ${name}`, { permissions: { env: true } }, test);

requests("ApiVersions, Metadata", async () => {
  await same(apiVersions, null, foreignApiVersions());
  const topics = ["a", "müll"];
  // Versions 6 and 7 differ in the response only.
  const foreign = foreignMetadata({ topics, allowAutoTopicCreation: false });
  await same(metadata, { topics }, foreign, undefined, 6);
  const older = foreignOlderMetadata({ topics, allowAutoTopicCreation: false });
  await same(metadata.older!, { topics }, older);
  // kafkajs asks for no topic where others ask for all: an empty array, not a null one.
  const all = new Writer();
  metadata.encode(all, { topics: null });
  assert.deepEqual([...all.finish()], [0xff, 0xff, 0xff, 0xff, 0]);
});

requests("CreateTopics", async () => {
  const configs = [{ name: "retention.ms", value: "-1" }, { name: "ä", value: "" }];
  const topics = [
    { topic: "t", partitions: 3, replication: 2, configs },
    { topic: "u", partitions: -1, replication: -1, configs: [] },
  ];
  const theirs = topics.map(({ topic, partitions, replication, configs }) => ({
    topic,
    numPartitions: partitions,
    replicationFactor: replication,
    configEntries: configs,
  }));
  await same(
    createTopics,
    { topics, timeout: 5000 },
    foreignCreateTopics({ topics: theirs, timeout: 5000, validateOnly: false }),
  );
});

requests("Fetch", async () => {
  const partitions = [{ partition: 0, offset: 2 ** 33 }, { partition: 7, offset: 0 }];
  const topics = [{ topic: "t", partitions }, { topic: "u", partitions: [partitions[1]] }];
  for (const isolation of ["read_uncommitted", "read_committed"] as const) {
    const request = {
      isolation,
      maxWait: 500,
      maxBytes: 1 << 23,
      partitionMaxBytes: 1 << 20,
      topics,
    };
    const theirs = {
      replicaId: -1,
      maxWaitTime: 500,
      minBytes: 1,
      maxBytes: 1 << 23,
      isolationLevel: isolation === "read_committed" ? 1 : 0,
      topics: topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition, offset }) => ({
          partition,
          fetchOffset: offset,
          maxBytes: 1 << 20,
        })),
      })),
    };
    await same(fetch, request, foreignFetch(theirs));
    await same(fetch.older!, request, foreignOlderFetch(theirs));
  }
});

requests("Fetch, with a rack and leader epochs", async () => {
  const partition = { partition: 3, offset: 2 ** 33 };
  await same(
    fetchWithRack,
    {
      isolation: "read_committed",
      maxWait: 500,
      maxBytes: 1 << 23,
      partitionMaxBytes: 1 << 20,
      rack: "Zürich-1",
      topics: [{ topic: "t", partitions: [{ ...partition, leaderEpoch: 7 }, partition] }],
    },
    foreignRackFetch({
      replicaId: -1,
      maxWaitTime: 500,
      minBytes: 1,
      maxBytes: 1 << 23,
      isolationLevel: 1,
      rackId: "Zürich-1",
      topics: [{
        topic: "t",
        partitions: [7, -1].map((currentLeaderEpoch) => ({
          ...{ partition: 3, currentLeaderEpoch, fetchOffset: 2 ** 33, maxBytes: 1 << 20 },
        })),
      }],
    }),
  );
});

/** Of versions that kafkajs does not have: the protocol's own grammar, byte by byte. */
function sameBytes<Request>(api: Api<Request, unknown>, request: Request, bytes: number[]) {
  const writer = new Writer();
  api.encode(writer, request);
  assert.deepEqual([...writer.finish()], bytes, api.name);
}

const int64 = (value: number) => [0, 0, 0, 0, 0, 0, value >> 8, value & 255];
const int32 = (value: number) => [0, 0, value >> 8, value & 255];
const minusOne = [0xff, 0xff, 0xff, 0xff];

Deno.test("requests are the protocol's bytes: Metadata 10", none, () => {
  const noId = new Array(16).fill(0);
  sameBytes(metadataWithIds, { topics: ["a", "bc"] }, [
    ...[3, ...noId, 2, 97, 0, ...noId, 3, 98, 99, 0],
    ...[0, 0, 0, 0],
  ]);
  sameBytes(metadataWithIds, { topics: null }, [0, 0, 0, 0, 0]);
  sameBytes(metadataWithIds, { topics: [] }, [1, 0, 0, 0, 0]);
  const long = "x".repeat(200); // its length + 1 takes two bytes: 201 = 0b1_1001001
  const name = [...long].map(() => 120);
  sameBytes(metadataWithIds, { topics: [long] }, [2, ...noId, 0xc9, 1, ...name, 0, 0, 0, 0, 0]);
});

Deno.test("requests are the protocol's bytes: ConsumerGroupDescribe 1", none, () => {
  sameBytes(consumerGroupDescribe, { group: "gh" }, [2, 3, 103, 104, 0, 0]);
});

Deno.test("requests are the protocol's bytes: OffsetForLeaderEpoch 2", none, () => {
  const partitions = [{ partition: 3, leaderEpoch: 258 }, { partition: 0, leaderEpoch: 0 }];
  sameBytes(offsetForLeaderEpoch, { topics: [{ topic: "t", partitions }] }, [
    ...[...int32(1), 0, 1, 116, ...int32(2)],
    ...[...int32(3), ...minusOne, ...int32(258), ...int32(0), ...minusOne, ...int32(0)],
  ]);
});

Deno.test("requests are the protocol's bytes: ListOffsets 4", none, () => {
  const topics = [{ topic: "t", partitions: [{ partition: 1, timestamp: 300 }] }];
  sameBytes(listOffsets, { isolation: "read_committed", topics }, [
    ...[...minusOne, 1, ...int32(1), 0, 1, 116, ...int32(1)],
    ...[...int32(1), ...minusOne, ...int64(300)],
  ]);
});

Deno.test("requests are the protocol's bytes: OffsetCommit 6", none, () => {
  const partitions = [
    { partition: 3, offset: 300, leaderEpoch: 7, metadata: "m" },
    { partition: 4, offset: 1 },
  ];
  const topics = [{ topic: "t", partitions }];
  sameBytes(offsetCommit, { group: "g", member: { id: "i", generation: 5 }, topics }, [
    ...[0, 1, 103, ...int32(5), 0, 1, 105, ...int32(1), 0, 1, 116, ...int32(2)],
    ...[...int32(3), ...int64(300), ...int32(7), 0, 1, 109],
    ...[...int32(4), ...int64(1), ...minusOne, 0xff, 0xff],
  ]);
  sameBytes(offsetCommit, { group: "g", topics: [] }, [
    ...[0, 1, 103, ...minusOne, 0, 0, ...int32(0)],
  ]);
});

requests("FindCoordinator, OffsetFetch", async () => {
  await same(
    findCoordinator,
    { group: "g" },
    foreignFindCoordinator({ coordinatorKey: "g", coordinatorType: 0 }),
  );
  await same(
    offsetFetch,
    { group: "g", topics: [{ topic: "t", partitions: [0, 5] }] },
    foreignOffsetFetch({
      groupId: "g",
      topics: [{ topic: "t", partitions: [{ partition: 0 }, { partition: 5 }] }],
    }),
    undefined,
    4, // versions 4 and 5 differ in the response only
  );
  await same(
    offsetFetch,
    { group: "g", topics: null },
    foreignOffsetFetch({ groupId: "g", topics: [] }),
    undefined,
    4,
  );
});

requests("InitProducerId, SaslHandshake, SaslAuthenticate", async () => {
  await same(
    initProducerId,
    null,
    foreignInitProducerId({ transactionalId: null, transactionTimeout: 0 }),
  );
  await same(saslHandshake, "PLAIN", foreignHandshake({ mechanism: "PLAIN" }));
  const user = { username: "alice", password: "secret" };
  const authBytes = await foreignPlain({ authorizationIdentity: "", ...user }).encode();
  const ours = new TextEncoder().encode("\0alice\0secret");
  await same(saslAuthenticate, ours, foreignAuthenticate({ authBytes }));
  await same(saslSession, ours, foreignSession({ authBytes }));
});

requests("DescribeConfigs", async () => {
  const configNames = ["a.b", "c"];
  await same(
    describeConfigs,
    { broker: 3, names: configNames },
    foreignDescribeConfigs({ resources: [{ type: 4, name: "3", configNames }] }),
  );
});

requests("Produce, up to its records", async () => {
  const messages = [{ key: null, value: "v", timestamp: 1.7e12, headers: {} }];
  const foreign = foreignProduce({
    acks: -1,
    timeout: 5000,
    transactionalId: null,
    producerId: -1,
    producerEpoch: -1,
    compression: 0,
    topicData: [{ topic: "t", partitions: [{ partition: 4, firstSequence: -1, messages }] }],
  });
  const theirs = new Uint8Array((await foreign.encode()).buffer);
  const recordsSize = 12 + 49 + 8;
  await same(
    produce,
    { acks: -1, timeout: 5000, topic: "t", partition: 4, recordsSize },
    foreign,
    theirs.subarray(theirs.length - recordsSize),
  );
});

requests("the frame around them", async () => {
  const clientId = "gpdb-kafka";
  const body = foreignApiVersions();
  const frame = new Uint8Array(
    (await foreignMessage({ correlationId: 5, clientId, request: body })).buffer,
  );
  const writer = new Writer().int32(frame.length - 4).int16(18).int16(0).int32(5).string(clientId);
  assert.deepEqual(writer.finish(), frame);
});
