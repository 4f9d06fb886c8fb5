/**
 * Records the answers of a real broker to every request this client sends, at the versions it is
 * pinned to: `deno run -A tests/golden/capture.ts` writes golden.ts beside it. The topics are made
 * by foreign clients; the socket is read by nothing of ours.
 */
import { startBroker } from "../../scripts/servers/broker.ts";
import { apiVersions } from "../../lib/protocol/messages/api_versions.ts";
import { createTopics } from "../../lib/protocol/messages/create_topics.ts";
import { describeConfigs } from "../../lib/protocol/messages/describe_configs.ts";
import { fetch, type FetchRequest } from "../../lib/protocol/messages/fetch.ts";
import { findCoordinator } from "../../lib/protocol/messages/find_coordinator.ts";
import { initProducerId } from "../../lib/protocol/messages/init_producer_id.ts";
import { EARLIEST, LATEST, listOffsets } from "../../lib/protocol/messages/list_offsets.ts";
import { metadata, metadataWithIds } from "../../lib/protocol/messages/metadata.ts";
import { offsetCommit } from "../../lib/protocol/messages/offset_commit.ts";
import { offsetFetch } from "../../lib/protocol/messages/offset_fetch.ts";
import { offsetForLeaderEpoch } from "../../lib/protocol/messages/offset_for_leader_epoch.ts";
import { produce } from "../../lib/protocol/messages/produce.ts";
import { saslAuthenticate, saslHandshake, saslSession } from "../../lib/protocol/messages/sasl.ts";
import { Reader } from "../../lib/protocol/reader.ts";
import { kafkajs, withAdmin } from "../support/kafka.ts";
import { type Frames, goldenModule, Recorder } from "./recorder.ts";
import {
  compacted,
  createTopic,
  deleted,
  gzip,
  java,
  plain,
  TIME,
  transactions,
} from "./topics.ts";

const GROUP = "golden-group";
const frames: Frames = new Map();

await using broker = await startBroker({
  own: true,
  listeners: { USERS: "SASL_PLAINTEXT", LIMITED: "SASL_PLAINTEXT" },
  properties: {
    "listener.name.limited.sasl.enabled.mechanisms": "PLAIN",
    "listener.name.limited.plain.sasl.jaas.config":
      'org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="secret";',
    "listener.name.limited.plain.connections.max.reauth.ms": "3600000",
    "listener.name.users.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256",
    "listener.name.users.plain.sasl.jaas.config":
      'org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="secret";',
    "listener.name.users.scram-sha-256.sasl.jaas.config":
      "org.apache.kafka.common.security.scram.ScramLoginModule required;",
  },
});
using recorder = await Recorder.open(frames, broker.bootstrap);

await recorder.record("api_versions", apiVersions, null);
await producerId();
await configs();
await sasl();
await coordinator();
await plain(broker);
await gzip(broker);
await java(broker);
await deleted(broker);
await transactions(broker, () => tx("fetch_transactions_open", 0), written);
await compacted(broker);

const topics = ["golden-plain", "golden-unknown", "golden-tx"];
await recorder.record("metadata", metadata, { topics });
await created();
await recorder.record("metadata_ids", metadataWithIds, { topics });
await epochs();
await offsets();
await commits();
await fetches();
await produces();
await fetchCompacted();

const { clusterId } = await withAdmin(broker, (admin) => admin.describeCluster());
const port = Number(broker.bootstrap.split(":")[1]);
const described = await broker.run("org.apache.kafka.tools.TopicCommand", [
  ...["--bootstrap-server", broker.bootstrap, "--describe", "--topic", "golden-plain"],
]);
const topicId = /TopicId: (\S+)/.exec(new TextDecoder().decode(described.stdout))![1];
const captured = { kafkaVersion: broker.version, port, clusterId, topicId };
const text = goldenModule(captured, frames);
await Deno.writeTextFile(new URL("golden.ts", import.meta.url), text);
for (const [name, bytes] of frames) console.log(`${name}: ${bytes.length} bytes`);

/** A topic that is made, one that exists, and one whose name collides with one that exists. */
async function created() {
  const kind = { partitions: 1, replication: 1, configs: [] };
  const names = ["golden_new", "golden-plain", "golden.new"];
  for (const [i, topic] of names.entries()) {
    const name = ["create_topics", "create_topics_exists", "create_topics_collides"][i];
    await recorder.record(name, createTopics, { timeout: 5000, topics: [{ ...kind, topic }] });
  }
}

async function sasl(): Promise<void> {
  await recorder.record("sasl_handshake_illegal", saslHandshake, "PLAIN");
  using users = await Recorder.open(frames, broker.listeners.USERS);
  await users.record("sasl_handshake", saslHandshake, "PLAIN");
  const utf8 = new TextEncoder();
  await users.record("sasl_authenticate", saslAuthenticate, utf8.encode("\0alice\0secret"));
  using stranger = await Recorder.open(frames, broker.listeners.USERS);
  await stranger.ask(saslHandshake, "PLAIN");
  await stranger.record("sasl_authenticate_failed", saslAuthenticate, utf8.encode("\0alice\0x"));
  using limited = await Recorder.open(frames, broker.listeners.LIMITED);
  await limited.ask(saslHandshake, "PLAIN");
  await limited.record("sasl_session", saslSession, utf8.encode("\0alice\0secret"));
  using other = await Recorder.open(frames, broker.listeners.USERS);
  await other.record("sasl_handshake_unsupported", saslHandshake, "GSSAPI");
}

/** The first ask is refused: the broker has no block of producer ids yet. */
async function producerId(): Promise<void> {
  await recorder.record("init_producer_id_loading", initProducerId, null);
  await until("the broker has no producer ids", async () => {
    const frame = await recorder.record("init_producer_id", initProducerId, null);
    return initProducerId.decode(new Reader(frame)).errorCode === 0;
  });
}

/** One that the broker has and one that it does not; and those of a broker that it is not. */
async function configs(): Promise<void> {
  const names = ["producer.id.expiration.ms", "no.such.config"];
  await recorder.record("describe_configs", describeConfigs, { broker: 1, names });
  await recorder.record("describe_configs_elsewhere", describeConfigs, { broker: 99, names });
}

/** The first ask makes __consumer_offsets, and is refused meanwhile. */
async function coordinator(): Promise<void> {
  await recorder.record("find_coordinator_missing", findCoordinator, { group: GROUP });
  await until("the group has no coordinator", async () => {
    const frame = await recorder.record("find_coordinator", findCoordinator, { group: GROUP });
    return findCoordinator.decode(new Reader(frame)).errorCode === 0;
  });
}

async function offsets(): Promise<void> {
  const ask = (name: string, timestamp: number, topic = "golden-plain", partitions = [0, 1, 2]) =>
    recorder.record(name, listOffsets, {
      isolation: "read_committed",
      topics: [{ topic, partitions: partitions.map((partition) => ({ partition, timestamp })) }],
    });
  await ask("list_offsets_latest", LATEST);
  await ask("list_offsets_earliest", EARLIEST, "golden-deleted", [0]);
  await ask("list_offsets_time", TIME + 2, "golden-plain", [0, 1]);
  await ask("list_offsets_unknown", LATEST, "golden-plain", [9]);
}

/** golden-plain's epoch 0 is its only one; epoch 3 is later than all that its logs know. */
async function epochs(): Promise<void> {
  const ask = (name: string, leaderEpoch: number, partitions = [0, 1, 2]) =>
    recorder.record(name, offsetForLeaderEpoch, {
      topics: [{
        topic: "golden-plain",
        partitions: partitions.map((partition) => ({ partition, leaderEpoch })),
      }],
    });
  await ask("offset_for_leader_epoch", 0);
  await ask("offset_for_leader_epoch_later", 3);
  await ask("offset_for_leader_epoch_unknown", 0, [9]);
}

async function commits(): Promise<void> {
  const commit = (name: string, group: string) => {
    const partitions = [
      { partition: 0, offset: 5_000_000_000, leaderEpoch: 4, metadata: "from here" },
      { partition: 1, offset: 1 },
    ];
    return recorder.record(name, offsetCommit, {
      group,
      topics: [{ topic: "golden-plain", partitions }],
    });
  };
  await commit("offset_commit", GROUP);
  const topics = [{ topic: "golden-plain", partitions: [0, 1, 2] }];
  await recorder.record("offset_fetch", offsetFetch, { group: GROUP, topics });
  await recorder.record("offset_fetch_none", offsetFetch, { group: "golden-other", topics });

  const consumer = kafkajs(broker).consumer({ groupId: "golden-live", maxWaitTimeInMs: 100 });
  const joined = Promise.withResolvers<void>();
  consumer.on(consumer.events.GROUP_JOIN, () => joined.resolve());
  await consumer.connect();
  await consumer.subscribe({ topic: "golden-plain" });
  await consumer.run({ eachMessage: async () => {} });
  await joined.promise;
  await commit("offset_commit_refused", "golden-live");
  await consumer.disconnect();
}

/** Until golden-tx ends at this offset, unfinished transactions included. */
async function written(end: number): Promise<void> {
  const topics = [{ topic: "golden-tx", partitions: [{ partition: 0, timestamp: LATEST }] }];
  await until("a transaction's marker was not written", async () => {
    const frame = await recorder.ask(listOffsets, { isolation: "read_uncommitted", topics });
    return listOffsets.decode(new Reader(frame)).topics[0].partitions[0].offset === end;
  });
}

function tx(name: string, offset: number, more: Partial<FetchRequest> = {}): Promise<void> {
  return get(name, { "golden-tx": [[0, offset]] }, more);
}

async function get(
  name: string,
  wanted: Record<string, [partition: number, offset: number][]>,
  more: Partial<FetchRequest> = {},
): Promise<void> {
  await recorder.record(name, fetch, {
    isolation: "read_committed",
    maxWait: 100,
    maxBytes: 1 << 20,
    partitionMaxBytes: 1 << 20,
    topics: Object.entries(wanted).map(([topic, partitions]) => ({
      topic,
      partitions: partitions.map(([partition, offset]) => ({ partition, offset })),
    })),
    ...more,
  });
}

async function fetches(): Promise<void> {
  await get("fetch_plain", { "golden-plain": [[0, 0]] });
  await get("fetch_middle", { "golden-plain": [[0, 5]] });
  await get("fetch_cut", { "golden-plain": [[0, 0]] }, { partitionMaxBytes: 300 });
  await get("fetch_empty", { "golden-plain": [[2, 0]] });
  await get("fetch_out_of_range", { "golden-plain": [[0, 99]], "golden-deleted": [[0, 0]] });
  await get("fetch_unknown", { "golden-unknown": [[0, 0]] });
  await get("fetch_many", { "golden-plain": [[0, 6], [1, 0], [2, 0]], "golden-deleted": [[0, 2]] });
  await get("fetch_gzip", { "golden-gzip": [[0, 0]] });
  await get("fetch_java", { "golden-java": [[0, 0]] });
  await tx("fetch_transactions", 0);
  await tx("fetch_transactions_middle", 6);
  await tx("fetch_transactions_uncommitted", 0, { isolation: "read_uncommitted" });
}

/** The first batch of golden-plain, as kafkajs wrote it, is written to another topic. */
async function produces(): Promise<void> {
  await createTopic(broker, "golden-produced");
  const plain = frames.get("fetch_plain")!;
  const { start } = fetch.decode(new Reader(plain)).partitions[0];
  const size = 12 + new DataView(plain.buffer, plain.byteOffset).getInt32(start + 8);
  const write = (name: string, batch: Uint8Array<ArrayBuffer>, topic = "golden-produced") => {
    const request = { acks: -1, timeout: 5000, topic, partition: 0, recordsSize: batch.length };
    return recorder.record(name, produce, { ...request, acks: -1 as const }, batch);
  };
  const batch = plain.slice(start, start + size);
  await write("produce", batch);
  await write("produce_again", batch);
  await write("produce_unknown", batch, "golden-unknown");
  batch[batch.length - 1] ^= 1;
  await write("produce_corrupt", batch);
}

/** Waits for the log cleaner: of "stale" it leaves none. */
async function fetchCompacted(): Promise<void> {
  await until("the log cleaner did nothing", async () => {
    await get("fetch_compacted", { "golden-compact": [[0, 0]] });
    return !new TextDecoder("latin1").decode(frames.get("fetch_compacted")).includes("stale");
  });
}

async function until(why: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end;) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Cannot record: ${why} for a minute`);
}
