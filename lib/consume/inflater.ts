import type { Inflated, Job } from "./inflate_worker.ts";

/** Buffers kept to be used again: as many as are under way. */
const SPARE = 3;

/** A worker that inflates batches while this thread reads, makes rows and writes: one for a run. */
export class Inflater {
  readonly #debug: (line: string) => void;
  #worker: Worker | null = null;
  #closed = false;
  /** Callers that wait for an answer: answers come in the order of the questions. */
  readonly #asked: ((inflated: Inflated | null) => void)[] = [];
  readonly #spare: Inflated[] = [];

  /** `debug` gets a line if no worker could be started. */
  constructor(debug: (line: string) => void) {
    this.#debug = debug;
  }

  /** What the worker makes of these whole compressed batches; null if there is no worker. */
  inflate(batches: Uint8Array): Promise<Inflated | null> {
    const worker = this.#start();
    if (worker === null) return Promise.resolve(null);
    const spare = this.#spare.pop();
    const size = batches.length;
    const copy = spare && spare.batches.byteLength >= size
      ? spare.batches
      : new ArrayBuffer(1.25 * size);
    new Uint8Array(copy).set(batches);
    const job: Job = { batches: copy, size, room: spare?.records ?? new ArrayBuffer(0) };
    const { promise, resolve } = Promise.withResolvers<Inflated | null>();
    this.#asked.push(resolve);
    worker.postMessage(job, [job.batches, job.room]);
    return promise;
  }

  /** Takes back what inflate() gave, when it is no longer looked at. */
  recycle(inflated: Inflated): void {
    if (this.#spare.length < SPARE) this.#spare.push(inflated);
  }

  /** Ends the worker. Callers that wait for it, or ask later, get null. */
  close(): void {
    this.#closed = true;
    this.#worker?.terminate();
    this.#worker = null;
    for (const resolve of this.#asked.splice(0)) resolve(null);
  }

  #start(): Worker | null {
    if (this.#worker !== null || this.#closed) return this.#worker;
    try {
      const module = new URL("./inflate_worker.ts", import.meta.url);
      this.#worker = new Worker(module, { type: "module" });
    } catch (error) {
      this.#fail((error as Error).message);
      return null;
    }
    this.#worker.onmessage = ({ data }: MessageEvent<Inflated>) => this.#asked.shift()?.(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(event.message);
    };
    this.#debug("a worker inflates batches, too");
    return this.#worker;
  }

  #fail(why: string): void {
    this.#debug(`batches are inflated without a worker: ${why}`);
    this.close();
  }
}
