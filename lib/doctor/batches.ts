import type { Cluster } from "../kafka/cluster.ts";
import { BrokerError } from "../kafka/errors.ts";
import { byLeader, byTopic, partitionName, type TopicPartition } from "../kafka/partitions.ts";
import { Kernel } from "../protocol/kernel/kernel.ts";
import { fetch } from "../protocol/messages/fetch.ts";
import { Batch, batchEnd, type BatchHeader, readHeader } from "../protocol/record_batch.ts";

/** Bytes asked for at a time, of one broker and of one partition. One batch comes whole anyway. */
const MAX_BYTES = 8 * 1024 * 1024;
const PARTITION_MAX_BYTES = 256 * 1024;
/** Nothing more is waited for: what is looked for is there. */
const MAX_WAIT = 1;

/** What stands at the front of a record batch. */
export interface BatchLook
  extends TopicPartition, Pick<BatchHeader, "magic" | "codec" | "isAppendTime"> {
  offset: number;
  size: number;
  crcIsRight: boolean;
  /** Epoch milliseconds; -1 if the producer set none. */
  newest: number;
}

/**
 * The batch at each item's offset, or the next one after it; items without one are left out.
 * Throws what ended the one try that is made.
 */
export async function batchesAt(
  cluster: Cluster,
  items: readonly (TopicPartition & { offset: number })[],
): Promise<BatchLook[]> {
  const looks = await Promise.all(
    [...byLeader(cluster, items)].filter(([id]) => id !== -1).map(([id, led]) =>
      batchesOfLeader(cluster, id, led)
    ),
  );
  return looks.flat();
}

async function batchesOfLeader(
  cluster: Cluster,
  id: number,
  items: readonly (TopicPartition & { offset: number })[],
): Promise<BatchLook[]> {
  const connection = await cluster.broker(id);
  const kernel = new Kernel();
  const looks: BatchLook[] = [];
  // Only the first partition's batch is whole for sure, so each round settles one or more.
  for (let left = [...items]; left.length > 0;) {
    const response = await connection.call(fetch, {
      isolation: "read_uncommitted",
      maxWait: MAX_WAIT,
      maxBytes: MAX_BYTES,
      partitionMaxBytes: PARTITION_MAX_BYTES,
      topics: byTopic(left),
    }, { into: kernel });
    const settled = new Set([left[0]]);
    for (const { topic, partition, errorCode, start, end } of response.partitions) {
      const item = left.find((one) => one.topic === topic && one.partition === partition);
      if (!item) continue;
      if (errorCode !== 0) {
        const failed = `cannot fetch ${partitionName(item)} at offset ${item.offset}`;
        throw new BrokerError(failed, errorCode);
      }
      const look = lookAtBatch(kernel, start, end);
      if (look === null) continue;
      looks.push({ topic, partition, ...look });
      settled.add(item);
    }
    left = left.filter((item) => !settled.has(item));
  }
  return looks;
}

/** What the first batch between `start` and `end` says of itself; null if none is whole. */
export function lookAtBatch(
  kernel: Kernel,
  start: number,
  end: number,
): Omit<BatchLook, keyof TopicPartition> | null {
  const { view } = kernel;
  const stop = batchEnd(view, start, end);
  if (stop === -1) return null;
  const { baseOffset, magic, codec, maxTimestamp, isAppendTime, crc } = readHeader(view, start);
  const summed = kernel.crc32c(start + Batch.attributes, stop - start - Batch.attributes);
  return {
    offset: baseOffset,
    magic,
    codec,
    size: stop - start,
    // Older formats have their CRC elsewhere.
    crcIsRight: magic !== 2 || summed === crc,
    newest: maxTimestamp,
    isAppendTime,
  };
}
