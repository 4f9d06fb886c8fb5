// What Avro's walker and its JSON writer share: operations, numbers, strings, blocks of items.
// https://avro.apache.org/docs/1.12.0/specification/#binary-encoding

import { AVRO_BLOCK, AVRO_CUT, AVRO_EMPTY, AVRO_LENGTH, AVRO_NUMBER } from "./unfit.as";

/** Operations; lib/records/avro_code.ts says what their operands are. */
export const END: u8 = 0, SKIP_FIXED: u8 = 1, SKIP_NUMBERS: u8 = 2, SKIP_STRINGS: u8 = 3;
export const BOOLEAN: u8 = 4, FLOAT: u8 = 5, DOUBLE: u8 = 6, FIXED: u8 = 7;
/** From INT to UNION all begin with a number. */
export const INT: u8 = 8, LONG: u8 = 9, BYTES: u8 = 10, ENUM: u8 = 11, OPTION: u8 = 12;
export const UNION: u8 = 13;
export const JUMP: u8 = 14, CALL: u8 = 15, RETURN: u8 = 16, MARK: u8 = 17, DONE: u8 = 18;
export const CLEAR: u8 = 19, ARRAY: u8 = 20, MAP: u8 = 21, NEXT: u8 = 22, SKIP_BLOCKS: u8 = 23;
export const LITERAL: u8 = 24, STRING: u8 = 25;
export const OPERATION: usize = 16;

/**
 * A frame of what is nested: @0 the instruction, @4 where the block must end (0: it does not say),
 * @8 items left in the block, @16 items before the next one.
 */
export const FRAME: usize = 32;

/** After a function below: where it ended, and why it returned 0, else 0. */
export let after: usize = 0;
export let fault: i32 = 0;

/** Items without bytes that may still come in this value: they take time, and no bytes bound them. */
let empties: i64 = 0;

/** A new value begins. */
// @ts-ignore: decorator
@inline
export function startValue(): void {
  empties = 1000000;
  fault = 0;
}

/**
 * The varint at p, which has more than one byte, not yet as a signed number; `after` is where it
 * ends, 0 if it has more than 64 bits. Up to 10 bytes are read.
 */
export function longVarint(p: usize): u64 {
  let x: u64 = load<u8>(p) & 127;
  for (let i: u64 = 1; i < 10; i++) {
    const b: u64 = load<u8>(p + <usize>i);
    x |= (b & 127) << 7 * i;
    if (b < 128) {
      after = i == 9 && b > 1 ? 0 : p + <usize>i + 1;
      return x;
    }
  }
  after = 0;
  return x;
}

/** Why there is no varint between p and end, where longVarint() found none or one that is cut. */
export function varintFault(p: usize, end: usize): i32 {
  if (p >= end) return AVRO_CUT;
  for (let i: usize = 0; i < 10; i++) {
    if (p + i >= end) return AVRO_CUT;
    if (load<u8>(p + i) < 128) break;
  }
  return AVRO_NUMBER;
}

/** The signed number at p, before end; sets `after`, and `fault` if there is none. */
export function number(p: usize, end: usize): i64 {
  let x: u64 = load<u8>(p);
  if (x < 128) after = p + 1;
  else x = longVarint(p);
  if (after != 0 && after <= end) return <i64>(x >> 1) ^ -<i64>(x & 1);
  fault = varintFault(p, end);
  return 0;
}

/** The length at p of what must end before `end`; sets `after`, and `fault`. */
export function length(p: usize, end: usize): usize {
  const n = number(p, end);
  if (fault != 0) return 0;
  if (<u64>n > <u64>(end - after)) fault = n < 0 ? AVRO_LENGTH : AVRO_CUT;
  return <usize>n;
}

/**
 * Reads the head of the next block at p into the frame: items left (0: there are no more blocks),
 * where the block must end. `kind` 1: items have no bytes. Returns where the items begin; sets
 * `fault`.
 */
export function openBlock(frame: usize, p: usize, end: usize, kind: u8): usize {
  const expected = <usize>load<u32>(frame, 4);
  if (expected != 0 && expected != p) fault = AVRO_BLOCK;
  let n = fault == 0 ? number(p, end) : 0;
  if (fault != 0) return p;
  p = after;
  store<u32>(frame, 0, 4);
  if (n < 0) {
    n = 0 - n;
    const size = length(p, end);
    if (fault == 0 && n < 0) fault = AVRO_LENGTH;
    if (fault != 0) return p;
    p = after;
    // Each item has a byte at least.
    if (kind == 0 && n > <i64>size) fault = AVRO_BLOCK;
    store<u32>(frame, <u32>(p + size), 4);
  } else if (kind == 0 && n > <i64>(end - p)) {
    fault = AVRO_CUT;
    return p;
  }
  if (kind != 0) countEmpty(n);
  store<i64>(frame, n, 8);
  return p;
}

/** Counts n items without bytes; sets `fault` if they are too many. */
function countEmpty(n: i64): void {
  empties -= n;
  if (n > 1000000 || empties < 0) fault = AVRO_EMPTY;
}

/** Skips n bytes or numbers or strings, by `what` (0, 1, 2), at p. Returns where they end; sets `fault`. */
export function skipRun(p: usize, end: usize, what: u32, n: i64, size: u32): usize {
  if (what == 0) {
    if (size > 0 && n > <i64>(end - p) / size) {
      fault = AVRO_CUT;
      return p;
    }
    return p + <usize>n * size;
  }
  for (; n > 0; n--) {
    const first = load<u8>(p);
    if (what == 1) {
      if (first < 128 && p < end) p++;
      else {
        number(p, end);
        if (fault != 0) return p;
        p = after;
      }
    } else if ((first & 129) == 0 && p + 1 + (first >> 1) <= end) p += 1 + (first >> 1);
    else {
      const bytes = length(p, end);
      if (fault != 0) return p;
      p = after + bytes;
    }
  }
  return p;
}

/** Skips all blocks of an array, or a map (keyed), of such items. Returns their end; sets `fault`. */
export function skipBlocks(p: usize, end: usize, what: u32, size: u32, keyed: bool): usize {
  while (true) {
    let n = number(p, end);
    if (fault != 0) return p;
    p = after;
    if (n == 0) return p;
    if (n < 0) {
      const bytes = length(p, end);
      if (fault != 0) return p;
      p = after + bytes;
    } else if (keyed) {
      for (; n > 0; n--) {
        p = skipRun(p, end, 2, 1, 0);
        if (fault == 0) p = skipRun(p, end, what, 1, size);
        if (fault != 0) return p;
      }
    } else {
      p = skipRun(p, end, what, n, size);
      if (fault != 0) return p;
    }
  }
}
