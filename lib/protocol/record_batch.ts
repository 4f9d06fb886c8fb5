import { ProtocolError } from "./errors.ts";
import { lengthAt, varintEnd, VARLONG } from "./varint.ts";

/**
 * Where the fields of a record batch (magic 2) are, from its first byte:
 * https://kafka.apache.org/documentation/#recordbatch
 */
export const Batch = {
  baseOffset: 0,
  /** Bytes that follow this field. */
  length: 8,
  /** Written by the leader that appended the batch; not in the CRC. */
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  /** Everything from here on is in the CRC. */
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
  records: 61,
} as const;

/** Size of what comes before a batch's length counts: base offset and the length itself. */
export const BATCH_PREFIX = 12;

/** Bits of the attributes. */
export const Attribute = { codec: 7, appendTime: 8, transactional: 16, control: 32 } as const;

/** Codec names by their number in the attributes. */
export const codecs = ["none", "gzip", "snappy", "lz4", "zstd"] as const;
export type Codec = typeof codecs[number];

/** The smallest length field of a batch: its header without records. */
const LEAST_LENGTH = Batch.records - BATCH_PREFIX;

/** What the header of a batch says of it. */
export interface BatchHeader {
  baseOffset: number;
  magic: number;
  /** A number that Kafka has no codec for stays one. */
  codec: Codec | number;
  /** Epoch milliseconds; -1 if the producer set none, and of formats before 2. */
  maxTimestamp: number;
  /** Whether the broker set the time. */
  isAppendTime: boolean;
  /** The checksum that the batch has: not compared with its bytes. */
  crc: number;
}

/** Reads the header of the batch at `at`; older formats have other fields where format 2 has its. */
export function readHeader(view: DataView, at: number): BatchHeader {
  const magic = view.getInt8(at + Batch.magic);
  const attributes = view.getInt16(at + Batch.attributes);
  const number = attributes & Attribute.codec;
  return {
    baseOffset: int64At(view, at),
    magic,
    codec: codecs[number] ?? number,
    maxTimestamp: magic === 2 ? int64At(view, at + Batch.maxTimestamp) : -1,
    isAppendTime: (attributes & Attribute.appendTime) !== 0,
    crc: view.getUint32(at + Batch.crc),
  };
}

/**
 * Writes the header of the batch at `at`, `size` bytes with it: all but its checksum. It has the
 * times of {@link writeTime}, and no producer until {@link writeProducer} names one.
 */
export function writeHeader(
  view: DataView,
  at: number,
  size: number,
  count: number,
  codec: Codec,
): void {
  view.setBigInt64(at + Batch.baseOffset, 0n);
  view.setInt32(at + Batch.length, size - BATCH_PREFIX);
  view.setInt32(at + Batch.leaderEpoch, -1); // the broker sets it
  view.setInt8(at + Batch.magic, 2);
  view.setInt16(at + Batch.attributes, codecs.indexOf(codec));
  view.setInt32(at + Batch.lastOffsetDelta, count - 1);
  view.setInt32(at + Batch.count, count);
  writeProducer(view, at, -1, -1, -1);
}

/** Writes the time of all records of the batch at `at`, epoch milliseconds. */
export function writeTime(view: DataView, at: number, time: number): void {
  view.setBigInt64(at + Batch.baseTimestamp, BigInt(time));
  view.setBigInt64(at + Batch.maxTimestamp, BigInt(time));
}

/** Writes who sends the batch at `at`, and its place in the partition's sequence. */
export function writeProducer(
  view: DataView,
  at: number,
  id: number,
  epoch: number,
  sequence: number,
): void {
  view.setBigInt64(at + Batch.producerId, BigInt(id));
  view.setInt16(at + Batch.producerEpoch, epoch);
  view.setInt32(at + Batch.baseSequence, sequence);
}

/** An int64 without the garbage of a BigInt. Exact below 2^53. */
export function int64At(view: DataView, at: number): number {
  return view.getInt32(at) * 0x1_0000_0000 + view.getUint32(at + 4);
}

/**
 * The end of the batch at `at`, an index into `view`; -1 if the bytes up to `end` hold only a
 * part of it. Throws ProtocolError if the length can't be one.
 */
export function batchEnd(view: DataView, at: number, end: number): number {
  if (at + BATCH_PREFIX > end) return -1;
  const length = view.getInt32(at + Batch.length);
  if (length < LEAST_LENGTH) {
    throw new ProtocolError(
      `a batch at offset ${int64At(view, at)} says it has ${length} bytes`,
    );
  }
  const stop = at + BATCH_PREFIX + length;
  return stop > end ? -1 : stop;
}

/** The leader epoch of the last whole batch between `start` and `end`; -1 if there is none. */
export function lastEpoch(view: DataView, start: number, end: number): number {
  let epoch = -1;
  for (let at = start, stop; (stop = batchEnd(view, at, end)) !== -1; at = stop) {
    epoch = view.getInt32(at + Batch.leaderEpoch);
  }
  return epoch;
}

/**
 * The end of the record at `at`, an index into `bytes`, by its length; -1 if the length is
 * cut off. The caller checks that it is before the end of the bytes.
 */
export function recordEnd(bytes: Uint8Array, at: number): number {
  const start = varintEnd(bytes, at);
  return start === -1 ? -1 : start + lengthAt(bytes, at);
}

/** Types of control batches (KIP-98). */
export const Control = { abort: 0, commit: 1 } as const;

/**
 * The type of the control batch from `at` to `end`: the second int16 of its record's key. -1 if it
 * has none: the log cleaner removes the record of a marker, and leaves the batch.
 */
export function controlType(view: DataView, at: number, end: number): number {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, Math.min(end, view.byteLength));
  const skip = (at: number) => at === -1 ? -1 : varintEnd(bytes, at, VARLONG);
  const attributes = skip(at + Batch.records); // after the length
  const times = attributes === -1 ? -1 : attributes + 1;
  const key = skip(skip(skip(times))); // after the timestamp delta, the offset delta, the key's length
  return key === -1 || key + 4 > end ? -1 : view.getInt16(key + 2);
}
