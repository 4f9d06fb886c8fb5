import { createHash } from "node:crypto";
import { Cluster } from "../kafka/cluster.ts";
import type { ClientConfig } from "../kafka/config.ts";
import { identityText, type LogIdentity, sharedEnds } from "../kafka/log_identity.ts";
import { logEnd, readLogs } from "../kafka/logs.ts";
import { commitOffsets, lookUpOffsets } from "../kafka/offsets.ts";
import { partitionsOf } from "../kafka/partitions.ts";
import { findCoordinator } from "../protocol/messages/find_coordinator.ts";
import { type Isolation, listOffsets } from "../protocol/messages/list_offsets.ts";
import { offsetCommit } from "../protocol/messages/offset_commit.ts";

/** What a load must know of a topic before it starts. */
export interface PlanOptions {
  topic: string;
  isolation: Isolation;
  /** Epoch milliseconds: where the records from then on start. */
  at: number | null;
  /** The database's offsets. */
  offsets: readonly PartitionOffset[];
  /** The group that these offsets are committed to; null: none. */
  group: string | null;
  /** {@link logHash} of the log the offsets are of: only its offsets are committed. Null: any. */
  log: string | null;
}

export interface PartitionOffset {
  partition: number;
  offset: number;
  /** The leader epoch the offset was planned under; -1 if it is not known. */
  leaderEpoch: number;
}

/** A topic's log, and where its partitions start and end. */
export interface Plan {
  identity: LogIdentity;
  partitions: PlannedPartition[];
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
  options: PlanOptions,
  config: ClientConfig,
  warn: (line: string) => void,
): Promise<Plan> {
  const { topic, isolation, at } = options;
  const cluster = new Cluster(config, [listOffsets]);
  try {
    const found = await cluster.topic(topic);
    const identity = { clusterId: cluster.clusterId, topicId: found.topicId };
    const mirrored = mirror(options, identity, config).then(() => null, (error) => error);
    const items = partitionsOf(found);
    const [logs, wanted] = await Promise.all([
      readLogs(cluster, items),
      at === null
        ? null
        : lookUpOffsets(cluster, isolation, items.map((item) => ({ ...item, timestamp: at }))),
    ]);
    const epochs = new Map(items.map(({ partition }, i) => [partition, logs[i].leaderEpoch]));
    const ends = await epochEnds(cluster, options, epochs);
    const partitions = items.map(({ partition }, i) => {
      const { start, leaderEpoch } = logs[i];
      const end = logEnd(logs[i], isolation);
      const offset = wanted?.[i] ?? -1;
      return {
        partition,
        earliest: start,
        end,
        at: offset === -1 ? null : Math.min(Math.max(offset, start), end),
        leaderEpoch: leaderEpoch < 0 ? null : leaderEpoch,
        epochEnd: ends.get(partition) ?? null,
      };
    });
    const error = await mirrored;
    if (error) {
      warn(
        `cannot commit the offsets of the database for group "${options.group}": ${error.message}`,
      );
    }
    return { identity, partitions };
  } finally {
    cluster.close();
  }
}

/** Where the logs of those partitions end that have had another leader since. */
async function epochEnds(
  cluster: Cluster,
  { topic, offsets }: PlanOptions,
  epochs: Map<number, number>,
): Promise<Map<number, number>> {
  const items = offsets.filter(({ partition, leaderEpoch }) => {
    const now = epochs.get(partition) ?? -1;
    return leaderEpoch >= 0 && now >= 0 && now !== leaderEpoch;
  }).map((item) => ({ ...item, topic }));
  const ends = await sharedEnds(cluster, items);
  return new Map(items.map(({ partition }, i) => [partition, ends[i]]));
}

async function mirror(
  { topic, offsets, group, log }: PlanOptions,
  identity: LogIdentity,
  config: ClientConfig,
): Promise<void> {
  if (group === null || offsets.length === 0) return;
  if (log !== null && !possibleHashes(identity).includes(log)) return;
  const timeout = Math.min(config.timeout, MIRROR_TIMEOUT);
  const cluster = new Cluster({ ...config, timeout }, [findCoordinator, offsetCommit]);
  const metadata = log === null ? undefined : identityText(identity);
  try {
    await commitOffsets(cluster, group, offsets.map((item) => ({ ...item, topic, metadata })));
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

/** A cluster's id may be any text. */
function csvField(text: string | null): string | null {
  return text === null || /^[\w.-]+$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`;
}
