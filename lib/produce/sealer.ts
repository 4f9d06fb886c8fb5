import type { Codec } from "../protocol/record_batch.ts";
import type { RecordBatch } from "./batch.ts";
import type { Compressor } from "./compressor.ts";
import type { Compressed, Job } from "./seal_worker.ts";

/** The codecs that take most of a run's time: with a worker for the others it is no shorter. */
const slow: readonly Codec[] = ["gzip", "zstd"];
/** Bytes of records that are compressed before a worker starts: for fewer it is not worth it. */
const WORTH = 8 * 1024 * 1024;
/**
 * Bytes of records that a batch for the worker has: smaller ones cost more to hand over than they
 * save; of larger ones the copy would take too much memory.
 */
const LEAST = 64 * 1024;
const MOST = 4 * 1024 * 1024;
/** Batches that the worker may have at a time: one, and one that waits for it. */
const AHEAD = 2;

/** A batch that the worker has. */
interface Given {
  batch: RecordBatch;
  resolve: () => void;
}

/**
 * Seals batches: here, or, if there is much to compress, also on a worker, which so takes about
 * half of them.
 */
export class Sealer {
  readonly #compressor: Compressor | null;
  readonly #debug: (line: string) => void;
  #worker: Worker | null = null;
  #closed = false;
  /** Bytes of records that were compressed here. */
  #here = 0;
  /** In the order of their answers. */
  readonly #given: Given[] = [];
  readonly #spare: ArrayBuffer[] = [];

  /** `debug` gets a line when a worker starts, or if none can. */
  constructor(compressor: Compressor | null, debug: (line: string) => void) {
    this.#compressor = compressor;
    this.#debug = debug;
  }

  /** When it returns, the batch is sealed or has a promise of it ({@link RecordBatch.sealing}). */
  seal(batch: RecordBatch): void {
    const worker = this.#isForWorker(batch) ? this.#start() : null;
    if (worker !== null) return this.#give(worker, batch);
    this.#here += batch.recordsSize;
    batch.seal(this.#compressor);
  }

  /** Ends the worker: when nothing is sent any more, as the batches that it has are never sealed. */
  close(): void {
    this.#closed = true;
    this.#worker?.terminate();
    this.#worker = null;
  }

  #isForWorker({ recordsSize }: RecordBatch): boolean {
    return this.#compressor !== null && slow.includes(this.#compressor.codec) && !this.#closed &&
      this.#here >= WORTH && recordsSize >= LEAST && recordsSize <= MOST &&
      this.#given.length < AHEAD;
  }

  #give(worker: Worker, batch: RecordBatch): void {
    const { codec, level } = this.#compressor!;
    const { records } = batch;
    const size = records.length;
    let copy = this.#spare.pop();
    if (copy === undefined || copy.byteLength < size) copy = new ArrayBuffer(size + (size >> 2));
    new Uint8Array(copy).set(records);
    const { promise, resolve } = Promise.withResolvers<void>();
    batch.sealing = promise;
    this.#given.push({ batch, resolve });
    const job: Job = { codec, level, records: copy, size };
    worker.postMessage(job, [copy]);
  }

  #start(): Worker | null {
    if (this.#worker !== null) return this.#worker;
    try {
      const module = new URL("./seal_worker.ts", import.meta.url);
      this.#worker = new Worker(module, { type: "module" });
    } catch (error) {
      this.#fail((error as Error).message);
      return null;
    }
    this.#worker.onmessage = ({ data }: MessageEvent<Compressed>) => {
      const { batch, resolve } = this.#given.shift()!;
      batch.sealWith(new Uint8Array(data.records, 0, data.size), this.#compressor!.codec);
      this.#spare.push(data.records);
      resolve();
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(event.message);
    };
    this.#debug("a worker compresses batches, too");
    return this.#worker;
  }

  #fail(why: string): void {
    this.#debug(`batches are compressed without a worker: ${why}`);
    this.close();
    for (const { batch, resolve } of this.#given.splice(0)) {
      batch.seal(this.#compressor);
      resolve();
    }
  }
}
