import { ProtocolError } from "../protocol/errors.ts";
import { CodecLimitError } from "../protocol/codecs/errors.ts";
import type { Kernel } from "../protocol/kernel/kernel.ts";
import type { FetchedPartition } from "../protocol/messages/fetch.ts";
import { Attribute, Batch, batchEnd, int64At } from "../protocol/record_batch.ts";
import { Aborted } from "./aborted.ts";
import { BatchRows } from "./batch_rows.ts";
import type { UnknownFrame } from "./structure.ts";
import { brokenBatch, checkCrc } from "./check_batches.ts";
import type { RowContext } from "./row_context.ts";
import { BatchRecords } from "./records.ts";
import type { Span } from "./span.ts";

/** A batch that inflates to more is inflated piece by piece, if its codec can. */
const AT_ONCE = 16 * 1024 * 1024;

/**
 * Turns what was fetched of one partition into rows, batch by batch: in the buffer it was read
 * into (target = source), or in others. Their headers were checked before ({@link checkBatches}).
 */
export class PartitionRows {
  readonly #context: RowContext;
  readonly #source: Kernel;
  readonly #span: Span;
  readonly #aborted: Aborted;
  readonly #end: number;
  #at: number;
  /** The batch at {@link at}, if rows are being made of it; its records, if they lie elsewhere. */
  #batch: BatchRows | null = null;
  #records: BatchRecords | null = null;
  /** Where more of these come from. */
  #pieces: AsyncGenerator<Uint8Array> | null = null;
  #isHungry = false;

  constructor(
    context: RowContext,
    source: Kernel,
    fetched: FetchedPartition,
    span: Span,
  ) {
    this.#context = context;
    this.#source = source;
    this.#span = span;
    this.#aborted = new Aborted(fetched.aborted);
    this.#at = fetched.start;
    this.#end = fetched.end;
  }

  /** Whether all batches were turned into rows. */
  get finished(): boolean {
    return this.#at === this.#end;
  }

  /** What {@link RowContext.learn} must learn before more rows can be made. */
  get unknown(): UnknownFrame | null {
    return this.#batch?.progress === "schema" ? this.#batch.unknown : null;
  }

  /** Whether {@link feed} must be called before rows can be made. */
  get isHungry(): boolean {
    return this.#isHungry;
  }

  /**
   * Writes rows to `target` from `out` on, and moves the span's `done` past them. Returns where
   * they end: after the last batch, or where they pass `enough`, or where it {@link isHungry}. Throws
   * Failure (record), naming topic, partition and offset.
   */
  write(target: Kernel, out: number, enough: number): number {
    const span = this.#span;
    const { view } = this.#source;
    while (!this.finished && !this.#context.full && out < enough) {
      const at = this.#at;
      const end = batchEnd(view, at, this.#end);
      const base = int64At(view, at);
      if (base >= span.end) {
        // Nothing more is wanted.
        span.done = span.end;
        this.#at = this.#end;
        return out;
      }
      const next = base + view.getInt32(at + Batch.lastOffsetDelta) + 1;
      if (this.#batch === null) {
        if (this.#context.options.checkCrcs) checkCrc(this.#source, span, at, end);
        if (this.#aborted.isVoid(view, at, end, next) || next <= span.done) {
          this.#pass(end, next);
          continue;
        }
        this.#batch = new BatchRows(this.#context, span, view, at);
      }
      if (target === this.#source) {
        out = this.#batch.inPlace(target, at + Batch.records, end, out);
      } else {
        this.#records ??= this.#open(at, end, base);
        out = this.#batch.from(this.#records, target, out, enough);
        this.#isHungry = this.#batch.progress === "more";
        if (this.#batch.progress !== "done") return out;
      }
      if (this.#context.full) return out;
      this.#pass(end, next);
    }
    return out;
  }

  /** Waits for more records of a batch that is inflated piece by piece. */
  async feed(): Promise<void> {
    const records = this.#records!;
    this.#isHungry = false;
    try {
      const { value, done } = await this.#pieces!.next();
      if (done) records.isWhole = true;
      else records.add(value);
    } catch (error) {
      throw this.#unpackable(error, int64At(this.#source.view, this.#at));
    }
  }

  /** Gives up a batch of which only a part was wanted. */
  async close(): Promise<void> {
    await this.#pieces?.return(undefined);
  }

  #pass(end: number, next: number): void {
    this.#at = end;
    this.#span.done = Math.max(this.#span.done, Math.min(next, this.#span.end));
    this.#batch = this.#records = this.#pieces = null;
  }

  /** The records of the batch from `at` to `end`, inflated if that takes no more than a little room. */
  #open(at: number, end: number, base: number): BatchRecords {
    const { memory } = this.#context;
    const afford = (size: number) => {
      if (size <= memory.most) return;
      throw brokenBatch(this.#span, base, memory.tooMuch("a record of the batch", size));
    };
    const whole = (bytes: Uint8Array) => new BatchRecords(bytes, afford);
    const packed = this.#source.bytes.subarray(at + Batch.records, end);
    const codec = this.#source.view.getInt16(at + Batch.attributes) & Attribute.codec;
    if (codec === 0) return whole(packed);
    const implementation = this.#context.codec(codec);
    if (!implementation) {
      throw brokenBatch(this.#span, base, `the batch's codec ${codec} is unknown`);
    }
    try {
      return whole(implementation.decompress(packed, AT_ONCE));
    } catch (error) {
      if (!(error instanceof CodecLimitError)) throw this.#unpackable(error, base);
    }
    this.#pieces = implementation.stream?.(packed) ?? null;
    if (this.#pieces !== null) return new BatchRecords(null, afford);
    try {
      return whole(implementation.decompress(packed, memory.most));
    } catch (error) {
      if (!(error instanceof CodecLimitError)) throw this.#unpackable(error, base);
      throw brokenBatch(this.#span, base, memory.tooMuch("the batch", error.needed));
    }
  }

  #unpackable(error: unknown, base: number): unknown {
    if (!(error instanceof ProtocolError)) return error;
    return brokenBatch(this.#span, base, `cannot decompress the batch: ${error.message}`);
  }
}
