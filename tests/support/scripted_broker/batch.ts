/** Record batches (magic 2), https://kafka.apache.org/documentation/#recordbatch, made without lib. */
import { Encoder } from "./codec.ts";

export interface BatchOptions {
  /** The first record's offset. */
  base?: number;
  leaderEpoch?: number;
  /** Epoch milliseconds of all records. */
  time?: number;
  /** Raw bits: codec, 16 transactional, 32 control. */
  attributes?: number;
  producerId?: number;
  producerEpoch?: number;
  sequence?: number;
  /** Where it is not that of the last record: what a compacted batch keeps. */
  lastOffsetDelta?: number;
}

/** One batch with these values as records, uncompressed; null is a tombstone. */
export function makeBatch(
  values: readonly (string | null)[],
  {
    base = 0,
    leaderEpoch = 0,
    time = 1_700_000_000_000,
    attributes = 0,
    producerId = -1,
    producerEpoch = -1,
    sequence = -1,
    lastOffsetDelta = values.length - 1,
  }: BatchOptions = {},
): Uint8Array<ArrayBuffer> {
  const records = values.flatMap((value, index) => [...record(value, index)]);
  const summed = new Encoder(false).int(2, attributes).int(4, lastOffsetDelta)
    .int(8, time).int(8, time).int(8, producerId).int(2, producerEpoch).int(4, sequence)
    .int(4, values.length).bytes;
  const body = Uint8Array.from([...summed, ...records]);
  const head = new Encoder(false).int(8, base).int(4, 9 + body.length).int(4, leaderEpoch)
    .int(1, 2).int(4, crc32c(body)).bytes;
  return Uint8Array.from([...head, ...body]);
}

function record(value: string | null, index: number): Uint8Array {
  // Written here once more: what lib reads must not have been written by lib.
  const zigzag = (n: number) => n < 0 ? -2 * n - 1 : 2 * n;
  const bytes = value === null ? [] : [...new TextEncoder().encode(value)];
  const body = new Encoder(false).int(1, 0).varint(0).varint(zigzag(index)).varint(zigzag(-1))
    .varint(zigzag(value === null ? -1 : bytes.length)).bytes;
  const size = new Encoder(false).varint(zigzag(body.length + bytes.length + 1)).bytes;
  return Uint8Array.from([...size, ...body, ...bytes, 0]);
}

/** Writes the checksum again: for a batch that was changed on purpose. */
export function sealBatch(batch: Uint8Array): void {
  new DataView(batch.buffer, batch.byteOffset).setUint32(17, crc32c(batch.subarray(21)));
}

/** CRC-32C (Castagnoli), bit by bit. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 0x82f63b78 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** What a broker reads of a batch that it is handed. */
export function batchHead(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    base: Number(view.getBigInt64(0)),
    size: 12 + view.getInt32(8),
    leaderEpoch: view.getInt32(12),
    lastOffsetDelta: view.getInt32(23),
    time: Number(view.getBigInt64(35)),
    producerId: Number(view.getBigInt64(43)),
    producerEpoch: view.getInt16(51),
    sequence: view.getInt32(53),
    count: view.getInt32(57),
    crcHolds: view.getUint32(17) === crc32c(bytes.subarray(21)),
  };
}
