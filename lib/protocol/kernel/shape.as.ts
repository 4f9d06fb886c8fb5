// A CSV row to the parts of its record: the key, the headers, and a value of some other form.

import {
  COLUMN,
  findColumns,
  isNull,
  leavesOpen,
  plainText,
  restAt,
  simple,
  simpleAt,
  simpleSize,
} from "./row_fields.as";
import { jsonString, numberSize, truth } from "./json_fields.as";
import { isJson } from "./json_check.as";
import { keyLength, keyOf, NO_KEY, rowKey } from "./scan.as";
import { measureAvro, writeAvro } from "./avro_text.as";
import { copy } from "./text.as";
import { isUtf8 } from "./utf8.as";

// The program, as lib/produce/shape.ts writes it: uint32 each, offsets from its start.
const FORM = 0, COLUMNS = 4, KEY = 8, CUTS = 12, ITEMS = 16, ITEMS_AT = 20, HEADERS = 24;
const HEADERS_AT = 28, LEAD_AT = 32, LEAD_SIZE = 36, TRAIL_AT = 40, TRAIL_SIZE = 44, TABLE = 48, NULLS = 52;
/** Value forms. */
const ROW = 0, FIELD = 1, HEX = 2; // else items
/** An item of the value: which column, its type, the text before it, and more for Avro's types. */
const ITEM: usize = 32;
/** A header: which column, and its name with the name's length before it. */
const HEADER: usize = 12;
/** Types of items; Avro's are from AVRO on (avro_text.as.ts). */
const TEXT = 0, NUMBER = 1, BOOLEAN = 2, JSON = 3, AVRO = 16;

/** Why a row can't be a record; named in packing.ts. */
export const KEYLESS = 1, LACKING = 2, COUNT = 3, NOT_UTF8 = 4, NOT_NUMBER = 5, NOT_BOOLEAN = 6;
export const NOT_JSON = 7, NOT_HEX = 8, OPEN_QUOTE = 9, NO_NULL = 10;

let program: usize = 0;
let table: usize = 0;

/** What is wrong with the row: the column, from 1, or for COUNT how many columns it has. */
export let fault: u32 = 0;
/** The size of the value, and of the headers with their count; bytes. */
export let shapedValue: u32 = 0;
export let shapedHeaders: u32 = 0;
/** Whether nothing of the row is in the value: what may stand for a null value. */
export let isEmpty: bool = false;

/** The program that all further rows are shaped by. */
export function setUpShape(at: usize): void {
  program = at;
  table = at + load<u32>(at, TABLE);
}

// @ts-ignore: decorator
@inline
function entryOf(column: u32): usize {
  return table + COLUMN * column;
}

// @ts-ignore: decorator
@inline
function varintSize(n: u32): u32 {
  // The zigzag varint of a number that is not negative.
  return n < 64 ? 1 : n < 8192 ? 2 : n < 1048576 ? 3 : n < 134217728 ? 4 : 5;
}

// @ts-ignore: decorator
@inline
function putVarint(out: usize, n: u32): usize {
  n <<= 1;
  while (n > 127) {
    store<u8>(out++, <u8>(n | 128));
    n >>>= 7;
  }
  store<u8>(out, <u8>n);
  return out + 1;
}

// @ts-ignore: decorator
@inline
function isCut(column: u32): bool {
  return load<u8>(program + load<u32>(program, CUTS) + column) != 0;
}

/**
 * Looks at the row from p to end: finds its key, and measures its value and headers. Returns why it
 * can't be a record, 0 if it can: then writeValue() and writeHeaders() write what was measured.
 */
export function shape(p: usize, end: usize, scratch: usize): i32 {
  const columns = load<u32>(program, COLUMNS);
  const found = findColumns(p, end, table, columns);
  const form = load<i32>(program, FORM);
  const key = load<u32>(program, KEY);
  fault = found;
  if (leavesOpen) return OPEN_QUOTE;
  if (form != ROW && found != columns) return COUNT;
  if (key > found) return KEYLESS;
  if (form == ROW && found < columns) {
    fault = columns;
    return LACKING;
  }
  if (key == 0) rowKey(p, end, NO_KEY, 0, scratch);
  else if (!keyOf(entryOf(key - 1), scratch)) return KEYLESS;
  measureHeaders();
  if (form == ROW) {
    measureRest(columns, end);
    return 0;
  }
  return form == FIELD ? measureField() : form == HEX ? measureHex() : measureItems();
}

/** Where the columns are that are left of a row, of those in the table. */
function measureRest(columns: u32, end: usize): void {
  let size: u32 = 0, kept: u32 = 0;
  for (let c: u32 = 0; c < columns; c++) {
    if (isCut(c)) continue;
    size += load<u32>(entryOf(c), 4) + (kept > 0 ? 1 : 0);
    kept++;
  }
  const rest = restAt;
  if (rest != 0) size += <u32>(end - rest) + (kept > 0 ? 1 : 0);
  restSize = rest == 0 ? 0 : <u32>(end - rest);
  shapedValue = size;
  isEmpty = size == 0;
}
let restSize: u32 = 0;

function measureField(): i32 {
  const column = entryOf(load<u32>(program + load<u32>(program, ITEMS_AT)));
  isEmpty = isNull(column);
  shapedValue = <u32>plainText(0, column, false);
  return 0;
}

function measureHex(): i32 {
  const index = load<u32>(program + load<u32>(program, ITEMS_AT));
  const column = entryOf(index);
  isEmpty = isNull(column);
  shapedValue = 0;
  if (isEmpty) return 0;
  fault = index + 1;
  if (!simple(column) || simpleSize < 2 || (simpleSize & 1) != 0) return NOT_HEX;
  if (load<u16>(simpleAt) != 0x785c) return NOT_HEX;
  for (let i: usize = 2; i < simpleSize; i++) {
    if (nibble(load<u8>(simpleAt + i)) > 15) return NOT_HEX;
  }
  shapedValue = <u32>(simpleSize - 2) >> 1;
  return 0;
}

/** What a hexadecimal digit says; 255 for anything else. */
// @ts-ignore: decorator
@inline
function nibble(c: u8): u8 {
  if (<u8>(c - 48) < 10) return c - 48;
  c |= 32;
  return <u8>(c - 97) < 6 ? c - 87 : 255;
}

/** The size of each item, which its column's entry keeps. */
function measureItems(): i32 {
  const items = load<u32>(program, ITEMS);
  let item = program + load<u32>(program, ITEMS_AT);
  let size = load<u32>(program, LEAD_SIZE) + load<u32>(program, TRAIL_SIZE);
  let missing: u32 = 0;
  isEmpty = true;
  for (let i: u32 = 0; i < items; i++, item += ITEM) {
    const index = load<u32>(item);
    const column = entryOf(index);
    const type = load<i32>(item, 4);
    size += load<u32>(item, 12);
    let own: u32 = 4;
    fault = index + 1;
    if (!isNull(column)) isEmpty = false;
    if (type >= AVRO) {
      const why = measureAvro(item, column, program);
      if (why == NO_NULL) missing = missing == 0 ? fault : missing;
      else if (why != 0) return why;
      own = load<u32>(column, 12);
    } else if (!isNull(column)) {
      if (type == NUMBER) {
        const digits = numberSize(column);
        if (digits < 0) return NOT_NUMBER;
        own = digits;
      } else if (type == BOOLEAN) {
        const yes = truth(column);
        if (yes < 0) return NOT_BOOLEAN;
        own = 5 - yes;
      } else {
        if (!isUtf8(load<u32>(column), load<u32>(column, 4))) return NOT_UTF8;
        own = <u32>(type == JSON ? plainText(0, column, false) : jsonString(0, column, false));
      }
    }
    store<u32>(column, own, 12);
    size += own;
  }
  shapedValue = size;
  // The whole value may be null instead, as pack() finds.
  if (missing == 0 || (isEmpty && keyLength >= 0 && load<u32>(program, NULLS) != 0)) return 0;
  fault = missing;
  return NO_NULL;
}

function measureHeaders(): void {
  const headers = load<u32>(program, HEADERS);
  let header = program + load<u32>(program, HEADERS_AT);
  let size: u32 = 0, count: u32 = 0;
  for (let i: u32 = 0; i < headers; i++, header += HEADER) {
    const column = entryOf(load<u32>(header));
    if (isNull(column)) continue;
    const text = <u32>plainText(0, column, false);
    size += load<u32>(header, 8) + varintSize(text) + text;
    count++;
  }
  shapedHeaders = varintSize(count) + size;
}

/** Writes the headers of the row at hand, with their count; returns their end. */
export function writeHeaders(out: usize): usize {
  const headers = load<u32>(program, HEADERS);
  const first = program + load<u32>(program, HEADERS_AT);
  let count: u32 = 0;
  for (let i: u32 = 0; i < headers; i++) {
    if (!isNull(entryOf(load<u32>(first + HEADER * i)))) count++;
  }
  out = putVarint(out, count);
  for (let i: u32 = 0; i < headers; i++) {
    const header = first + HEADER * i;
    const column = entryOf(load<u32>(header));
    if (isNull(column)) continue;
    const name = load<u32>(header, 8);
    copy(out, program + load<u32>(header, 4), name);
    out = putVarint(out + name, <u32>plainText(0, column, false));
    out += plainText(out, column, true);
  }
  return out;
}

/**
 * Writes the value of the row at hand, shapedValue bytes, and spoils 16 after it. Returns why it can't
 * be one, 0 if it can.
 */
export function writeValue(out: usize, scratch: usize): i32 {
  const form = load<i32>(program, FORM);
  if (form == ROW) writeRest(out);
  else if (form == FIELD) {
    plainText(out, entryOf(load<u32>(program + load<u32>(program, ITEMS_AT))), true);
  } else if (form == HEX) writeHex(out);
  else return writeItems(out, scratch);
  return 0;
}

function writeRest(out: usize): void {
  const columns = load<u32>(program, COLUMNS);
  let kept = false;
  for (let c: u32 = 0; c < columns; c++) {
    if (isCut(c)) continue;
    if (kept) store<u8>(out++, 44);
    const size = load<u32>(entryOf(c), 4);
    copy(out, load<u32>(entryOf(c)), size);
    out += size;
    kept = true;
  }
  if (restAt == 0) return;
  if (kept) store<u8>(out++, 44);
  copy(out, restAt, restSize);
}

function writeHex(out: usize): void {
  simple(entryOf(load<u32>(program + load<u32>(program, ITEMS_AT))));
  for (let i: usize = 2; i < simpleSize; i += 2) {
    const high = nibble(load<u8>(simpleAt + i)), low = nibble(load<u8>(simpleAt + i, 1));
    store<u8>(out++, high << 4 | low);
  }
}

function writeItems(out: usize, scratch: usize): i32 {
  const items = load<u32>(program, ITEMS);
  let item = program + load<u32>(program, ITEMS_AT);
  copy(out, program + load<u32>(program, LEAD_AT), load<u32>(program, LEAD_SIZE));
  out += load<u32>(program, LEAD_SIZE);
  for (let i: u32 = 0; i < items; i++, item += ITEM) {
    const index = load<u32>(item);
    const column = entryOf(index);
    const type = load<i32>(item, 4);
    const size = load<u32>(column, 12);
    copy(out, program + load<u32>(item, 8), load<u32>(item, 12));
    out += load<u32>(item, 12);
    if (type >= AVRO) writeAvro(out, item, column, program);
    else if (isNull(column)) store<u32>(out, 0x6c6c756e); // null
    else if (type == TEXT) jsonString(out, column, true);
    else if (type == BOOLEAN) {
      if (size == 4) store<u32>(out, 0x65757274); // true
      else {
        store<u32>(out, 0x736c6166); // false
        store<u8>(out, 101, 4);
      }
    } else {
      plainText(out, column, true);
      if (type == JSON && !isJson(out, size, scratch)) {
        fault = index + 1;
        return NOT_JSON;
      }
    }
    out += size;
  }
  copy(out, program + load<u32>(program, TRAIL_AT), load<u32>(program, TRAIL_SIZE));
  return 0;
}
