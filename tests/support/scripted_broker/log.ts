/** One partition of the scripted brokers: its batches, and what is answered about it. */
import { batchHead, type BatchOptions, makeBatch } from "./batch.ts";
import type { Message } from "./codec.ts";

const OFFSET_OUT_OF_RANGE = 1;
const CORRUPT_MESSAGE = 2;
const UNKNOWN_TOPIC_OR_PARTITION = 3;
const NOT_LEADER_OR_FOLLOWER = 6;
const OUT_OF_ORDER_SEQUENCE_NUMBER = 45;
const DUPLICATE_SEQUENCE_NUMBER = 46;
const FENCED_LEADER_EPOCH = 74;
const UNKNOWN_LEADER_EPOCH = 75;

interface StoredBatch {
  first: number;
  last: number;
  leaderEpoch: number;
  time: number;
  bytes: Uint8Array;
}

/** One partition. A test may set any of its fields. */
export class PartitionLog {
  /** The leader's broker id; -1: none. */
  leader: number;
  leaderEpoch = 0;
  /** The brokers that have a replica and may be read from (KIP-392), beside the leader. */
  followers: number[] = [];
  /** What a follower has of the log: up to this offset, of which it knows no more. */
  readonly replicated = new Map<number, number>();
  logStart = 0;
  /** The next offset to be given; the two after it follow it at each append. */
  end = 0;
  highWatermark = 0;
  lastStable = 0;
  aborted: { producerId: number; firstOffset: number }[] = [];
  batches: StoredBatch[] = [];
  /** The next sequence by `producer id/epoch`; clear it, and the broker has forgotten them. */
  readonly producers = new Map<string, number>();

  constructor(leader: number) {
    this.leader = leader;
  }

  /** Appends a batch with these values, made as `options` say, at the log's end or past it. */
  append(values: readonly (string | null)[], options: BatchOptions = {}): this {
    const { leaderEpoch, end } = this;
    return this.store(makeBatch(values, { base: end, leaderEpoch, ...options }));
  }

  /** Stores bytes as they are; the offsets are those that their head says. */
  store(bytes: Uint8Array): this {
    const { base, lastOffsetDelta, leaderEpoch, time } = batchHead(bytes);
    const last = base + lastOffsetDelta;
    this.batches.push({ first: base, last, leaderEpoch, time, bytes });
    this.end = this.highWatermark = this.lastStable = last + 1;
    return this;
  }

  /** Takes a producer's batch. Returns its base offset, or an error code. */
  produce(bytes: Uint8Array): { baseOffset: number; errorCode: number } {
    const { producerId, producerEpoch, sequence, count, size, crcHolds } = batchHead(bytes);
    const fails = (errorCode: number) => ({ baseOffset: -1, errorCode });
    if (size !== bytes.length || !crcHolds) return fails(CORRUPT_MESSAGE);
    const producer = `${producerId}/${producerEpoch}`;
    const next = producerId === -1 ? undefined : this.producers.get(producer);
    if (next !== undefined && sequence < next) return fails(DUPLICATE_SEQUENCE_NUMBER);
    if (next !== undefined && sequence > next) return fails(OUT_OF_ORDER_SEQUENCE_NUMBER);
    if (producerId !== -1) this.producers.set(producer, sequence + count);
    const kept = bytes.slice();
    new DataView(kept.buffer).setBigInt64(0, BigInt(this.end));
    new DataView(kept.buffer).setInt32(12, this.leaderEpoch);
    const baseOffset = this.end;
    this.store(kept);
    return { baseOffset, errorCode: 0 };
  }
}

/**
 * Why a broker does not answer for a partition: an error code, 0 where it does. A follower does if
 * it may.
 */
export function problem(
  broker: number,
  log: PartitionLog | undefined,
  epoch: number,
  mayFollow = false,
): number {
  if (!log) return UNKNOWN_TOPIC_OR_PARTITION;
  if (epoch > log.leaderEpoch) return UNKNOWN_LEADER_EPOCH;
  if (log.leader !== broker && !(mayFollow && log.followers.includes(broker))) {
    return NOT_LEADER_OR_FOLLOWER;
  }
  return epoch !== -1 && epoch < log.leaderEpoch ? FENCED_LEADER_EPOCH : 0;
}

/**
 * Fetch's answer of a broker for one partition; one without records where there is no log, or where
 * another replica is to be read.
 */
export function fetched(
  log: PartitionLog | undefined,
  wanted: Message,
  isolation: number,
  broker: number,
  preferred: number,
): Message {
  const { fetchOffset, partitionMaxBytes } = wanted;
  const nothing = { preferredReadReplica: -1, aborted: null, records: new Uint8Array() };
  if (!log) return { highWatermark: -1, lastStableOffset: -1, logStartOffset: -1, ...nothing };
  const { logStart } = log;
  const has = log.replicated.get(broker) ?? Infinity;
  const [highWatermark, lastStable] = [log.highWatermark, log.lastStable]
    .map((mark) => Math.min(mark, has));
  const marks = { highWatermark, lastStableOffset: lastStable, logStartOffset: logStart };
  const end = isolation === 1 ? lastStable : highWatermark;
  if (preferred !== -1) return { ...marks, ...nothing, preferredReadReplica: preferred };
  if (fetchOffset < logStart || fetchOffset > Math.min(log.end, has)) {
    return { ...marks, ...nothing, errorCode: OFFSET_OUT_OF_RANGE };
  }
  const sent: Uint8Array[] = [];
  let size = 0;
  for (const { first, last, bytes } of log.batches) {
    if (last < fetchOffset || first >= end) continue;
    if (size > 0 && size + bytes.length > partitionMaxBytes) break;
    sent.push(bytes);
    size += bytes.length;
  }
  const records = new Uint8Array(size);
  let at = 0;
  for (const bytes of sent) {
    records.set(bytes, at);
    at += bytes.length;
  }
  return { ...marks, ...nothing, aborted: isolation === 1 ? log.aborted : null, records };
}

/** ListOffsets' answer for one partition. */
export function listed(
  log: PartitionLog | undefined,
  timestamp: number,
  isolation: number,
): Message {
  const nothing = { timestamp: -1, offset: -1, leaderEpoch: -1 };
  if (!log) return nothing;
  const { lastStable, highWatermark, logStart, leaderEpoch } = log;
  if (timestamp === -1) {
    return { ...nothing, offset: isolation === 1 ? lastStable : highWatermark, leaderEpoch };
  }
  if (timestamp === -2) return { ...nothing, offset: logStart, leaderEpoch };
  const found = log.batches.find((batch) => batch.last >= logStart && batch.time >= timestamp);
  if (!found) return nothing;
  return { timestamp: found.time, offset: found.first, leaderEpoch: found.leaderEpoch };
}

/** OffsetForLeaderEpoch's answer for one partition: where that epoch ended (KIP-320). */
export function endOfEpoch(log: PartitionLog | undefined, { leaderEpoch }: Message): Message {
  if (!log || leaderEpoch > log.leaderEpoch) return { leaderEpoch: -1, endOffset: -1 };
  const known = log.batches.findLast((batch) => batch.leaderEpoch <= leaderEpoch);
  const after = log.batches.find((batch) => batch.leaderEpoch > leaderEpoch);
  const epoch = after ? known?.leaderEpoch ?? -1 : log.leaderEpoch;
  return { leaderEpoch: epoch, endOffset: after?.first ?? log.end };
}
