import { Flag, Kernel, type RowsOf, Stop, unfitReasons } from "../protocol/kernel/kernel.ts";
import {
  Attribute,
  Batch,
  type Codec,
  codecs,
  int64At,
  recordEnd,
} from "../protocol/record_batch.ts";
import { readRecord } from "../protocol/record.ts";
import { brokenBatch } from "./check_batches.ts";
import type { RowContext } from "./row_context.ts";
import { whyBad, whyFramed } from "./guard.ts";
import type { BatchRecords } from "./records.ts";
import type { Span } from "./span.ts";
import type { UnknownFrame } from "./structure.ts";

const INT32_MAX = 0x7fffffff;
/** Rows lie at least so far before the records they are made of. */
const GAP = 64;

/** Bytes of bad records that may wait to be written elsewhere before more rows are made. */
const HELD_MAX = 4 * 1024 * 1024;

/** A Confluent frame has an id, and with Protobuf up to 100 indexes: longer than this is none. */
const LONGEST_FRAME = 1024;

/**
 * Whether a batch is done; else what is missing: more of its records, more room for rows, a higher
 * limit on their number, or the schema of {@link BatchRows.unknown}.
 */
export type Progress = "done" | "more" | "enough" | "full" | "schema";

/** Turns the records of one batch into rows: of a large one slice by slice, into any buffers. */
export class BatchRows {
  readonly #context: RowContext;
  readonly #span: Span;
  readonly #base: number;
  readonly #time: number;
  readonly #flags: number;
  readonly #codec: Codec;
  /** The last offset of the batch, and the last one seen, less the base offset. */
  readonly #last: number;
  #passed = -1;
  /** Records still to come. */
  #left: number;
  /** Why {@link from} returned. */
  progress: Progress = "done";
  /** What {@link from} needs the schema of. */
  unknown: UnknownFrame | null = null;

  constructor(context: RowContext, span: Span, view: DataView, at: number) {
    this.#context = context;
    this.#span = span;
    const attributes = view.getInt16(at + Batch.attributes);
    const appendTime = (attributes & Attribute.appendTime) !== 0;
    this.#codec = codecs[attributes & Attribute.codec] ?? "none";
    this.#base = int64At(view, at);
    this.#time = int64At(view, at + (appendTime ? Batch.maxTimestamp : Batch.baseTimestamp));
    this.#flags = context.flags | (appendTime ? Flag.appendTime : 0);
    this.#last = view.getInt32(at + Batch.lastOffsetDelta);
    this.#left = view.getInt32(at + Batch.count);
  }

  /**
   * Makes rows of all the records from `start` to `end` of `kernel`, in place: at `out`, which lies
   * before them in the same buffer. Returns where they end.
   */
  inPlace(kernel: Kernel, start: number, end: number, out: number): number {
    while (true) {
      out = this.#rows(kernel, start, end, out);
      start = kernel.at;
      if (kernel.stop === Stop.suspect) out = this.#look(kernel, out);
      else if (kernel.stop === Stop.full || start === end) return out;
      else throw this.#malformed();
    }
  }

  /**
   * Makes rows of records that lie elsewhere: at `out` of `target`, until they reach `enough`, or
   * enough bad records wait. Returns where they end; {@link progress} tells why they do.
   */
  from(records: BatchRecords, target: Kernel, out: number, enough: number): number {
    const { format, inPlace } = this.#context;
    this.progress = "enough";
    while (out < enough && this.#context.held < HELD_MAX) {
      const window = records.window();
      const limit = inPlace ? out : out + records.room(format, window.length);
      const start = limit + GAP;
      const end = start + window.length;
      target.reserve(end - Kernel.DATA);
      target.bytes.set(window, start);
      if (!inPlace) target.setPartition(this.#span.topic, this.#span.partition);
      out = this.#window(target, start, end, out, limit);
      const used = target.at - start;
      records.use(used);
      switch (target.stop) {
        case Stop.full:
          this.progress = "full";
          return out;
        case Stop.schema:
          this.progress = "schema";
          return out;
        case Stop.enough:
          if (used === 0) records.enlargeRoom(format);
          break;
        case Stop.broken:
          if (!records.isCut()) throw this.#malformed();
          if (records.enlarge()) break;
          this.progress = "more";
          return out;
        default:
          if (!records.isEmpty) throw this.#malformed();
          // What is compressed may go on: only its end tells whether it is whole.
          this.progress = records.isWhole ? "done" : "more";
          return out;
      }
    }
    return out;
  }

  /** Makes rows of the records from `start` to `end` of `target`: at `out`, up to `limit`. */
  #window(target: Kernel, start: number, end: number, out: number, limit: number): number {
    const { inPlace } = this.#context;
    while (true) {
      out = inPlace
        ? this.#rows(target, start, end, out)
        : this.#fields(target, start, end, out, limit);
      const { stop } = target;
      if (stop === Stop.schema || stop === Stop.invalid) {
        const next = recordEnd(target.bytes, target.at);
        if (!this.#isLeftOut(target, target.bytes.slice(target.at, next))) return out;
        start = next;
        continue;
      }
      if (stop !== Stop.suspect && stop !== Stop.unfit) return out;
      if (inPlace) {
        start = target.at;
        out = this.#look(target, out);
      } else {
        start = recordEnd(target.bytes, target.at);
        out = this.#lookAtRecord(target, target.at, start, out, limit);
      }
    }
  }

  #rows(kernel: Kernel, start: number, end: number, out: number): number {
    out = kernel.rows(this.#wanted(start, end, out));
    this.#count(kernel);
    return out;
  }

  #fields(target: Kernel, start: number, end: number, out: number, limit: number): number {
    out = target.fields({
      ...this.#wanted(start, end, out),
      enough: limit,
      offset: this.#base,
      time: this.#time,
    });
    this.#count(target);
    return out;
  }

  /** What the kernel is asked for: which offset deltas are wanted, and how many rows at most. */
  #wanted(start: number, end: number, out: number): RowsOf {
    const { counts, options } = this.#context;
    return {
      start,
      end,
      count: this.#left,
      min: Math.max(this.#span.done - this.#base, 0),
      max: Math.min(this.#span.end - this.#base, INT32_MAX),
      budget: Math.min(options.maxRecords - counts.records, INT32_MAX),
      out,
      flags: this.#flags,
      floor: this.#passed,
      ceiling: this.#last,
    };
  }

  #count(kernel: Kernel): void {
    const { counts } = this.#context;
    counts.records += kernel.emitted;
    counts.rows += kernel.written;
    counts.tombstones += kernel.nulls;
    if (kernel.delta !== -1) this.#span.done = this.#base + kernel.delta + 1;
    this.#left -= kernel.seen;
    this.#passed = kernel.passed;
  }

  /** Looks at a value that lies after the rows already, at `out`. Returns where the rows end. */
  #look({ bytes, delta, valueLength }: Kernel, out: number): number {
    const end = out + valueLength;
    const why = whyBad(bytes, out, end);
    if (why !== null) {
      this.#context.leaveOut(this.#span, this.#base + delta, `the value ${why}`);
      return out;
    }
    bytes[end] = 0x0a;
    this.#context.counts.records++;
    this.#context.counts.rows++;
    return end + 1;
  }

  /** Looks at the record from `start` to `end`, which is not one of the rows yet. */
  #lookAtRecord(target: Kernel, start: number, end: number, out: number, limit: number): number {
    const { bytes, stop, delta, valueAt, valueLength } = target;
    const { counts, format } = this.#context;
    let why: string | null;
    if (stop === Stop.unfit) {
      const isValue = valueLength === -1;
      const framed = isValue ? whyFramed(readRecord(bytes.slice(start, end)).value!) : null;
      why = `${format.nameOf(valueLength)} ${framed ?? unfitReasons[valueAt]}`;
    } else {
      why = whyBad(bytes, valueAt, valueAt + valueLength);
      if (why !== null) why = `the value ${why}`;
    }
    this.#left--;
    this.#passed = delta;
    if (why !== null) {
      const record = bytes.slice(start, end);
      this.#context.leaveOut(this.#span, this.#base + delta, why, record, this.#codec);
      return out;
    }
    out = target.fields({
      ...{ start, end, count: 1, min: delta, max: delta + 1, budget: 1, out },
      ...{ flags: this.#flags & ~Flag.guard, floor: delta - 1, ceiling: delta },
      ...{ enough: limit, offset: this.#base, time: this.#time },
    });
    counts.records++;
    counts.rows++;
    return out;
  }

  /**
   * Leaves out a record whose key or value cannot be taken apart. False if that is not known yet: its
   * schema is to be learned, or the kernel's program is an old one.
   */
  #isLeftOut(kernel: Kernel, record: Uint8Array): boolean {
    const context = this.#context;
    const { delta, key, value } = readRecord(record);
    const part = kernel.valueLength === 0 ? "key" : "value";
    let why: string | null;
    const bytes = (part === "key" ? key : value)!;
    if (kernel.stop === Stop.invalid) why = context.whyInvalid(kernel, bytes);
    else {
      const frame = bytes.slice(0, LONGEST_FRAME);
      this.unknown = { part, frame };
      why = context.reject(this.unknown, kernel.program);
    }
    if (why === null) return false;
    this.#left--;
    this.#passed = delta;
    const offset = this.#base + delta;
    this.#span.done = offset + 1;
    context.leaveOut(this.#span, offset, `the ${part} ${why}`, record, this.#codec);
    return true;
  }

  #malformed() {
    return brokenBatch(this.#span, this.#base, "the batch's records are malformed");
  }
}
