import type { Kernel } from "../protocol/kernel/kernel.ts";
import type { FetchedPartition } from "../protocol/messages/fetch.ts";
import { Attribute, Batch, batchEnd, codecs } from "../protocol/record_batch.ts";
import type { Inflated } from "./inflate_worker.ts";
import type { Inflater } from "./inflater.ts";

/** Of a response's compressed bytes: for fewer, a worker takes longer to start than it saves. */
const WORTH = 512 * 1024;
/** Compressed bytes that a piece has at least, if the partition has as many. */
const PIECE = 256 * 1024;
/** Compressed batches that are larger would take too much memory twice. */
const BATCH_MAX = 4 * 1024 * 1024;
/** How many pieces are with the worker at a time, or wait to be used. */
const AHEAD = 2;

/** Some compressed batches of a partition: where they are in the response, and their result. */
interface Piece {
  start: number;
  end: number;
  inflated: Promise<Inflated | null> | null;
}

/**
 * What a worker inflates of a response, a little ahead of the rows that are made of it: every other
 * piece, so that both threads have about as much to do. What it could not inflate is left to the
 * thread that makes the rows, and so is saying what is wrong with it.
 */
export class InflateAhead {
  /** Inflated records, by where their batches start in the response. */
  readonly records = new Map<number, Uint8Array>();
  readonly #inflater: Inflater;
  readonly #source: Kernel;
  readonly #pieces: Piece[];
  /** Which piece is used, or the next one to be. */
  #at = 0;
  /** What {@link records} are parts of. */
  #used: Inflated | null = null;

  constructor(inflater: Inflater, source: Kernel, partitions: readonly FetchedPartition[]) {
    this.#inflater = inflater;
    this.#source = source;
    this.#pieces = piecesOf(source.view, partitions);
    for (let i = 0; i < AHEAD; i++) this.#ask(i);
  }

  /**
   * Waits for the records of the batch at `at`, if the worker has them. Returns up to where no
   * others are to be waited for: at most `end`, the partition's.
   */
  async reach(at: number, end: number): Promise<number> {
    while (this.#at < this.#pieces.length && this.#pieces[this.#at].end <= at) this.#pass();
    const piece = this.#pieces[this.#at];
    if (piece === undefined || piece.start >= end) return end;
    if (piece.start > at) return piece.start;
    const inflated = await piece.inflated;
    if (this.#used === null && inflated !== null) this.#use(piece, inflated);
    return piece.end;
  }

  #ask(index: number): void {
    const piece = this.#pieces[index];
    if (piece === undefined) return;
    piece.inflated = this.#inflater.inflate(this.#source.bytes.subarray(piece.start, piece.end));
  }

  #use(piece: Piece, inflated: Inflated): void {
    this.#used = inflated;
    let at = piece.start;
    let from = 0;
    for (const to of inflated.ends) {
      this.records.set(at, new Uint8Array(inflated.records, from, to - from));
      at = batchEnd(this.#source.view, at, piece.end);
      from = to;
    }
  }

  #pass(): void {
    this.records.clear();
    if (this.#used !== null) this.#inflater.recycle(this.#used);
    this.#used = null;
    this.#ask(this.#at + AHEAD);
    this.#at++;
  }
}

/** Whether a worker is of use for the batch from `at` to `end`. */
function isForWorker(view: DataView, at: number, end: number): boolean {
  const codec = codecs[view.getInt16(at + Batch.attributes) & Attribute.codec];
  // Every thread that inflates gzip holds up to 64 MB that the runtime has not collected yet.
  return codec !== undefined && codec !== "none" && codec !== "gzip" && end - at <= BATCH_MAX;
}

/** The pieces for the worker; none if there is too little for one. */
function piecesOf(view: DataView, partitions: readonly FetchedPartition[]): Piece[] {
  const pieces: Piece[] = [];
  let compressed = 0;
  for (const { start, end } of partitions) {
    let piece: Piece | null = null;
    for (let at = start, stop; (stop = batchEnd(view, at, end)) !== -1; at = stop) {
      if (!isForWorker(view, at, stop)) {
        piece = null;
        continue;
      }
      if (piece === null || piece.end - piece.start >= PIECE) {
        pieces.push(piece = { start: at, end: at, inflated: null });
      }
      piece.end = stop;
      compressed += stop - at;
    }
  }
  return compressed < WORTH ? [] : pieces.filter((_, index) => index % 2 === 0);
}
