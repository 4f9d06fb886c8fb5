import { Failure } from "../failure.ts";
import { partitionName } from "../kafka/partitions.ts";
import type { CodecImplementation } from "../protocol/codecs/codec.ts";
import { loadCodec } from "../protocol/codecs/codecs.ts";
import { Flag, type Kernel, type Program, unfitReasons } from "../protocol/kernel/kernel.ts";
import type { FetchedPartition } from "../protocol/messages/fetch.ts";
import { Attribute, Batch, batchEnd, type Codec, codecs } from "../protocol/record_batch.ts";
import { RowFormat } from "./columns.ts";
import { Memory } from "./memory.ts";
import type { ConsumeOptions } from "./options.ts";
import type { Span } from "./span.ts";
import type { Structure, UnknownFrame } from "./structure.ts";

/** What came of the records so far. */
export interface Counts {
  /** Records that became rows. */
  records: number;
  /** Rows written: the same number, except with `--value rows`. */
  rows: number;
  /** Bad records left out. */
  skipped: number;
  /** Null values left out. */
  tombstones: number;
}

/** A record that is not a valid row: where it comes from, and why it is not one. */
export interface BadRecord {
  topic: string;
  partition: number;
  offset: number;
  why: string;
  /** A copy of the whole record, as its batch holds it; null if rows are made in place. */
  record: Uint8Array | null;
  /** The codec of its batch. */
  codec: Codec;
}

/** What all fetched batches of a run share: how rows are made, the codecs loaded, the counts. */
export class RowContext {
  readonly counts: Counts = { records: 0, rows: 0, skipped: 0, tombstones: 0 };
  readonly options: ConsumeOptions;
  readonly format: RowFormat;
  /** For the kernel: what the options ask of every batch. */
  readonly flags: number;
  /**
   * Whether a row is just its value, made where the record lies. Not so for dead letters: they are
   * whole records, and rows made in place overwrite them.
   */
  readonly inPlace: boolean;
  readonly memory: Memory;
  /** Bytes of records that were left out, and wait in memory to be written elsewhere. */
  held = 0;
  readonly #onBad: (bad: BadRecord) => void;
  readonly #codecs = new Map<number, CodecImplementation>();

  /** `onBad` is called for every record left out. */
  constructor(
    options: ConsumeOptions,
    onBad: (bad: BadRecord) => void,
    structure: Structure = { key: null, value: null },
  ) {
    this.options = options;
    this.format = new RowFormat(options, structure);
    this.inPlace = this.format.plain && typeof options.badRecord === "string";
    this.flags = this.format.flags |
      (options.badRecord === "pass" ? 0 : Flag.guard | Flag.trimmed) |
      (options.tombstones !== "skip" ? Flag.emptyTombstones : 0);
    this.memory = new Memory(options.memoryMax);
    this.#onBad = onBad;
  }

  /** Gets a buffer without rows ready for some; returns where they start. */
  ready(target: Kernel): number {
    if (!this.inPlace && target.program !== this.format.program) target.load(this.format.program);
    return target.start;
  }

  /** Notes which fields the rows had that were made in a buffer: see {@link RowFormat.neverMet}. */
  note(target: Kernel): void {
    if (target.program !== null) this.format.note(target);
  }

  /**
   * Why a key or value with this frame is not readable, as it goes on from its name. Null if its
   * schema is still to be learned, or `program` was made before it was.
   */
  reject({ part, frame }: UnknownFrame, program: Program | null): string | null {
    return program === this.format.program ? this.format.structure[part]!.reject(frame) : null;
  }

  /** Learns the schema of a frame; then buffers must be made {@link ready} again. Throws Failure. */
  async learn({ part, frame }: UnknownFrame): Promise<void> {
    await this.format.structure[part]!.learn(frame);
    this.format.renew();
  }

  /**
   * What a walker rejected of a key or value, as it goes on from its name: `is not valid JSON: … (byte
   * 7, in items[2])`.
   */
  whyInvalid({ valueAt, valueLength, badAt, badSlot, program }: Kernel, bytes: Uint8Array): string {
    const why = unfitReasons[valueAt];
    if (badAt < 0) return why;
    const part = this.format.structure[valueLength === 0 ? "key" : "value"];
    const place = part?.placeOf?.(bytes, badAt) || this.format.pathOf(program, badSlot);
    return `${why} (byte ${badAt}${place ? `, in ${place}` : ""})`;
  }

  /** Whether as many records became rows as were asked for. */
  get full(): boolean {
    return this.counts.records >= this.options.maxRecords;
  }

  /** Loads the codecs of what was fetched. Returns whether any of its batches is compressed. */
  async prepare({ view }: Kernel, partitions: readonly FetchedPartition[]): Promise<boolean> {
    let found = 0;
    for (const { start, end } of partitions) {
      for (let at = start, stop; (stop = batchEnd(view, at, end)) !== -1; at = stop) {
        found |= 1 << (view.getInt16(at + Batch.attributes) & Attribute.codec);
      }
    }
    for (let codec = 1; codec < codecs.length; codec++) {
      if ((found & 1 << codec) === 0 || this.#codecs.has(codec)) continue;
      this.#codecs.set(codec, await loadCodec(codecs[codec]));
    }
    return found > 1;
  }

  /** A codec by its number in a batch's attributes; undefined for a number that Kafka does not have. */
  codec(id: number): CodecImplementation | undefined {
    return this.#codecs.get(id);
  }

  /** Counts a bad record that is left out. Throws Failure (record) if it must not be. */
  leaveOut(
    span: Span,
    offset: number,
    why: string,
    record: Uint8Array | null = null,
    codec: Codec = "none",
  ): void {
    if (this.options.badRecord === "fail") {
      throw new Failure(
        "record",
        `${
          partitionName(span)
        } offset ${offset}: ${why} (--bad-record skip leaves such records out)`,
      );
    }
    this.counts.skipped++;
    this.held += record?.length ?? 0;
    const { topic, partition } = span;
    this.#onBad({ topic, partition, offset, why, record, codec });
  }
}
