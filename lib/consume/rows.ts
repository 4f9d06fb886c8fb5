import { Failure } from "../failure.ts";
import { partitionName } from "../kafka/offsets.ts";
import { Flag, type Kernel, Stop } from "../protocol/kernel/kernel.ts";
import type { AbortedTransaction, FetchedPartition } from "../protocol/messages/fetch.ts";
import {
  Attribute,
  Batch,
  batchEnd,
  codecs,
  controlType,
  int64At,
} from "../protocol/record_batch.ts";
import { whyBad } from "./guard.ts";
import type { ConsumeOptions } from "./options.ts";
import type { Span } from "./span.ts";

const INT32_MAX = 0x7fffffff;
const ABORT = 0;

/** What came of the records so far. */
export interface Counts {
  /** Rows written. */
  records: number;
  /** Bad records left out (`--bad-record skip`). */
  skipped: number;
  /** Null values left out. */
  tombstones: number;
}

/**
 * Turns fetched batches into rows, in the buffer they were read into. One for a whole run: it
 * keeps the counts, and the limit on rows.
 */
export class RowDecoder {
  readonly counts: Counts = { records: 0, skipped: 0, tombstones: 0 };
  readonly #options: ConsumeOptions;
  readonly #log: (line: string) => void;
  readonly #flags: number;

  /** `log` is told of every record left out. */
  constructor(options: ConsumeOptions, log: (line: string) => void) {
    this.#options = options;
    this.#log = log;
    this.#flags = (options.badRecord === "pass" ? 0 : Flag.guard) |
      (options.tombstones === "empty" ? Flag.emptyTombstones : 0);
  }

  /** Whether as many rows were written as were asked for. */
  get full(): boolean {
    return this.counts.records >= this.#options.maxRecords;
  }

  /**
   * Writes the rows of what was fetched of `span` to `out` and moves `span.done` behind them.
   * Returns where the rows end. Throws Failure (record), naming topic, partition and offset.
   */
  decode(kernel: Kernel, fetched: FetchedPartition, span: Span, out: number): number {
    const { view } = kernel;
    const aborted = fetched.aborted.length > 0 ? new Aborted(fetched.aborted) : null;
    for (let at = fetched.start, end; !this.full; at = end) {
      end = batchEnd(view, at, fetched.end);
      if (end === -1) break;
      const base = int64At(view, at);
      const next = base + view.getInt32(at + Batch.lastOffsetDelta) + 1;
      if (base >= span.end) {
        span.done = span.end;
        break;
      }
      this.#check(kernel, span, at, end, base);
      const attributes = view.getInt16(at + Batch.attributes);
      const control = (attributes & Attribute.control) !== 0;
      const isVoid = aborted?.isVoid(view, at, next, control) ?? false;
      if (next > span.done && !control && !isVoid) {
        out = this.#batch(kernel, span, at, end, base, out);
        if (this.full) break;
      }
      span.done = Math.max(span.done, Math.min(next, span.end));
    }
    return out;
  }

  #check(kernel: Kernel, span: Span, at: number, end: number, base: number): void {
    const { view } = kernel;
    const magic = view.getInt8(at + Batch.magic);
    if (magic !== 2) {
      throw new Failure(
        "record",
        `${partitionName(span)} offset ${base}: stored in message format ${magic}, ` +
          "only format 2 (Kafka 0.11 and later) can be read",
      );
    }
    if (
      this.#options.checkCrcs &&
      kernel.crc32c(at + Batch.attributes, end - at - Batch.attributes) !==
        view.getUint32(at + Batch.crc)
    ) {
      throw new Failure(
        "record",
        `${partitionName(span)} base offset ${base}: the batch's CRC32C does not match its bytes`,
      );
    }
    const codec = view.getInt16(at + Batch.attributes) & Attribute.codec;
    if (codec !== 0) {
      throw new Failure(
        "record",
        `${partitionName(span)} base offset ${base}: compressed with ` +
          `${codecs[codec] ?? `codec ${codec}`}, which cannot be read`,
      );
    }
  }

  #batch(
    kernel: Kernel,
    span: Span,
    at: number,
    end: number,
    base: number,
    out: number,
  ): number {
    const min = Math.max(span.done - base, 0);
    const max = Math.min(span.end - base, INT32_MAX);
    let left = kernel.view.getInt32(at + Batch.count);
    let start = at + Batch.records;
    while (true) {
      const budget = Math.min(this.#options.maxRecords - this.counts.records, INT32_MAX);
      out = kernel.rows(start, end, left, min, max, budget, out, this.#flags);
      this.counts.records += kernel.emitted;
      this.counts.tombstones += kernel.nulls;
      if (kernel.delta !== -1) span.done = base + kernel.delta + 1;
      left -= kernel.seen;
      start = kernel.at;
      switch (kernel.stop) {
        case Stop.suspect:
          out = this.#suspect(kernel, span, base + kernel.delta, out);
          break;
        case Stop.full:
          return out;
        case Stop.broken:
          throw broken(span, base);
        default:
          if (start !== end) throw broken(span, base);
          return out;
      }
    }
  }

  #suspect(kernel: Kernel, span: Span, offset: number, out: number): number {
    const end = out + kernel.valueLength;
    const why = whyBad(kernel.bytes, out, end);
    if (why === null) {
      kernel.bytes[end] = 0x0a;
      this.counts.records++;
      return end + 1;
    }
    const line = `${partitionName(span)} offset ${offset}: the value ${why}`;
    if (this.#options.badRecord === "fail") {
      throw new Failure("record", `${line} (--bad-record skip leaves such records out)`);
    }
    this.counts.skipped++;
    this.#log(`${line}; left out`);
    return out;
  }
}

function broken(span: Span, base: number): Failure {
  return new Failure(
    "record",
    `${partitionName(span)} base offset ${base}: the batch's records are malformed`,
  );
}

/** Follows, batch by batch, which producers' records belong to aborted transactions (KIP-98). */
class Aborted {
  readonly #waiting: AbortedTransaction[];
  readonly #active = new Set<number>();

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#waiting = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
  }

  isVoid(view: DataView, at: number, next: number, control: boolean): boolean {
    while (this.#waiting.length > 0 && this.#waiting[0].firstOffset < next) {
      this.#active.add(this.#waiting.shift()!.producerId);
    }
    const transactional = view.getInt16(at + Batch.attributes) & Attribute.transactional;
    if (!transactional) return false;
    const producer = int64At(view, at + Batch.producerId);
    if (control) {
      if (controlType(view, at) === ABORT) this.#active.delete(producer);
      return false;
    }
    return this.#active.has(producer);
  }
}
