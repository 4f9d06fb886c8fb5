import type { Cluster } from "../kafka/cluster.ts";
import { BrokerError } from "../kafka/errors.ts";
import { byLeader, byTopic, partitionName, type TopicPartition } from "../kafka/partitions.ts";
import { Kernel } from "../protocol/kernel/kernel.ts";
import { fetch } from "../protocol/messages/fetch.ts";
import {
  Attribute,
  Batch,
  batchEnd,
  type Codec,
  codecs,
  int64At,
} from "../protocol/record_batch.ts";
import { inWords, partitionsText, type Say } from "./findings.ts";
import type { PartitionLog } from "./topic.ts";

/** Bytes asked for at a time, of one broker and of one partition. One batch comes whole anyway. */
const MAX_BYTES = 8 * 1024 * 1024;
const PARTITION_MAX_BYTES = 256 * 1024;
/** Nothing more is waited for: what is looked for is there. */
const MAX_WAIT = 1;
/** Producers' clocks may differ so much from ours without a word, milliseconds. */
const CLOCK_TOLERANCE = 60_000;

/** What stands at the front of a record batch. */
export interface BatchLook extends TopicPartition {
  offset: number;
  magic: number;
  /** A number that Kafka has no codec for stays one. */
  codec: Codec | number;
  size: number;
  crcIsRight: boolean;
  /** Epoch milliseconds; -1 if the producer set none. */
  newest: number;
  /** Whether the broker set the time. */
  isAppendTime: boolean;
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
  const magic = view.getInt8(start + Batch.magic);
  const attributes = view.getInt16(start + Batch.attributes);
  const number = attributes & Attribute.codec;
  const summed = kernel.crc32c(start + Batch.attributes, stop - start - Batch.attributes);
  return {
    offset: int64At(view, start),
    magic,
    codec: codecs[number] ?? number,
    size: stop - start,
    // Older formats have their fields, and their CRC, elsewhere.
    crcIsRight: magic !== 2 || summed === view.getUint32(start + Batch.crc),
    newest: magic === 2 ? int64At(view, start + Batch.maxTimestamp) : -1,
    isAppendTime: (attributes & Attribute.appendTime) !== 0,
  };
}

/** Looks at the last batch of each partition: whether it can be read at all. */
export async function checkLastBatches(
  say: Say,
  cluster: Cluster,
  topic: string,
  logs: readonly PartitionLog[],
): Promise<BatchLook[]> {
  const filled = logs.filter(({ earliest, end }) => end > earliest);
  const items = filled.map(({ partition, end }) => ({ topic, partition, offset: end - 1 }));
  const looks = await batchesAt(cluster, items);
  judgeBatches(say, looks, Date.now());
  return looks;
}

/** Says what is wrong with batches, or what they are. */
export function judgeBatches(say: Say, looks: readonly BatchLook[], now: number): void {
  if (looks.length === 0) {
    say("ok", "the topic is empty: there are no batches to check", "produce some records");
    return;
  }
  const numbers = (some: BatchLook[]) => partitionsText(some.map((look) => look.partition));
  const old = looks.filter(({ magic }) => magic !== 2);
  const current = looks.filter(({ magic }) => magic === 2);
  const unknown = current.filter(({ codec }) => typeof codec === "number");
  const broken = current.filter(({ crcIsRight }) => !crcIsRight);
  if (old.length > 0) {
    const formats = [...new Set(old.map(({ magic }) => magic))].join(", ");
    say(
      "fail",
      `${numbers(old)}: stored in message format ${formats}, and only format 2 can be read`,
      "raise log.message.format.version to 0.11 or later, and write the records again",
    );
  }
  if (unknown.length > 0) {
    const found = [...new Set(unknown.map(({ codec }) => codec))].join(", ");
    say("fail", `${numbers(unknown)}: codec ${found} is not one of ${codecs.join(", ")}`);
  }
  if (broken.length > 0) {
    say(
      "fail",
      `${numbers(broken)}: the CRC32C of the last batch does not match its bytes`,
      "the disk or memory of the leader may be broken: let another replica lead",
    );
  }
  if (old.length + unknown.length + broken.length === 0) {
    const used = [...new Set(looks.map(({ codec }) => codec))].join(", ");
    const largest = Math.max(...looks.map(({ size }) => size));
    say("ok", `the last batches are of format 2, codec ${used}, the largest ${largest} bytes`);
  }
  const future = current.filter(({ newest }) => newest > now + CLOCK_TOLERANCE);
  if (future.length > 0) {
    const most = Math.max(...future.map(({ newest }) => newest)) - now;
    const whose = future.some(({ isAppendTime }) => isAppendTime) ? "the broker's" : "a producer's";
    say(
      "warn",
      `${numbers(future)}: the newest record is ${inWords(most)} ahead of this host's clock`,
      `set ${whose} clock, or this host's: --offset @TIME and retention use these times`,
    );
  }
}
