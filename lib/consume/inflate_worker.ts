/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/// <reference lib="esnext" />
/** What the worker of inflater.ts runs. */
import { loadCodec } from "../protocol/codecs/codecs.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { Attribute, Batch, batchEnd, codecs } from "../protocol/record_batch.ts";

/** Whole compressed batches, one after the other, `size` bytes of them; and room for the answer. */
export interface Job {
  batches: ArrayBuffer;
  size: number;
  room: ArrayBuffer;
}

/** The records of a job's first batches, one after the other, and where those of each end. */
export interface Inflated {
  records: ArrayBuffer;
  ends: number[];
  /** The job's buffer, to be used again. */
  batches: ArrayBuffer;
}

/** Bytes of records that are enough of a job: it ends after the batch that passes them. */
const ENOUGH = 4 * 1024 * 1024;
/** What the worker inflates a batch to, at most: a few answers wait in memory to be used. */
const INFLATED_MAX = 16 * 1024 * 1024;

/** One job at a time, also while the first of a codec waits for its code. */
let turn = Promise.resolve();

self.onmessage = ({ data }: MessageEvent<Job>) => {
  turn = turn.then(async () => {
    const answer = await inflate(data);
    self.postMessage(answer, [answer.records, answer.batches]);
  });
};

/**
 * What the answer leaves out, also a batch that is broken or too large, is left to the main thread.
 */
async function inflate({ batches, size, room }: Job): Promise<Inflated> {
  const view = new DataView(batches, 0, size);
  const ends: number[] = [];
  let records = new Uint8Array(room);
  let last = 0;
  try {
    for (let at = 0, end; last < ENOUGH && (end = batchEnd(view, at, size)) !== -1; at = end) {
      const codec = codecs[view.getInt16(at + Batch.attributes) & Attribute.codec];
      if (codec === undefined) break;
      const implementation = await loadCodec(codec);
      const source = new Uint8Array(batches, at + Batch.records, end - at - Batch.records);
      const inflated = implementation.decompress(source, INFLATED_MAX);
      records = withRoom(records, last, inflated.length);
      records.set(inflated, last);
      ends.push(last += inflated.length);
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
  return { records: records.buffer, ends, batches };
}

/** A buffer whose first `used` bytes are the same, and which has room for `more`. */
function withRoom(buffer: Uint8Array<ArrayBuffer>, used: number, more: number) {
  if (used + more <= buffer.length) return buffer;
  // Gives the smaller one's memory back at once.
  return new Uint8Array(buffer.buffer.transfer(2 * (used + more)));
}
