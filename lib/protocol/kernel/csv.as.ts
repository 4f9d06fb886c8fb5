// What fields of a CSV row are made of: quoted text, hex digits.

import { DOUBLING } from "./memory.as";
import { END_MARK, NOT_UTF8, NUL, reject } from "./unfit.as";
import { isUtf8 } from "./utf8.as";

/** Fills the table of doubled quotes. */
export function initDoubling(): void {
  for (let quotes: usize = 0; quotes < 256; quotes++) {
    let at = DOUBLING + (quotes << 4);
    for (let i: usize = 0; i < 8; i++) {
      store<u8>(at++, i);
      if ((quotes >>> i & 1) != 0) store<u8>(at++, i);
    }
  }
}

/** Whether one of the lines of n bytes at p is just `\.`. */
export function hasEndMark(p: usize, n: usize): bool {
  const end = p + n;
  for (let line = p; line <= end;) {
    let stop = line;
    while (stop < end && load<u8>(stop) != 10 && load<u8>(stop) != 13) stop++;
    if (stop - line == 2 && load<u16>(line) == 0x2e5c) return true;
    line = stop + 1;
  }
  return false;
}

/** Writes n bytes as a quoted CSV field; returns its end. Calls reject() if it can't be one. */
export function quoted(out: usize, p: usize, n: usize): usize {
  const quote = i8x16.splat(34), newline = i8x16.splat(10), zero = i8x16.splat(0);
  const start = p, end = p + n;
  let high = zero, lines = zero, nuls = false;
  store<u8>(out++, 34);
  while (p + 16 <= end) {
    const v = v128.load(p);
    v128.store(out, v);
    high = v128.or(high, v);
    lines = v128.or(lines, i8x16.eq(v, newline));
    if (!i8x16.all_true(v)) nuls = true;
    const quotes = i8x16.bitmask(i8x16.eq(v, quote));
    if (quotes == 0) {
      p += 16;
      out += 16;
    } else { // up to the first quote, which is doubled
      const taken = <usize>ctz(quotes) + 1;
      p += taken;
      out += taken;
      store<u8>(out++, 34);
    }
  }
  let some: u8 = 0;
  for (; p < end; p++) {
    const c = load<u8>(p);
    store<u8>(out++, c);
    if (c == 34) store<u8>(out++, 34);
    if (c == 0) nuls = true;
    if (c == 10) lines = newline;
    some |= c;
  }
  store<u8>(out++, 34);
  if (nuls) reject(NUL);
  else if ((some > 127 || i8x16.bitmask(high) != 0) && !isUtf8(start, n)) reject(NOT_UTF8);
  else if (v128.any_true(lines) && hasEndMark(start, n)) reject(END_MARK);
  return out;
}

// @ts-ignore: decorator
@inline
function hexDigits(nibbles: v128): v128 {
  // '0' + n, and 39 more from 'a' on.
  const letters = v128.and(i8x16.gt_u(nibbles, i8x16.splat(9)), i8x16.splat(39));
  return i8x16.add(i8x16.add(nibbles, i8x16.splat(48)), letters);
}

/** Writes `\x` and two digits a byte, PostgreSQL's bytea; returns its end. */
export function hex(out: usize, p: usize, n: usize): usize {
  store<u16>(out, 0x785c);
  out += 2;
  for (let i: usize = 0; i < n; i += 16) {
    const v = v128.load(p + i);
    const high = hexDigits(i8x16.shr_u(v, 4));
    const low = hexDigits(v128.and(v, i8x16.splat(15)));
    v128.store(
      out + 2 * i,
      v128.shuffle<u8>(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
    );
    v128.store(
      out + 2 * i,
      v128.shuffle<u8>(high, low, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31),
      16,
    );
  }
  return out + 2 * n;
}

/** Writes 16 bytes at out, their quotes doubled; returns the end. 8 bytes after it may be spoilt. */
// @ts-ignore: decorator
@inline
function doubled(out: usize, v: v128, quotes: i32): usize {
  const low = quotes & 255, high = quotes >>> 8;
  v128.store(out, v128.swizzle(v, v128.load(DOUBLING + (<usize>low << 4))));
  out += 8 + popcnt(low);
  const upper = i8x16.add(v128.load(DOUBLING + (<usize>high << 4)), i8x16.splat(8));
  v128.store(out, v128.swizzle(v, upper));
  return out + 8 + popcnt(high);
}

/** Writes n bytes of valid text without NUL and `\.` lines as a quoted CSV field; returns its end. */
export function quotedText(out: usize, p: usize, n: usize): usize {
  const quote = i8x16.splat(34);
  const end = p + n;
  store<u8>(out++, 34);
  for (; p + 16 <= end; p += 16) {
    const v = v128.load(p);
    const quotes = i8x16.bitmask(i8x16.eq(v, quote));
    if (quotes == 0) {
      v128.store(out, v);
      out += 16;
    } else out = doubled(out, v, quotes);
  }
  if (p < end) {
    const v = v128.load(p), left = end - p;
    const quotes = i8x16.bitmask(i8x16.eq(v, quote)) & ((1 << <i32>left) - 1);
    doubled(out, v, quotes);
    out += left + popcnt(quotes);
  }
  store<u8>(out, 34);
  return out + 1;
}
