import { ProtocolError } from "./errors.ts";

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
  let size = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    if (at === bytes.length) return -1;
    const byte = bytes[at++];
    size |= (byte & 127) << shift;
    if (byte < 128) break;
  }
  return at + (size >>> 1);
}

/** Types of control batches (KIP-98). */
export const Control = { abort: 0, commit: 1 } as const;

/**
 * The type of the control batch from `at` to `end`: the second int16 of its record's key. -1 if it
 * has none: the log cleaner removes the record of a marker, and leaves the batch.
 */
export function controlType(view: DataView, at: number, end: number): number {
  let p = at + Batch.records;
  const skipVarint = () => {
    while (p < end && view.getUint8(p++) > 127);
  };
  skipVarint(); // length
  p++; // attributes
  skipVarint(); // timestamp delta
  skipVarint(); // offset delta
  skipVarint(); // key length
  return p + 4 > end ? -1 : view.getInt16(p + 2);
}
