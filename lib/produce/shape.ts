import { avroItems } from "./avro_items.ts";
import { type Items, jsonItems } from "./items.ts";
import type { ProduceOptions, ValueForm } from "./options.ts";

type Shaping = Pick<
  ProduceOptions,
  "key" | "headerColumns" | "tombstones" | "value" | "columns" | "schema"
>;

/** Numbers of the kernel (shape.as.ts). */
const forms: Record<ValueForm, number> = { row: 0, field: 1, hex: 2, json: 3, avro: 3 };

/** Sizes in the program, bytes. */
const HEAD = 64;
const ITEM = 32;
const HEADER = 12;
/** Size of a column's entry in the kernel's table (row_fields.as.ts). */
const COLUMN = 24;

const utf8 = new TextEncoder();

/** The numbers, from 1, of the columns that are not part of the value. */
export function cutColumns({ key, headerColumns }: Pick<Shaping, "key" | "headerColumns">) {
  const cut = new Set(headerColumns.map(({ column }) => column));
  if (key !== null && "column" in key && key.cut) cut.add(key.column);
  return cut;
}

/** Whether records are made of a row's columns; else a record's value is its row, as it stands. */
export function isShaped(options: Pick<Shaping, "key" | "headerColumns" | "value">): boolean {
  return options.value !== "row" || cutColumns(options).size > 0;
}

/**
 * The program by which the kernel makes records of rows; null if it needs none. It can lie anywhere,
 * and ends with the kernel's table of a row's columns.
 *
 * uint32 each: form; columns; the key's column, from 1, 0 for none; where a byte for each column is
 * that says whether it is left out of a value that is a row; items of the value, how many and where;
 * headers, the same; the text before and the text after the items, where and how long each; where the
 * table is; whether an empty value may be null. An item: column, from 0; type; the text before it,
 * where and how long; whether null is a branch; argument; its table, where and how long. A header:
 * column, from 0; its name after the name's varint length, where and how long. Throws Failure (usage).
 */
export function shapeOf(options: Shaping): Uint8Array<ArrayBuffer> | null {
  const { key, headerColumns, value, columns, tombstones } = options;
  if (!isShaped(options)) return null;
  const cut = cutColumns(options);
  const keyColumn = key !== null && "column" in key ? key.column : 0;
  const named = value === "json" || value === "avro";
  const count = value === "row"
    ? Math.max(keyColumn, ...cut)
    : named
    ? columns.length
    : cut.size + 1;
  const kept = Array.from({ length: count }, (_, column) => column)
    .filter((column) => !cut.has(column + 1));
  const { lead, items, trail } = itemsOf(options, kept);
  const cuts = HEAD;
  const itemsAt = cuts + align(count);
  const headersAt = itemsAt + items.length * ITEM;
  const program = new Writer(headersAt + headerColumns.length * HEADER);
  program.words(0, forms[value], count, keyColumn, cuts, items.length, itemsAt);
  program.words(24, headerColumns.length, headersAt);
  program.words(32, program.add(lead), lead.length, program.add(trail), trail.length);
  program.words(52, tombstones ? 1 : 0);
  for (const column of cut) program.bytes(cuts + column - 1, [1]);
  for (
    const [index, { column, type, text, nullable, argument, symbols, room }] of items.entries()
  ) {
    const at = itemsAt + index * ITEM;
    program.words(at, column, type, program.add(text), text.length, nullable ?? 0, argument ?? 0);
    if (symbols) program.words(at + 24, program.texts(symbols), symbols.length);
    if (room) program.words(at + 24, program.reserve(room), room);
  }
  for (const [index, { name, column }] of headerColumns.entries()) {
    const text = withLength(utf8.encode(name));
    program.words(headersAt + index * HEADER, column - 1, program.add(text), text.length);
  }
  program.words(48, program.reserve(COLUMN * (count + 1)));
  return program.whole();
}

function itemsOf({ value, columns, schema }: Shaping, kept: readonly number[]): Items {
  if (value === "json") return jsonItems(columns, kept);
  if (value === "avro") return avroItems(schema!.record, schema!.id, columns, kept);
  const none = new Uint8Array();
  const items = value === "row" ? [] : kept.map((column) => ({ column, type: 0, text: none }));
  return { lead: none, items, trail: none };
}

/** Bytes that grow: what is put at their end, and numbers that refer to it. */
class Writer {
  #bytes = new Uint8Array(4096);
  #size: number;

  /** The first `size` bytes are for what is written at fixed places. */
  constructor(size: number) {
    this.#size = 0;
    this.reserve(size);
  }

  /** Room of zeroes at the end, aligned; returns where. */
  reserve(size: number): number {
    const at = align(this.#size);
    this.#size = at + size;
    if (this.#size > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#size);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return at;
  }

  add(bytes: Uint8Array): number {
    const at = this.reserve(bytes.length);
    this.#bytes.set(bytes, at);
    return at;
  }

  /** A table of texts: where each is and how long, uint32 each. */
  texts(texts: readonly string[]): number {
    const table = this.reserve(8 * texts.length);
    for (const [index, text] of texts.entries()) {
      const bytes = utf8.encode(text);
      this.words(table + 8 * index, this.add(bytes), bytes.length);
    }
    return table;
  }

  words(at: number, ...words: readonly number[]): void {
    const view = new DataView(this.#bytes.buffer);
    for (const [index, word] of words.entries()) view.setUint32(at + 4 * index, word, true);
  }

  bytes(at: number, bytes: readonly number[]): void {
    this.#bytes.set(bytes, at);
  }

  whole(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#size);
  }
}

function align(size: number): number {
  return (size + 7) & ~7;
}

/** A header's name with its length before it, a zigzag varint. */
function withLength(name: Uint8Array): Uint8Array {
  const size: number[] = [];
  let rest = 2 * name.length;
  for (; rest > 127; rest >>>= 7) size.push(rest & 127 | 128);
  return new Uint8Array([...size, rest, ...name]);
}
