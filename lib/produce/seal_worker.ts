/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/// <reference lib="esnext" />
/** What the worker of sealer.ts runs. */
import { loadCodec } from "../protocol/codecs/codecs.ts";
import type { CodecImplementation } from "../protocol/codecs/codec.ts";
import type { Codec } from "../protocol/record_batch.ts";

/** The records of a batch, `size` bytes of them, and how to compress them. */
export interface Job {
  codec: Codec;
  level: number | undefined;
  records: ArrayBuffer;
  size: number;
}

/** The job's buffer, compressed if `size` is less than the job's. */
export type Compressed = Pick<Job, "records" | "size">;

/** Of the only codec that a run has. */
let implementation: CodecImplementation | undefined;

/** One job at a time, also while the first waits for the codec's code. */
let turn = Promise.resolve();

self.onmessage = ({ data }: MessageEvent<Job>) => {
  turn = turn.then(async () => {
    const answer = await compress(data);
    self.postMessage(answer, [answer.records]);
  });
};

async function compress({ codec, level, records, size }: Job): Promise<Compressed> {
  const bytes = new Uint8Array(records);
  implementation ??= await loadCodec(codec);
  const smaller = implementation.compress(bytes.subarray(0, size), level);
  if (smaller.length >= size) return { records, size };
  bytes.set(smaller);
  return { records, size: smaller.length };
}
