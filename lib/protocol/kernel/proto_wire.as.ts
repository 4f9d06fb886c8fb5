// Protobuf's wire format: tags, varints, what is skipped.
// https://protobuf.dev/programming-guides/encoding/

import { inProgram } from "./program.as";

/** Types of fields, in the order of their wire types; lib/records/protobuf_ops.ts has the same. */
export const INT32: u32 = 1, INT64: u32 = 2, UINT32: u32 = 3, UINT64: u32 = 4;
export const SINT32: u32 = 5, SINT64: u32 = 6, BOOLEAN: u32 = 7, ENUM: u32 = 8;
export const FIXED32: u32 = 9, SFIXED32: u32 = 10, FLOAT32: u32 = 11;
export const FIXED64: u32 = 12, SFIXED64: u32 = 13, FLOAT64: u32 = 14;
export const STRING: u32 = 15, OCTETS: u32 = 16, MESSAGE: u32 = 17, GROUP: u32 = 18;

export const VARINT: u32 = 0, BITS64: u32 = 1, SIZED: u32 = 2, START: u32 = 3, END: u32 = 4;
export const BITS32: u32 = 5;

/** Reasons (reasons.ts). */
export const CUT = 40, LONG_VARINT = 41, BAD_TAG = 42, BAD_GROUP = 43, TOO_DEEP = 44;
export const BAD_TIME = 45, BAD_DURATION = 46, TOO_SCATTERED = 47;
export const BAD_SCALE = 48;

/** Digits after the point of a numeric of PostgreSQL. */
export const MOST_SCALE: u32 = 16383;

/** Messages and groups inside each other, as Protobuf's own readers. */
export const DEEPEST: i32 = 100;

/** Where the last read ended, and its fault: 0 or a reason. */
export let q: usize = 0;
export let fault: i32 = 0;

/** The varint of up to ten bytes at p: sets q, and fault. Bits over 64 are lost. */
export function varint(p: usize, end: usize): u64 {
  let x: u64 = 0;
  fault = 0;
  if (p + 8 <= end) {
    // All eight bytes at once: the first without its high bit is the last of the number.
    x = load<u64>(p);
    const stops = ~x & 0x8080808080808080;
    if (stops != 0) {
      q = p + 1 + <usize>(ctz(stops) >>> 3);
      x &= stops ^ (stops - 1);
      x = (x & 0x007f007f007f007f) | (x & 0x7f007f007f007f00) >>> 1;
      x = (x & 0x00003fff00003fff) | (x & 0x3fff00003fff0000) >>> 2;
      return (x & 0x000000000fffffff) | (x & 0x0fffffff00000000) >>> 4;
    }
    x = 0;
  }
  for (let shift: u64 = 0; shift < 70; shift += 7) {
    if (p >= end) {
      fault = CUT;
      q = p;
      return 0;
    }
    const b: u64 = load<u8>(p++);
    x |= (b & 127) << shift;
    if (b < 128) {
      q = p;
      return x;
    }
  }
  fault = LONG_VARINT;
  q = p;
  return 0;
}

/** What {@link field} read. `at` and `size` are the bytes of what has a length, and of a group. */
export let number: u32 = 0;
export let wire: u32 = 0;
export let bits: u64 = 0;
export let at: usize = 0;
export let size: usize = 0;

/** Reads the field at p: its tag and its value. Sets q to its end, or fault, and q to where that is. */
export function field(p: usize, end: usize): void {
  const tag = varint(p, end);
  if (fault != 0) return;
  number = <u32>tag >>> 3;
  wire = <u32>tag & 7;
  if (tag > <u64>u32.MAX_VALUE || number == 0) {
    fault = BAD_TAG;
    q = p;
    return;
  }
  rest(q, end, 0);
}

function cut(p: usize): void {
  fault = CUT;
  q = p;
}

/** The value after a tag. (A `break` out of this switch would skip what follows it: asc 0.28.20.) */
function rest(p: usize, end: usize, depth: i32): void {
  switch (wire) {
    case VARINT:
      bits = varint(p, end);
      return;
    case BITS64:
      if (end - p < 8) return cut(p);
      bits = load<u64>(p);
      q = p + 8;
      return;
    case BITS32:
      if (end - p < 4) return cut(p);
      bits = load<u32>(p);
      q = p + 4;
      return;
    case SIZED: {
      const n = varint(p, end);
      if (fault != 0) return;
      p = q;
      if (n > <u64>(end - p)) return cut(p);
      at = p;
      size = <usize>n;
      q = p + size;
      return;
    }
    case START: {
      const n = group(p, end, number, depth);
      at = p;
      size = n;
      return;
    }
    default:
      fault = wire == END ? BAD_GROUP : BAD_TAG;
      q = p;
  }
}

/** Skips a group's fields and its end; returns how many bytes the fields are. */
export function group(p: usize, end: usize, which: u32, depth: i32): usize {
  const start = p;
  if (depth >= DEEPEST) {
    fault = TOO_DEEP;
    q = p;
    return 0;
  }
  for (;;) {
    const from = p;
    const tag = varint(p, end);
    if (fault != 0) return 0;
    number = <u32>tag >>> 3;
    wire = <u32>tag & 7;
    if (tag > <u64>u32.MAX_VALUE || number == 0) fault = BAD_TAG;
    else if (wire == END) {
      if (number == which) {
        wire = START;
        return from - start;
      }
      fault = BAD_GROUP;
    } else {
      rest(q, end, depth + 1);
      if (fault != 0) return 0;
      p = q;
      continue;
    }
    q = from;
    return 0;
  }
}

/**
 * The entry of a field's number in the table that a node begins with (u32 each: the entries of small
 * numbers and how many, sorted pairs of number and entry and how many); 0: there is none.
 */
// @ts-ignore: decorator
@inline
export function find(node: usize, number: u32): usize {
  if (number < load<u32>(node, 4)) {
    const offset = load<u32>(inProgram(load<u32>(node)) + (<usize>number << 2));
    return offset == 0 ? 0 : inProgram(offset);
  }
  return load<u32>(node, 12) == 0 ? 0 : search(node, number);
}

function search(node: usize, number: u32): usize {
  const pairs = inProgram(load<u32>(node, 8));
  let low: u32 = 0, high = load<u32>(node, 12);
  while (low < high) {
    const middle = (low + high) >>> 1;
    const pair = pairs + <usize>(middle << 3);
    const n = load<u32>(pair);
    if (n == number) return inProgram(load<u32>(pair, 4));
    if (n < number) low = middle + 1;
    else high = middle;
  }
  return 0;
}

/** Whether a field of this type may have this wire type; else it counts as unknown. */
// @ts-ignore: decorator
@inline
export function accepts(op: u32, wire: u32, repeated: bool): bool {
  switch (wire) {
    case VARINT:
      return op <= ENUM;
    case BITS32:
      return op - FIXED32 < 3;
    case BITS64:
      return op - FIXED64 < 3;
    case SIZED:
      return op - STRING < 3 || (repeated && op < STRING);
    default:
      return wire == START && op == GROUP;
  }
}

/** A varint or fixed number on the wire as what it stands for, in 64 bits. */
// @ts-ignore: decorator
@inline
export function numberOf(op: u32, x: u64): u64 {
  switch (op) {
    case INT32:
    case ENUM:
    case SFIXED32:
      return <u64><i64><i32>x;
    case UINT32:
      return <u64><u32>x;
    case SINT32:
      return <u64><i64>(<i32>(<u32>x >>> 1) ^ -(<i32>x & 1));
    case SINT64:
      return (x >>> 1) ^ (0 - (x & 1));
    case BOOLEAN:
      return x != 0 ? 1 : 0;
    default:
      return x;
  }
}

/** The next element of packed numbers at p: sets q, or fault. */
export function packed(op: u32, p: usize, end: usize): u64 {
  if (op <= ENUM) return varint(p, end);
  const n: usize = op < FIXED64 ? 4 : 8;
  fault = 0;
  if (end - p < n) {
    fault = CUT;
    q = p;
    return 0;
  }
  q = p + n;
  return n == 4 ? <u64>load<u32>(p) : load<u64>(p);
}

/** Where the name of an enum's number is, and how long; 0: it has none. */
export let nameSize: u32 = 0;

/**
 * Finds an enum's name. Its table, u32 each: names (offset, size) of 0, 1, …, how many; sorted number, offset,
 * size of the others, how many.
 */
export function enumName(table: usize, value: i32): usize {
  if (<u32>value < load<u32>(table, 4)) {
    const entry = inProgram(load<u32>(table)) + (<usize>value << 3);
    const offset = load<u32>(entry);
    nameSize = load<u32>(entry, 4);
    return offset == 0 ? 0 : inProgram(offset);
  }
  const entries = inProgram(load<u32>(table, 8));
  let low: u32 = 0, high = load<u32>(table, 12);
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = entries + <usize>middle * 12;
    const n = load<i32>(entry);
    if (n == value) {
      nameSize = load<u32>(entry, 8);
      return inProgram(load<u32>(entry, 4));
    }
    if (n < value) low = middle + 1;
    else high = middle;
  }
  return 0;
}
