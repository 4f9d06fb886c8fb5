import type { Cluster } from "../kafka/cluster.ts";
import { lookUpOffsets } from "../kafka/offsets.ts";
import type { TopicPartition } from "../kafka/partitions.ts";
import { EARLIEST, LATEST } from "../protocol/messages/list_offsets.ts";

/** What a partition's log holds. */
export interface PartitionLog {
  /** The first offset. */
  start: number;
  /** Where a reader of committed records ends: the last stable offset. */
  end: number;
  /** The high watermark: beyond `end` while a transaction is open. */
  last: number;
}

/**
 * All partitions of these topics, in order. Throws Failure if a topic can't be read, naming it.
 */
export async function partitionsOf(
  cluster: Cluster,
  topics: readonly string[],
): Promise<TopicPartition[]> {
  const found = await Promise.all(topics.toSorted().map((topic) => cluster.topic(topic)));
  return found.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition }) => ({ topic, partition }))
      .sort((a, b) => a.partition - b.partition)
  );
}

/** Of a partition that is not there, as of one that nothing was ever written to. */
const NO_LOG: PartitionLog = { start: 0, end: 0, last: 0 };

/**
 * The logs of partitions whose topics were asked for, in their order. A group may have stored an
 * offset of one that is gone since the topic was recreated. Throws Failure.
 */
export async function readLogs(
  cluster: Cluster,
  items: readonly TopicPartition[],
): Promise<PartitionLog[]> {
  const there = items.filter(({ topic, partition }) => cluster.has(topic, partition));
  const ask = (timestamp: number) => there.map((item) => ({ ...item, timestamp }));
  const [start, end, last] = await Promise.all([
    lookUpOffsets(cluster, "read_committed", ask(EARLIEST)),
    lookUpOffsets(cluster, "read_committed", ask(LATEST)),
    lookUpOffsets(cluster, "read_uncommitted", ask(LATEST)),
  ]);
  const logs = new Map(there.map((item, i) => [item, {
    start: start[i],
    // Asked at the same time: the one may have moved on before the other was read.
    end: Math.max(end[i], start[i]),
    last: Math.max(last[i], end[i], start[i]),
  }]));
  return items.map((item) => logs.get(item) ?? NO_LOG);
}
