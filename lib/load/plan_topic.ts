import { createHash } from "node:crypto";
import { Cluster } from "../kafka/cluster.ts";
import type { ClientConfig } from "../kafka/config.ts";
import { identityText, type LogIdentity, sharedEnds } from "../kafka/log_identity.ts";
import { UnknownTopic } from "../kafka/errors.ts";
import { logEnd, readLogs } from "../kafka/logs.ts";
import { matchingTopics } from "../kafka/matching_topics.ts";
import { commitOffsets, lookUpOffsets } from "../kafka/offsets.ts";
import { byTopic, partitionsOf, type TopicPartition } from "../kafka/partitions.ts";
import { matches } from "../kafka/topic_pattern.ts";
import { findCoordinator } from "../protocol/messages/find_coordinator.ts";
import { type Isolation, listOffsets } from "../protocol/messages/list_offsets.ts";
import type { TopicMetadata } from "../protocol/messages/metadata.ts";
import { offsetCommit } from "../protocol/messages/offset_commit.ts";

/** What a load must know of its topics before it starts. */
export interface PlanTopicsOptions {
  /** By name, or all that a pattern matches. */
  topics: readonly string[] | RegExp;
  isolation: Isolation;
  /** Epoch milliseconds: where the records from then on start. */
  at: number | null;
  /** The database's offsets. */
  offsets: readonly TopicOffset[];
  /** The group that these offsets are committed to; null: none. */
  group: string | null;
}

/** The same of one topic. */
export interface PlanOptions extends Omit<PlanTopicsOptions, "topics" | "offsets"> {
  topic: string;
  offsets: readonly PartitionOffset[];
  /** {@link logHash} of the log the offsets are of: only its offsets are committed. Null: any. */
  log: string | null;
}

export interface PartitionOffset {
  partition: number;
  offset: number;
  /** The leader epoch the offset was planned under; -1 if it is not known. */
  leaderEpoch: number;
}

export interface TopicOffset extends PartitionOffset {
  topic: string;
  /** As in {@link PlanOptions}. */
  log: string | null;
}

/** A topic's log, and where its partitions start and end. */
export interface Plan {
  identity: LogIdentity;
  partitions: PlannedPartition[];
}

/** One topic of several. */
export interface TopicPlan extends Plan {
  topic: string;
  /** Whether it exists; else it has no partitions. */
  exists: boolean;
}

/** One partition of the plan. */
export interface PlannedPartition {
  partition: number;
  /** The log's start. */
  earliest: number;
  /** The last stable offset; the high watermark under read_uncommitted. */
  end: number;
  /** The first offset at or after the time asked for; null if no record is. */
  at: number | null;
  /** The leader's own; null if the broker does not say. */
  leaderEpoch: number | null;
  /** Up to which offset the log is still the one the database's offset is of; null: all of it. */
  epochEnd: number | null;
}

/** The mirror is for tools that watch: a load does not wait longer for it, milliseconds. */
const MIRROR_TIMEOUT = 2000;

/**
 * Asks where each partition of a topic starts and ends, and whether its log is the one that the
 * database has read. If the plan succeeds, what goes wrong with the mirror is reported to `warn`,
 * and no more. Throws Failure if the topic cannot be read.
 */
export async function planTopic(
  { topic, log, offsets, ...options }: PlanOptions,
  config: ClientConfig,
  warn: (line: string) => void,
): Promise<Plan> {
  const whole = {
    ...options,
    topics: [topic],
    offsets: offsets.map((item) => ({ ...item, topic, log })),
  };
  const [plan] = await plans(whole, config, warn, async (cluster) => [await cluster.topic(topic)]);
  return plan;
}

/**
 * The same of several topics, in their order. One that does not exist is not an error, if it is named, or
 * the database stands in it and the pattern matches it: what it means is for the database to say.
 */
export async function planTopics(
  options: PlanTopicsOptions,
  config: ClientConfig,
  warn: (line: string) => void,
): Promise<TopicPlan[]> {
  const missing: string[] = [];
  const found = await plans(options, config, warn, async (cluster) => {
    const { there, gone } = await findTopics(cluster, options);
    missing.push(...gone);
    return there;
  });
  const none = { exists: false, identity: { clusterId: null, topicId: null }, partitions: [] };
  return [...found, ...missing.map((topic) => ({ topic, ...none }))];
}

/** The topics, and the names of those that do not exist. */
async function findTopics(
  cluster: Cluster,
  { topics, offsets }: PlanTopicsOptions,
): Promise<{ there: TopicMetadata[]; gone: string[] }> {
  const gone: string[] = [];
  let names: readonly string[];
  let there: TopicMetadata[] = [];
  if (topics instanceof RegExp) {
    there = await matchingTopics(cluster, topics);
    const listed = new Set(there.map(({ topic }) => topic));
    const known = new Set(offsets.map(({ topic }) => topic));
    names = [...known].filter((topic) => !listed.has(topic) && matches(topics, topic));
  } else names = topics;
  // Asked for one by one: a broker may not have heard yet of one that was created just now.
  const found = await Promise.all(names.map((name) =>
    cluster.topic(name).catch((error) => {
      if (!(error instanceof UnknownTopic)) throw error;
      gone.push(name);
      return null;
    })
  ));
  there.push(...found.filter((topic) => topic !== null));
  return { there: there.sort((a, b) => a.topic < b.topic ? -1 : 1), gone };
}

async function plans(
  options: PlanTopicsOptions,
  config: ClientConfig,
  warn: (line: string) => void,
  find: (cluster: Cluster) => Promise<TopicMetadata[]>,
): Promise<TopicPlan[]> {
  const { isolation, at } = options;
  const cluster = new Cluster(config, [listOffsets]);
  try {
    const topics = await find(cluster);
    const { clusterId } = cluster;
    const identities = new Map(topics.map(({ topic, topicId }) => [topic, { clusterId, topicId }]));
    const mirrored = mirror(options, identities, config).then(() => null, (error) => error);
    const items = topics.flatMap(partitionsOf);
    const [logs, wanted] = await Promise.all([
      readLogs(cluster, items),
      at === null
        ? null
        : lookUpOffsets(cluster, isolation, items.map((item) => ({ ...item, timestamp: at }))),
    ]);
    const epochs = new Map(items.map((item, i) => [placeName(item), logs[i].leaderEpoch]));
    const ends = await epochEnds(cluster, options, epochs);
    const planned = items.map((item, i) => {
      const { start, leaderEpoch } = logs[i];
      const end = logEnd(logs[i], isolation);
      const offset = wanted?.[i] ?? -1;
      return {
        topic: item.topic,
        partition: item.partition,
        earliest: start,
        end,
        at: offset === -1 ? null : Math.min(Math.max(offset, start), end),
        leaderEpoch: leaderEpoch < 0 ? null : leaderEpoch,
        epochEnd: ends.get(placeName(item)) ?? null,
      };
    });
    const error = await mirrored;
    if (error) {
      warn(
        `cannot commit the offsets of the database for group "${options.group}": ${error.message}`,
      );
    }
    return byTopic(planned).map(({ topic, partitions }) => ({
      topic,
      exists: true,
      identity: identities.get(topic)!,
      partitions,
    }));
  } finally {
    cluster.close();
  }
}

function placeName({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

/** Where the logs of those partitions end that have had another leader since. */
async function epochEnds(
  cluster: Cluster,
  { offsets }: PlanTopicsOptions,
  epochs: ReadonlyMap<string, number>,
): Promise<Map<string, number>> {
  const items = offsets.filter((item) => {
    const now = epochs.get(placeName(item)) ?? -1;
    return item.leaderEpoch >= 0 && now >= 0 && now !== item.leaderEpoch;
  });
  const ends = await sharedEnds(cluster, items);
  return new Map(items.map((item, i) => [placeName(item), ends[i]]));
}

async function mirror(
  { offsets, group }: PlanTopicsOptions,
  identities: ReadonlyMap<string, LogIdentity>,
  config: ClientConfig,
): Promise<void> {
  if (group === null) return;
  const items = offsets.flatMap(({ log, ...item }) => {
    const identity = identities.get(item.topic);
    if (identity === undefined) return [];
    if (log === null) return [item];
    return possibleHashes(identity).includes(log)
      ? [{ ...item, metadata: identityText(identity) }]
      : [];
  });
  if (items.length === 0) return;
  const timeout = Math.min(config.timeout, MIRROR_TIMEOUT);
  const cluster = new Cluster({ ...config, timeout }, [findCoordinator, offsetCommit]);
  try {
    await commitOffsets(cluster, group, items);
  } finally {
    cluster.close();
  }
}

/** A log's identity in 32 hexadecimal digits, as kafka._plan_checked makes them. */
export function logHash({ clusterId, topicId }: LogIdentity): string {
  return createHash("md5").update(`${clusterId ?? ""}/${topicId ?? ""}`).digest("hex");
}

/** The database may know less of the log than the brokers say now. */
function possibleHashes({ clusterId, topicId }: LogIdentity): string[] {
  return [clusterId, null].flatMap((clusterId) =>
    [topicId, null].map((topicId) => logHash({ clusterId, topicId }))
  );
}

/**
 * The plan as CSV: topic, partition, earliest, end, and where the time asked for is. With
 * `withLog`, as schema kafka reads it since its version 2: cluster id, topic id, leader epoch and
 * the end of the epoch asked for, too.
 */
export function planRows(topic: string, { identity, partitions }: Plan, withLog: boolean): string {
  const { clusterId, topicId } = identity;
  return partitions.map(({ partition, earliest, end, at, leaderEpoch, epochEnd }) => {
    const fields = [topic, partition, earliest, end, at];
    if (withLog) fields.push(csvField(clusterId), topicId, leaderEpoch, epochEnd);
    return fields.map((field) => field ?? "").join(",") + "\n";
  }).join("");
}

/** The plans of several topics; one that does not exist has a line with partition -1. */
export function plansRows(plans: readonly TopicPlan[], withLog: boolean): string {
  return plans.map((plan) =>
    plan.exists
      ? planRows(plan.topic, plan, withLog)
      : `${plan.topic},-1,0,0,${withLog ? ",,,," : ""}\n`
  ).join("");
}

/**
 * The plan as the columns of kafka._plan_row, for sources whose topic the database does not read: it
 * is handed over as JSON.
 */
export function planRecords(
  { topic, exists, identity, partitions }: TopicPlan,
): Record<string, string | number | null>[] {
  if (!exists) return [{ topic, partition_no: -1, earliest: 0, end_offset: 0 }];
  const { clusterId, topicId } = identity;
  return partitions.map(({ partition, earliest, end, at, leaderEpoch, epochEnd }) => ({
    topic,
    partition_no: partition,
    earliest,
    end_offset: end,
    at_offset: at,
    cluster_id: clusterId,
    topic_id: topicId,
    leader_epoch: leaderEpoch,
    epoch_end: epochEnd,
  }));
}

/** A cluster's id may be any text. */
function csvField(text: string | null): string | null {
  return text === null || /^[\w.-]+$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`;
}
