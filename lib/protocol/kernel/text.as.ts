// Looking at text while copying it.

import { MASK } from "./memory.as";
import { isUtf8 } from "./utf8.as";

/** Fills the mask of the last lanes. Called once on fresh (zeroed) memory. */
export function initText(): void {
  memory.fill(MASK, 255, 16);
}

/** How long a value of n bytes at p is without the one line end that programs leave after a row. */
// @ts-ignore: decorator
@inline
export function trimmed(p: usize, n: i32): i32 {
  if (n <= 0 || load<u8>(p + n - 1) != 10) return n;
  return n > 1 && load<u8>(p + n - 2) == 13 ? n - 2 : n - 1;
}

// @ts-ignore: decorator
@inline
export function copy(out: usize, p: usize, n: usize): void {
  for (let i: usize = 0; i < n; i += 16) v128.store(out + i, v128.load(p + i));
}

/** 255 for each byte that is a newline, a carriage return or NUL: looked up by it; 16 and more are 0. */
// @ts-ignore: decorator
@inline
function breaks(v: v128): v128 {
  return i8x16.swizzle(i8x16(-1, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, 0, 0, -1, 0, 0), v);
}

/**
 * Copies like copy() and looks at the bytes on the way. True if the value can't break a row:
 * no newline, CR or NUL, an even number of quotes, not `\.`, well-formed UTF-8. False asks for
 * the slow, exact look.
 */
// @ts-ignore: decorator
@inline
export function copyGuarded(out: usize, p: usize, n: usize): bool {
  const quote = i8x16.splat(34);
  let bad = i8x16.splat(0), quotes = i8x16.splat(0), high = i8x16.splat(0);
  let i: usize = 0;
  for (const whole = n & ~15; i < whole; i += 16) {
    const v = v128.load(p + i);
    v128.store(out + i, v);
    bad = v128.or(bad, breaks(v));
    quotes = v128.xor(quotes, i8x16.eq(v, quote));
    high = v128.or(high, v);
  }
  if (i < n) {
    const keep = v128.load(MASK + 16 - (n - i));
    const v = v128.load(p + i);
    v128.store(out + i, v);
    bad = v128.or(bad, v128.and(breaks(v), keep));
    quotes = v128.xor(quotes, v128.and(i8x16.eq(v, quote), keep));
    high = v128.or(high, v128.and(v, keep));
  }
  if (v128.any_true(bad) || (popcnt(i8x16.bitmask(quotes)) & 1) != 0) return false;
  if (n == 2 && load<u16>(out) == 0x2e5c) return false;
  return i8x16.bitmask(high) == 0 || isUtf8(out, n);
}
