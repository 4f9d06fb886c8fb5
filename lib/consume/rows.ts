import { Failure } from "../failure.ts";
import { partitionName } from "../kafka/offsets.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { Flag, Kernel, Stop, unfitReasons } from "../protocol/kernel/kernel.ts";
import type { FetchedPartition } from "../protocol/messages/fetch.ts";
import { Attribute, Batch, batchEnd, int64At, recordEnd } from "../protocol/record_batch.ts";
import { Aborted } from "./aborted.ts";
import type { Decoder } from "./decoder.ts";
import { whyBad } from "./guard.ts";
import type { Span } from "./span.ts";

const INT32_MAX = 0x7fffffff;
/** What the records of one batch may inflate to. */
export const INFLATED_MAX = 256 * 1024 * 1024;
/** Rows lie at least so far in front of the records they are made of. */
const GAP = 64;

/**
 * Turns what was fetched of one partition into rows, batch by batch: in the buffer it was read
 * into (target = source), or in others.
 */
export class PartitionRows {
  readonly #decoder: Decoder;
  readonly #source: Kernel;
  readonly #span: Span;
  readonly #aborted: Aborted;
  readonly #end: number;
  readonly #inflated: ReadonlyMap<number, Uint8Array>;
  #target: Kernel;
  #at: number;

  /** `inflated` has the records of compressed batches that are inflated already, by their place. */
  constructor(
    decoder: Decoder,
    source: Kernel,
    fetched: FetchedPartition,
    span: Span,
    inflated: ReadonlyMap<number, Uint8Array> = new Map(),
  ) {
    this.#decoder = decoder;
    this.#source = source;
    this.#target = source;
    this.#span = span;
    this.#inflated = inflated;
    this.#aborted = new Aborted(fetched.aborted);
    this.#at = fetched.start;
    this.#end = fetched.end;
  }

  /** Whether all batches were turned into rows. */
  get finished(): boolean {
    return this.#at === this.#end;
  }

  /** Where the next batch starts. */
  get at(): number {
    return this.#at;
  }

  /**
   * Writes rows to `target` from `out` on, and moves the span's `done` behind them. Returns where
   * they end: behind the last batch in front of `reach`, or behind one that passes `enough`. Throws
   * Failure (record), naming topic, partition and offset.
   */
  write(target: Kernel, out: number, enough: number, reach = this.#end): number {
    this.#target = target;
    const span = this.#span;
    const { view } = this.#source;
    while (this.#at < reach && !this.#decoder.full && out < enough) {
      const at = this.#at;
      const end = batchEnd(view, at, this.#end);
      const base = end === -1 ? span.end : int64At(view, at);
      if (base >= span.end) {
        // Only a part of a batch is left, or nothing that is wanted.
        if (end !== -1) span.done = span.end;
        this.#at = this.#end;
        return out;
      }
      const next = base + view.getInt32(at + Batch.lastOffsetDelta) + 1;
      const isVoid = this.#aborted.isVoid(view, at, next);
      if (next > span.done) {
        this.#check(at, end, base);
        if (!isVoid) {
          out = this.#batch(at, end, base, out);
          if (this.#decoder.full) return out;
        }
        span.done = Math.max(span.done, Math.min(next, span.end));
      }
      this.#at = end;
    }
    return out;
  }

  #check(at: number, end: number, base: number): void {
    const { view } = this.#source;
    const magic = view.getInt8(at + Batch.magic);
    if (magic !== 2) {
      throw new Failure(
        "record",
        `${partitionName(this.#span)} offset ${base}: stored in message format ${magic}, ` +
          "only format 2 (Kafka 0.11 and later) can be read",
      );
    }
    if (!this.#decoder.options.checkCrcs) return;
    const summed = this.#source.crc32c(at + Batch.attributes, end - at - Batch.attributes);
    if (summed !== view.getUint32(at + Batch.crc)) {
      throw this.#broken(base, "the batch's CRC32C does not match its bytes");
    }
  }

  #batch(at: number, end: number, base: number, out: number): number {
    const { counts, options, inPlace, format } = this.#decoder;
    const { view } = this.#source;
    const target = this.#target;
    const span = this.#span;
    const attributes = view.getInt16(at + Batch.attributes);
    const appendTime = (attributes & Attribute.appendTime) !== 0;
    const time = int64At(view, at + (appendTime ? Batch.maxTimestamp : Batch.baseTimestamp));
    const flags = this.#decoder.flags | (appendTime ? Flag.appendTime : 0);
    const min = Math.max(span.done - base, 0);
    const max = Math.min(span.end - base, INT32_MAX);
    let left = view.getInt32(at + Batch.count);
    let start = at + Batch.records;
    if (target !== this.#source) {
      const records = this.#inflated.get(at) ??
        this.#inflate(this.#source.bytes.subarray(start, end), attributes & Attribute.codec, base);
      [start, end] = this.#move(records, base, left, out);
    }
    while (true) {
      const budget = Math.min(options.maxRecords - counts.records, INT32_MAX);
      // deno-fmt-ignore
      out = inPlace
        ? target.rows(start, end, left, min, max, budget, out, flags)
        : target.fields(start, end, left, min, max, budget, out, flags, format.count, base, time);
      const { stop, delta } = target;
      counts.records += target.emitted;
      counts.tombstones += target.nulls;
      if (delta !== -1) span.done = base + delta + 1;
      left -= target.seen;
      start = target.at;
      if (stop === Stop.full) return out;
      if (stop === Stop.done && start === end) return out;
      if (stop === Stop.done || stop === Stop.broken) {
        throw this.#broken(base, "the batch's records are malformed");
      }
      if (inPlace) out = this.#lookInPlace(base + delta, out);
      else {
        const next = recordEnd(target.view, start);
        if (this.#isRow(base + delta, start, next)) {
          const unguarded = flags & ~Flag.guard;
          // deno-fmt-ignore
          out = target.fields(
            start, next, 1, delta, delta + 1, 1, out, unguarded, format.count, base, time);
          counts.records++;
        }
        start = next;
        left--;
      }
    }
  }

  /** Puts a batch's records into the target, inflated, behind the rows to be made of them. */
  #move(records: Uint8Array, base: number, count: number, out: number) {
    const target = this.#target;
    const { format, inPlace } = this.#decoder;
    const size = records.length;
    let to = out + GAP;
    target.reserve(to + size - Kernel.DATA);
    target.bytes.set(records, to);
    if (!inPlace) {
      const room = format.room(size, count);
      try {
        target.reserve(to + room + size - Kernel.DATA);
      } catch {
        throw this.#broken(base, `the batch's ${size} bytes are too many for these columns`);
      }
      target.bytes.copyWithin(to + room, to, to + size);
      target.setColumns(format.columns(this.#span.partition));
      to += room;
    }
    return [to, to + size];
  }

  #inflate(records: Uint8Array, codec: number, base: number): Uint8Array {
    if (codec === 0) return records;
    const implementation = this.#decoder.codec(codec);
    if (!implementation) throw this.#broken(base, `the batch's codec ${codec} is unknown`);
    try {
      return implementation.decompress(records, INFLATED_MAX);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      throw this.#broken(base, `cannot decompress the batch: ${error.message}`);
    }
  }

  /** Looks at a value that lies behind the rows already, at `out`. Returns where the rows end. */
  #lookInPlace(offset: number, out: number): number {
    const { bytes, valueLength } = this.#target;
    const end = out + valueLength;
    const why = whyBad(bytes, out, end);
    if (why !== null) {
      this.#decoder.leaveOut(this.#span, offset, `the value ${why}`, null);
      return out;
    }
    bytes[end] = 0x0a;
    this.#decoder.counts.records++;
    return end + 1;
  }

  /** Looks at the record from `start` to `end`. False: it is left out. */
  #isRow(offset: number, start: number, end: number): boolean {
    const { bytes, stop, valueAt, valueLength } = this.#target;
    const { format } = this.#decoder;
    let why: string | null;
    if (stop === Stop.unfit) why = `${format.nameOf(valueLength)} ${unfitReasons[valueAt]}`;
    else {
      why = whyBad(bytes, valueAt, valueAt + valueLength);
      if (why !== null) why = `the value ${why}`;
    }
    if (why === null) return true;
    this.#decoder.leaveOut(this.#span, offset, why, bytes.slice(start, end));
    return false;
  }

  #broken(base: number, what: string): Failure {
    return new Failure("record", `${partitionName(this.#span)} base offset ${base}: ${what}`);
  }
}
