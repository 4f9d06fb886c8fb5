import type { Cluster } from "../kafka/cluster.ts";
import { lookUpOffsets, type TopicPartition } from "../kafka/offsets.ts";
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
 * All partitions of these topics, in order. Throws Failure where a topic can't be read, naming it.
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

/** The logs of partitions whose topics were asked for, in their order. Throws Failure. */
export async function readLogs(
  cluster: Cluster,
  items: readonly TopicPartition[],
): Promise<PartitionLog[]> {
  const ask = (timestamp: number) => items.map((item) => ({ ...item, timestamp }));
  const [start, end, last] = await Promise.all([
    lookUpOffsets(cluster, "read_committed", ask(EARLIEST)),
    lookUpOffsets(cluster, "read_committed", ask(LATEST)),
    lookUpOffsets(cluster, "read_uncommitted", ask(LATEST)),
  ]);
  return items.map((_, i) => ({
    start: start[i],
    end: end[i],
    // Asked at the same time: the one may have moved on before the other was read.
    last: Math.max(last[i], end[i]),
  }));
}
