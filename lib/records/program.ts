import type { Program } from "../protocol/kernel/kernel.ts";
import { SLOT_SIZE } from "./slots.ts";

/** "GPK1", and the size of the header: program.as.ts of the kernel reads it. */
const MAGIC = 0x314b5047;
const HEADER = 64;
const COLUMN_ENTRY = 12;
const SOURCE_SIZE = 24;
const ROOT_ENTRY = 12;

/** A field of a row, as the kernel knows them: from the record itself, or a slot. */
export type Column =
  | { kind: "text" | "header"; text: Uint8Array }
  | { kind: "slot"; slot: number }
  | { kind: Exclude<keyof typeof columnKinds, "text" | "header" | "slot"> };

const columnKinds = {
  text: 0,
  offset: 1,
  timestamp: 2,
  key: 3,
  header: 4,
  partition: 5,
  topic: 6,
  "key:hex": 7,
  headers: 8,
  tombstone: 9,
  schema: 10,
  slot: 11,
} as const;

/** The format of a key or value. */
export const Form = { json: 1, avro: 2, protobuf: 3 } as const;
/** Whether it is in a Confluent frame; `optional`: its first byte says so. */
export const Framed = { never: 0, required: 1, optional: 2 } as const;

/** How a key or a value is taken apart. */
export interface Source {
  form: number;
  framed: number;
  /** The walker's node for what has no frame, and for JSON in one; 0 if there is none. */
  root: number;
  /** The nodes for frames: `key` is what follows the frame's 0x00 (id, and message indexes). */
  roots: readonly { key: Uint8Array; root: number }[];
}

/** What a program is made of beside what was written before. */
export interface Parts {
  columns: readonly Column[];
  /** Number of slots. */
  slots: number;
  key?: Source | null;
  value?: Source | null;
  /** A row takes at most `fixed` bytes and `factor` times its record, slots aside. */
  fixed: number;
  factor: number;
  /** Where the dialect of the values' rows is described; 0 if they are standard CSV. */
  dialect?: number;
}

/**
 * Writes a program of rows: front ends {@link reserve} nodes and fill them in, then {@link finish}
 * makes the whole. All references are offsets from its start, little-endian, never 0.
 */
export class ProgramWriter {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #size = HEADER;
  #scratch = 0;

  /** Room of zeroes; returns its offset. */
  reserve(size: number, align = 8): number {
    const at = Math.ceil(this.#size / align) * align;
    this.#size = at + size;
    if (this.#size > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#size, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  /** These bytes; returns their offset. */
  add(bytes: Uint8Array, align = 1): number {
    const at = this.reserve(bytes.length, align);
    this.#bytes.set(bytes, at);
    return at;
  }

  /** Puts bytes where there is room for them. */
  bytes(at: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, at);
  }

  /** A walker needs this many bytes for its stack, while it walks. */
  needScratch(size: number): void {
    this.#scratch = Math.max(this.#scratch, size);
  }

  u8(at: number, value: number): void {
    this.#view.setUint8(at, value);
  }

  u32(at: number, ...values: readonly number[]): void {
    for (const [index, value] of values.entries()) {
      this.#view.setUint32(at + 4 * index, value, true);
    }
  }

  i64(at: number, value: bigint): void {
    this.#view.setBigInt64(at, value, true);
  }

  /** The program, with its columns, slots and sources. Nothing can be written after that. */
  finish({ columns, slots, key, value, fixed, factor, dialect = 0 }: Parts): Program {
    const entries = this.reserve(COLUMN_ENTRY * columns.length);
    for (const [index, column] of columns.entries()) {
      const at = entries + COLUMN_ENTRY * index;
      this.u32(at, columnKinds[column.kind]);
      if ("slot" in column) this.u32(at + 4, column.slot);
      if ("text" in column) this.u32(at + 4, this.add(column.text), column.text.length);
    }
    const keySource = key ? this.#source(key) : 0;
    const valueSource = value ? this.#source(value) : 0;
    // From here on there is nothing but room: it is not part of the bytes.
    const bytes = this.#size;
    const slotsAt = this.reserve(SLOT_SIZE * slots, 64);
    const metAt = this.reserve(slots, 64);
    const scratchAt = this.reserve(this.#scratch, 64);
    // deno-fmt-ignore
    this.u32(0, MAGIC, entries, columns.length, slotsAt, slots, keySource, valueSource,
      scratchAt, this.#scratch, metAt, fixed, factor, dialect);
    return { bytes: this.#bytes.slice(0, bytes), size: this.#size, met: metAt, slots };
  }

  #source({ form, framed, root, roots }: Source): number {
    const at = this.reserve(SOURCE_SIZE);
    const table = this.reserve(ROOT_ENTRY * roots.length);
    this.u32(at, form, framed, table, roots.length, table, root);
    for (const [index, { key, root }] of roots.entries()) {
      this.u32(table + ROOT_ENTRY * index, this.add(key), key.length, root);
    }
    return at;
  }
}
