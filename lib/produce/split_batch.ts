import { Kernel } from "../protocol/kernel/kernel.ts";
import { SPOILT } from "../protocol/kernel/packing.ts";
import { Batch, recordEnd } from "../protocol/record_batch.ts";
import { putVarint, varintEnd, varintSize } from "../protocol/varint.ts";
import { RecordBatch } from "./batch.ts";
import type { Compressor } from "./compressor.ts";

/**
 * Two batches, half of the records each, in memory of their own; the old one stays as it is. What a
 * broker does with a batch that it finds too large is rare, so this is simple, not fast.
 */
export function splitBatch(batch: RecordBatch, compressor: Compressor | null): RecordBatch[] {
  const sent = batch.bytes.subarray(Batch.records);
  const records = batch.codec === "none" || compressor === null
    ? sent
    : compressor.decompress(sent, batch.recordsSize);
  const middle = Math.ceil(batch.count / 2);
  const cursor = { at: 0 };
  return [
    copyRecords(batch, records, cursor, 0, middle, compressor),
    copyRecords(batch, records, cursor, middle, batch.count, compressor),
  ];
}

/** The records from index `first` to `last`; `cursor` stands at the first one. */
function copyRecords(
  batch: RecordBatch,
  records: Uint8Array,
  cursor: { at: number },
  first: number,
  last: number,
  compressor: Compressor | null,
): RecordBatch {
  const kernel = new Kernel();
  const start = Kernel.DATA;
  const count = last - first;
  // No record grows: offset deltas only become smaller.
  kernel.reserve(Batch.records + batch.recordsSize + SPOILT + 4 * count);
  const top = start + Batch.records + batch.recordsSize + SPOILT + 4 * count;
  let out = start + Batch.records;
  for (let index = first; index < last; index++) {
    const end = recordEnd(records, cursor.at);
    // Attributes and timestamp delta are a zero byte each, then comes the offset delta.
    const deltaAt = varintEnd(records, cursor.at) + 2;
    const rest = records.subarray(varintEnd(records, deltaAt), end);
    cursor.at = end;
    const delta = index - first;
    out = putVarint(kernel.bytes, out, 2 + varintSize(delta) + rest.length);
    kernel.bytes[out++] = 0;
    kernel.bytes[out++] = 0;
    out = putVarint(kernel.bytes, out, delta);
    kernel.bytes.set(rest, out);
    out += rest.length;
    kernel.view.setUint32(top - 4 * (delta + 1), batch.line(index), true);
  }
  const at = { partition: batch.partition, start, end: out, top, count };
  const half = new RecordBatch(kernel, at, () => {});
  half.seal(compressor);
  return half;
}
