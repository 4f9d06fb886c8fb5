import { EARLIEST, type Isolation, LATEST } from "../protocol/messages/list_offsets.ts";
import type { Cluster } from "./cluster.ts";
import { lookUpPositions } from "./offsets.ts";
import type { TopicPartition } from "./partitions.ts";
import { pause } from "../waiting.ts";

/** What a partition's log holds. */
export interface PartitionLog {
  /** The log start offset: its first one. */
  readonly start: number;
  /** The last stable offset: readers of committed records end here. */
  readonly stable: number;
  /** The high watermark: past `stable` while a transaction is open. */
  readonly high: number;
  /** Of its leader; -1 if it is not known. */
  readonly leaderEpoch: number;
}

/** A log, and which partition's it is. */
export type LogOfPartition = TopicPartition & PartitionLog;

/** Where readers of an isolation end. */
export function logEnd({ stable, high }: PartitionLog, isolation: Isolation): number {
  return isolation === "read_committed" ? stable : high;
}

/**
 * Asks the leaders for the partitions' logs as they are now; in the items' order. The cluster must
 * have been opened with listOffsets. Throws Failure.
 */
export async function readLogs(
  cluster: Cluster,
  items: readonly TopicPartition[],
): Promise<PartitionLog[]> {
  const ask = (isolation: Isolation, timestamp: number) =>
    lookUpPositions(cluster, isolation, items.map((item) => ({ ...item, timestamp })));
  const [first, committed, last] = await Promise.all([
    ask("read_committed", EARLIEST),
    ask("read_committed", LATEST),
    ask("read_uncommitted", LATEST),
  ]);
  return items.map((_, i) => {
    // Between two of the answers records may be deleted, and a transaction end.
    const start = first[i].offset;
    const stable = Math.max(committed[i].offset, start);
    const high = Math.max(last[i].offset, stable);
    return { start, stable, high, leaderEpoch: committed[i].leaderEpoch };
  });
}

/** Of a partition that does not exist, as of one that nothing was ever written to. */
const NO_LOG: PartitionLog = { start: 0, stable: 0, high: 0, leaderEpoch: -1 };

/** Of a partition without a leader: what it has is not known. */
export const NO_LEADER: PartitionLog = { start: 0, stable: 0, high: 0, leaderEpoch: -1 };

/** How long a leader that is being elected is waited for, milliseconds. */
const ELECTION = 1000;

/**
 * The same for partitions that may not exist, of topics that the cluster was asked for: a group may
 * have stored an offset of one that is gone since the topic was recreated. One that has no leader,
 * also not in a second, has the log {@link NO_LEADER}. Throws Failure.
 */
export async function readLogsIfAny(
  cluster: Cluster,
  items: readonly TopicPartition[],
): Promise<PartitionLog[]> {
  const existing = items.filter(({ topic, partition }) => cluster.has(topic, partition));
  const isLed = ({ topic, partition }: TopicPartition) => cluster.leader(topic, partition) !== -1;
  for (const started = performance.now(); performance.now() - started < ELECTION;) {
    const topics = [...new Set(existing.filter((item) => !isLed(item)).map(({ topic }) => topic))];
    if (topics.length === 0) break;
    await pause(ELECTION / 5);
    await cluster.refresh(topics).catch(() => {});
  }
  const led = existing.filter(isLed);
  const found = await readLogs(cluster, led);
  const logs = new Map(led.map((item, i) => [item, found[i]]));
  const others = new Map(existing.map((item) => [item, NO_LEADER]));
  return items.map((item) => logs.get(item) ?? others.get(item) ?? NO_LOG);
}
