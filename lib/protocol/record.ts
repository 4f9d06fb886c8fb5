import type { CodecImplementation } from "./codecs/codec.ts";
import { Kernel } from "./kernel/kernel.ts";
import { Batch, type Codec, writeHeader, writeTime } from "./record_batch.ts";
import { putVarint, varintAt, varintEnd, VARLONG } from "./varint.ts";

/** A record's parts; null is Kafka's null. For the few records that are not rows: dead letters. */
export interface RecordParts {
  key: Uint8Array | null;
  value: Uint8Array | null;
  headers: { name: Uint8Array; value: Uint8Array | null }[];
}

/**
 * Takes a whole record of a batch apart: https://kafka.apache.org/documentation/#record
 * `delta` is its offset, less the batch's.
 */
export function readRecord(bytes: Uint8Array): RecordParts & { delta: number } {
  let at = 0;
  const skip = (most?: number) => at = varintEnd(bytes, at, most);
  const varint = () => {
    const value = varintAt(bytes, at);
    skip();
    return value;
  };
  const text = () => {
    const size = varint();
    if (size < 0) return null;
    at += size;
    return bytes.subarray(at - size, at);
  };
  skip(); // length
  at++; // attributes
  skip(VARLONG); // timestamp delta
  const delta = varint();
  const key = text();
  const value = text();
  const headers = Array.from({ length: varint() }, () => ({ name: text()!, value: text() }));
  return { key, value, headers, delta };
}

/** A record batch of these records, uncompressed, all of one time (epoch milliseconds). */
export function encodeBatch(
  records: readonly RecordParts[],
  time: number,
): Uint8Array<ArrayBuffer> {
  return batchOf(encodeRecords(records), records.length, time, "none");
}

/** The same with its records compressed. */
export function compressBatch(
  records: readonly RecordParts[],
  time: number,
  codec: Codec,
  implementation: CodecImplementation,
): Uint8Array<ArrayBuffer> {
  const packed = implementation.compress(encodeRecords(records));
  return batchOf(packed, records.length, time, codec);
}

function encodeRecords(records: readonly RecordParts[]): Uint8Array {
  return concat(records.map((record, index) => encodeRecord(record, index)));
}

function batchOf(packed: Uint8Array, count: number, time: number, codec: Codec) {
  const size = Batch.records + packed.length;
  const kernel = new Kernel();
  kernel.reserve(size);
  const start = Kernel.DATA;
  const { bytes, view } = kernel;
  writeHeader(view, start, size, count, codec);
  writeTime(view, start, time);
  bytes.set(packed, start + Batch.records);
  const summed = start + Batch.attributes;
  view.setUint32(start + Batch.crc, kernel.crc32c(summed, start + size - summed));
  return bytes.slice(start, start + size);
}

function encodeRecord({ key, value, headers }: RecordParts, index: number): Uint8Array {
  const body: Uint8Array[] = [Uint8Array.of(0, 0), varint(index)];
  const text = (bytes: Uint8Array | null) =>
    bytes === null ? body.push(varint(-1)) : body.push(varint(bytes.length), bytes);
  text(key);
  text(value);
  body.push(varint(headers.length));
  for (const header of headers) {
    text(header.name);
    text(header.value);
  }
  const size = body.reduce((sum, part) => sum + part.length, 0);
  return concat([varint(size), ...body]);
}

function varint(value: number): Uint8Array {
  const out = new Uint8Array(5);
  return out.subarray(0, putVarint(out, 0, value));
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
