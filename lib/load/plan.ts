import { Cluster } from "../kafka/cluster.ts";
import type { ClientConfig } from "../kafka/config.ts";
import { commitOffsets, lookUpOffsets } from "../kafka/offsets.ts";
import { findCoordinator } from "../protocol/messages/find_coordinator.ts";
import {
  EARLIEST,
  type Isolation,
  LATEST,
  listOffsets,
} from "../protocol/messages/list_offsets.ts";
import { offsetCommit } from "../protocol/messages/offset_commit.ts";

/** What a load must know of a topic before it starts. */
export interface PlanOptions {
  topic: string;
  isolation: Isolation;
  /** Epoch milliseconds: where the records from then on start. */
  at: number | null;
  /** The group that is told where the database stands, and where that is. */
  mirror: { group: string; offsets: readonly PartitionOffset[] } | null;
}

export interface PartitionOffset {
  partition: number;
  offset: number;
}

/** One partition of the plan. */
export interface PlannedPartition {
  partition: number;
  /** The log's start. */
  earliest: number;
  /** The last stable offset; the high watermark under read_uncommitted. */
  end: number;
  /** The first offset at or after the time asked for; null where no record is as late. */
  at: number | null;
}

/** The mirror is for tools that watch: a load does not wait longer for it, milliseconds. */
const MIRROR_TIMEOUT = 2000;

/**
 * Asks where each partition of a topic starts and ends. What goes wrong with the mirror is told to
 * `warn`, and no more. Throws Failure where the topic can't be read.
 */
export async function planTopic(
  options: PlanOptions,
  config: ClientConfig,
  warn: (line: string) => void,
): Promise<PlannedPartition[]> {
  const { topic, isolation, at } = options;
  const cluster = new Cluster(config, [listOffsets]);
  const mirrored = mirror(options, config).catch((error) => {
    warn(`the group "${options.mirror?.group}" was not told where the database stands: ${error}`);
  });
  try {
    const found = await cluster.topic(topic);
    const items = found.partitions.map(({ partition }) => ({ topic, partition }))
      .sort((a, b) => a.partition - b.partition);
    const ask = (timestamp: number) =>
      lookUpOffsets(cluster, isolation, items.map((item) => ({ ...item, timestamp })));
    const [earliest, end, wanted] = await Promise.all([
      ask(EARLIEST),
      ask(LATEST),
      at === null ? null : ask(at),
    ]);
    return items.map(({ partition }, i) => {
      const offset = wanted?.[i] ?? -1;
      return {
        partition,
        earliest: earliest[i],
        end: end[i],
        at: offset === -1 ? null : Math.min(offset, end[i]),
      };
    });
  } finally {
    await mirrored;
    cluster.close();
  }
}

async function mirror({ topic, mirror }: PlanOptions, config: ClientConfig): Promise<void> {
  if (mirror === null || mirror.offsets.length === 0) return;
  const timeout = Math.min(config.timeout, MIRROR_TIMEOUT);
  const cluster = new Cluster({ ...config, timeout }, [findCoordinator, offsetCommit]);
  try {
    const items = mirror.offsets.map((item) => ({ ...item, topic }));
    await commitOffsets(cluster, mirror.group, items);
  } finally {
    cluster.close();
  }
}

/** The plan as CSV: topic, partition, earliest, end, and where the time asked for is. */
export function planRows(topic: string, partitions: readonly PlannedPartition[]): string {
  return partitions
    .map(({ partition, earliest, end, at }) =>
      `${topic},${partition},${earliest},${end},${at ?? ""}\n`
    )
    .join("");
}
