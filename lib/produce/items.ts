import type { ColumnType, ProduceOptions } from "./options.ts";

/** A part of a record's value, made of one column. */
export interface Item {
  /** From 0. */
  column: number;
  /** As the kernel numbers it (shape.as.ts, avro_text.as.ts). */
  type: number;
  /** What is before it. */
  text: Uint8Array;
  /** Of Avro's types: whether null is a branch, 1 the first, 2 the second; and a scale or a size. */
  nullable?: number;
  argument?: number;
  /** Of an enum. */
  symbols?: readonly string[];
  /** Bytes of room that a decimal is worked out in. */
  room?: number;
}

/** A value that is made of columns, with what is before and after them. */
export interface Items {
  lead: Uint8Array;
  items: Item[];
  trail: Uint8Array;
}

const types: Record<ColumnType, number> = { text: 0, number: 1, boolean: 2, json: 3 };

const utf8 = new TextEncoder();

/** An object of those columns, by their numbers from 0. */
export function jsonItems(columns: ProduceOptions["columns"], kept: readonly number[]): Items {
  return {
    lead: utf8.encode("{"),
    items: kept.map((column, index) => ({
      column,
      type: types[columns[column].type],
      text: utf8.encode(`${index > 0 ? "," : ""}${JSON.stringify(columns[column].name)}:`),
    })),
    trail: utf8.encode("}"),
  };
}
