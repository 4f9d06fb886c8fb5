// The columns of a CSV row as Avro's binary: https://avro.apache.org/docs/1.12.0/specification/

import { double, readDouble } from "./double_text.as";
import { isNumber, truth } from "./json_fields.as";
import { isNull, plainText, simple, simpleAt, simpleSize } from "./row_fields.as";
import { copy } from "./text.as";
import { days, fineness, micros, readClock, readDate, readTimestamp, zoned } from "./time_text.as";
import { isUtf8 } from "./utf8.as";

/** Types of items (lib/produce/avro_shape.ts). */
const BOOLEAN = 16, INT = 17, LONG = 18, FLOAT = 19, DOUBLE = 20, STRING = 21, BYTES = 22;
const DECIMAL = 23, DATE = 24, TIMESTAMP_MILLIS = 25, TIMESTAMP_MICROS = 26, LOCAL_MILLIS = 27;
const LOCAL_MICROS = 28, TIME_MILLIS = 29, TIME_MICROS = 30, ENUM = 31, FIXED = 32;

/** Why a column can't be written; named in packing.ts. */
const NOT_UTF8 = 4, NOT_BOOLEAN = 6, NOT_HEX = 8, NO_NULL = 10, NOT_INT = 11, NOT_LONG = 12;
const NOT_DOUBLE = 13, NOT_DECIMAL = 14, NOT_DATE = 15, NOT_TIMESTAMP = 16, TOO_FINE = 17;
const NOT_TIME = 18, NOT_SYMBOL = 19, NOT_FIXED = 20;

/** Of an item: whether null is a branch (1: the first, 2: the second), and what its type needs. */
const NULLABLE: usize = 16, ARGUMENT: usize = 20, TABLE_AT: usize = 24, TABLE_SIZE: usize = 28;
/** Of a column's entry: the size of what is written, and the number or the address that it is. */
const SIZE: usize = 12, VALUE: usize = 16;
/** A decimal is worked out in the first half of its room, and left in the second. */
const HALF: usize = 512;
const MOST_DIGITS: u32 = 1000;

// @ts-ignore: decorator
@inline
function zigzag(x: i64): u64 {
  return <u64>(x << 1) ^ <u64>(x >> 63);
}

function varintSize(x: u64): u32 {
  let size: u32 = 1;
  for (; x > 127; x >>= 7) size++;
  return size;
}

function putVarint(out: usize, x: u64): usize {
  for (; x > 127; x >>= 7) store<u8>(out++, <u8>(x | 128));
  store<u8>(out, <u8>x);
  return out + 1;
}

/** What a whole number is; `fits` says whether there is one, of 64 bits. */
let whole: i64 = 0;

function readWhole(p: usize, n: usize): bool {
  const end = p + n, negative = n > 0 && load<u8>(p) == 45;
  if (negative) p++;
  if (p == end || end - p > 19) return false;
  let x: u64 = 0;
  for (; p < end; p++) {
    const digit = load<u8>(p) - 48;
    if (digit > 9) return false;
    x = x * 10 + digit;
  }
  if (x > (negative ? <u64>1 << 63 : ((<u64>1 << 63) - 1))) return false;
  whole = negative ? -<i64>x : <i64>x;
  return true;
}

/** Reads NaN and infinities, as PostgreSQL writes them. */
function readWord(p: usize, n: usize): bool {
  if (n == 3 && load<u16>(p) == 0x614e && load<u8>(p, 2) == 78) {
    special = NaN;
    return true;
  }
  const negative = n == 9 && load<u8>(p) == 45;
  if (negative) p++;
  else if (n != 8) return false;
  special = negative ? -Infinity : Infinity;
  return load<u64>(p) == 0x7974696e69666e49; // Infinity
}
let special: f64 = 0;

/**
 * The bytes of a decimal, big-endian in two's complement: how many; 0 if it is none. `shape` is its
 * scale, and 2^16 times the most digits that it may have.
 */
function decimal(p: usize, n: usize, shape: u32, room: usize): u32 {
  const scale = shape & 0xffff, most = min<u32>(shape >>> 16, MOST_DIGITS);
  const end = p + n, negative = n > 0 && load<u8>(p) == 45;
  if (negative) p++;
  let size = 0, digits = 0, point = false, left = scale, seen = false;
  while (p < end || left > 0) {
    let digit: u32 = 0;
    if (p < end) {
      const c = load<u8>(p++);
      if (c == 46 && !point && seen) {
        point = true;
        if (p == end) return 0;
        continue;
      }
      digit = <u32>c - 48;
      if (digit > 9) return 0;
      seen = true;
      if (point) {
        if (left == 0) {
          if (digit != 0) return 0;
          continue;
        }
        left--;
      }
    } else {
      if (!seen) return 0;
      left--;
    }
    if (digits > 0 || digit != 0) digits++;
    if (<u32>digits > most) return 0;
    let carry: u64 = digit;
    for (let i = 0; i < size; i++) {
      const limb = room + (<usize>i << 2);
      carry += <u64>load<u32>(limb) * 10;
      store<u32>(limb, <u32>carry);
      carry >>= 32;
    }
    if (carry != 0) store<u32>(room + (<usize>(size++) << 2), <u32>carry);
  }
  if (!seen) return 0;
  // A limb of 0 more, so that the sign has a bit; then without the bytes that only repeat it.
  store<u32>(room + (<usize>(size++) << 2), 0);
  let carry: u32 = 1, bytes = <u32>size << 2;
  for (let i: u32 = 0; i < bytes; i++) {
    let b: u32 = load<u8>(room + i);
    if (negative) {
      b = (b ^ 255) + carry;
      carry = b >> 8;
    }
    store<u8>(room + HALF + (bytes - 1 - i), <u8>b);
  }
  let from: u32 = 0;
  while (from + 1 < bytes) {
    const first = load<u8>(room + HALF + from), next = load<u8>(room + HALF + from, 1);
    if (!((first == 0 && next < 128) || (first == 255 && next > 127))) break;
    from++;
  }
  if (from > 0) memory.copy(room + HALF, room + HALF + from, bytes - from);
  return bytes - from;
}

/** The index of the symbol that a column is; -1 if it is none. */
function symbolOf(p: usize, n: usize, table: usize, count: u32, program: usize): i32 {
  for (let i: u32 = 0; i < count; i++) {
    const entry = table + 8 * i;
    if (<usize>load<u32>(entry, 4) != n) continue;
    const text = program + load<u32>(entry);
    let same = true;
    for (let j: usize = 0; same && j < n; j++) same = load<u8>(p + j) == load<u8>(text + j);
    if (same) return i;
  }
  return -1;
}

function hexBytes(): i32 {
  if (simpleSize < 2 || (simpleSize & 1) != 0 || load<u16>(simpleAt) != 0x785c) return -1;
  for (let i: usize = 2; i < simpleSize; i++) {
    const c = load<u8>(simpleAt + i);
    if (<u8>(c - 48) > 9 && <u8>((c | 32) - 97) > 5) return -1;
  }
  return <i32>(simpleSize - 2) >> 1;
}

// @ts-ignore: decorator
@inline
function keep(column: usize, x: i64): u32 {
  store<i64>(column, x, VALUE);
  return varintSize(zigzag(x));
}

/** The size of a value that is not null, without its branch; `fault` is set if there is none. */
function sizeOf(item: usize, column: usize, type: i32, program: usize): u32 {
  if (type == STRING) {
    if (!isUtf8(load<u32>(column), load<u32>(column, 4))) return wrong(NOT_UTF8);
    const size = <u32>plainText(0, column, false);
    return keep(column, size) + size;
  }
  // All others are simple, or quoted whole.
  const plain = simple(column);
  const p = simpleAt, n = simpleSize;
  const argument = load<u32>(item, ARGUMENT);
  switch (type) {
    case BOOLEAN: {
      const yes = truth(column);
      store<i64>(column, yes, VALUE);
      return yes < 0 ? wrong(NOT_BOOLEAN) : 1;
    }
    case INT:
      if (!plain || !readWhole(p, n) || <i64>(<i32>whole) != whole) return wrong(NOT_INT);
      return keep(column, whole);
    case LONG:
      return plain && readWhole(p, n) ? keep(column, whole) : wrong(NOT_LONG);
    case FLOAT:
    case DOUBLE: {
      if (plain && readWord(p, n)) store<f64>(column, special, VALUE);
      else {
        if (!plain || !isNumber(p, n) || !readDouble(p, n)) return wrong(NOT_DOUBLE);
        const x = double;
        if (type == FLOAT && <f64>abs<f32>(<f32>x) == Infinity) return wrong(NOT_DOUBLE);
        store<f64>(column, x, VALUE);
      }
      return type == FLOAT ? 4 : 8;
    }
    case BYTES:
    case FIXED: {
      const bytes = plain ? hexBytes() : -1;
      if (bytes < 0) return wrong(type == FIXED ? NOT_FIXED : NOT_HEX);
      if (type == BYTES) return keep(column, bytes) + bytes;
      return <u32>bytes == argument ? <u32>bytes : wrong(NOT_FIXED);
    }
    case DECIMAL: {
      const room = program + load<u32>(item, TABLE_AT);
      const bytes = plain ? decimal(p, n, argument, room) : 0;
      return bytes == 0 ? wrong(NOT_DECIMAL) : keep(column, bytes) + bytes;
    }
    case DATE:
      return plain && readDate(p, n) ? keep(column, days) : wrong(NOT_DATE);
    case TIME_MILLIS:
    case TIME_MICROS:
      if (!plain || !readClock(p, n)) return wrong(NOT_TIME);
      if (fineness > (type == TIME_MILLIS ? 3 : 6)) return wrong(TOO_FINE);
      return keep(column, type == TIME_MILLIS ? micros / 1000 : micros);
    case ENUM: {
      const table = program + load<u32>(item, TABLE_AT);
      const index = plain ? symbolOf(p, n, table, load<u32>(item, TABLE_SIZE), program) : -1;
      return index < 0 ? wrong(NOT_SYMBOL) : keep(column, index);
    }
    default: {
      const millis = type == TIMESTAMP_MILLIS || type == LOCAL_MILLIS;
      const local = type == LOCAL_MILLIS || type == LOCAL_MICROS;
      if (!plain || !readTimestamp(p, n) || (local && zoned)) return wrong(NOT_TIMESTAMP);
      if (fineness > (millis ? 3 : 6)) return wrong(TOO_FINE);
      // Microseconds that were thousands are a multiple of them, before 1970 as well.
      return keep(column, millis ? micros / 1000 : micros);
    }
  }
}

let fault: i32 = 0;

function wrong(why: i32): u32 {
  fault = why;
  return 0;
}

/** Measures what an item's column is written as: its size is in the entry. Returns why there is none. */
export function measureAvro(item: usize, column: usize, program: usize): i32 {
  const nullable = load<u32>(item, NULLABLE);
  let size: u32 = nullable != 0 ? 1 : 0;
  if (isNull(column)) {
    if (nullable == 0) return NO_NULL;
  } else {
    fault = 0;
    size += sizeOf(item, column, load<i32>(item, 4), program);
    if (fault != 0) return fault;
  }
  store<u32>(column, size, SIZE);
  return 0;
}

function putHex(out: usize): void {
  for (let i: usize = 2; i < simpleSize; i += 2) {
    let x: u32 = 0;
    for (let j: usize = 0; j < 2; j++) {
      const c = load<u8>(simpleAt + i + j);
      x = x << 4 | (c < 58 ? c - 48 : (c | 32) - 87);
    }
    store<u8>(out++, <u8>x);
  }
}

/** Writes what was measured. */
export function writeAvro(out: usize, item: usize, column: usize, program: usize): void {
  const nullable = load<u32>(item, NULLABLE);
  const empty = isNull(column);
  // Branch 0 is 0, branch 1 is 2.
  if (nullable != 0) store<u8>(out++, (nullable == 1) == empty ? 0 : 2);
  if (empty) return;
  const type = load<i32>(item, 4);
  const x = load<i64>(column, VALUE);
  switch (type) {
    case BOOLEAN:
      store<u8>(out, <u8>x);
      return;
    case FLOAT:
      store<f32>(out, <f32>load<f64>(column, VALUE));
      return;
    case DOUBLE:
      store<f64>(out, load<f64>(column, VALUE));
      return;
    case STRING:
      plainText(putVarint(out, zigzag(x)), column, true);
      return;
    case BYTES:
    case FIXED:
      simple(column);
      putHex(type == BYTES ? putVarint(out, zigzag(x)) : out);
      return;
    case DECIMAL:
      copy(putVarint(out, zigzag(x)), program + load<u32>(item, TABLE_AT) + HALF, <usize>x);
      return;
    default:
      putVarint(out, zigzag(x));
  }
}
