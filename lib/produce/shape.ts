import type { ColumnType, ProduceOptions, ValueForm } from "./options.ts";

type Shaping = Pick<ProduceOptions, "key" | "headerColumns" | "value" | "columns">;

/** Numbers of the kernel (shape.as.ts). */
const forms: Record<ValueForm, number> = { row: 0, field: 1, hex: 2, json: 3 };
const types: Record<ColumnType, number> = { text: 0, number: 1, boolean: 2, json: 3 };

/** Sizes in the program, bytes. */
const HEAD = 64;
const ITEM = 16;
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

/**
 * The program by which the kernel makes records of rows: null if a record's value is its row, as it
 * stands. It can lie anywhere, and ends with the kernel's table of a row's columns.
 *
 * uint32 each: form; columns; the key's column, from 1, 0 for none; where a byte for each column is
 * that says whether it is left out of a value that is a row; items of the value, how many and where;
 * headers, the same; the text before and the text after the items, where and how long each; where the
 * table is. An item: column, from 0; type; the text before it, where and how long. A header: column,
 * from 0; its name after the name's varint length, where and how long.
 */
export function shapeOf(options: Shaping): Uint8Array<ArrayBuffer> | null {
  const { key, headerColumns, value, columns } = options;
  const cut = cutColumns(options);
  if (value === "row" && cut.size === 0) return null;
  const keyColumn = key !== null && "column" in key ? key.column : 0;
  const highest = Math.max(keyColumn, ...cut);
  const count = value === "row" ? highest : value === "json" ? columns.length : cut.size + 1;
  const kept = Array.from({ length: count }, (_, column) => column)
    .filter((column) => !cut.has(column + 1));
  const items = value === "row" ? [] : kept.map((column, index) => ({
    column,
    type: value === "json" ? types[columns[column].type] : 0,
    text: value === "json" ? `${index > 0 ? "," : ""}${JSON.stringify(columns[column].name)}:` : "",
  }));
  const itemsAt = HEAD + align(count);
  const headersAt = itemsAt + items.length * ITEM;
  const words: [at: number, word: number][] = [];
  const texts: Uint8Array[] = [];
  let end = headersAt + headerColumns.length * HEADER;
  /** Notes at `at` where the text will be, and how long it is. */
  const place = (at: number, text: Uint8Array) => {
    words.push([at, end], [at + 4, text.length]);
    texts.push(text);
    end += text.length;
  };
  const head = [forms[value], count, keyColumn, HEAD, items.length, itemsAt];
  for (const [index, word] of [...head, headerColumns.length, headersAt].entries()) {
    words.push([4 * index, word]);
  }
  place(32, utf8.encode(value === "json" ? "{" : ""));
  place(40, utf8.encode(value === "json" ? "}" : ""));
  for (const [index, { column, type, text }] of items.entries()) {
    const at = itemsAt + index * ITEM;
    words.push([at, column], [at + 4, type]);
    place(at + 8, utf8.encode(text));
  }
  for (const [index, { name, column }] of headerColumns.entries()) {
    const at = headersAt + index * HEADER;
    words.push([at, column - 1]);
    place(at + 4, withLength(utf8.encode(name)));
  }
  const table = align(end);
  words.push([48, table]);
  const program = new Uint8Array(table + COLUMN * (count + 1));
  const view = new DataView(program.buffer);
  for (const [at, word] of words) view.setUint32(at, word, true);
  for (const column of cut) if (column <= count) program[HEAD + column - 1] = 1;
  let at = headersAt + headerColumns.length * HEADER;
  for (const text of texts) {
    program.set(text, at);
    at += text.length;
  }
  return program;
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
