// Decimals: two's complement of any length to the text of a numeric.

import { after, fault, length, number, startValue } from "./avro_bytes.as";
import { ASCII, eight, spread, unsigned } from "./digits.as";
import { DIGITS } from "./memory.as";
import { copy } from "./text.as";

/** A numeric of PostgreSQL has at most 131,072 digits before the point and 16,383 after it. */
const MOST_DIGITS: u32 = 147455, MOST_SCALE: i64 = 16383, MOST_WHOLE: i64 = 131072;
/** Digits that a long number had, the last time. */
let digitCount: u32 = 0;
/** What numeric() returns in place of an end. */
export const NO_ROOM: usize = 0, TOO_LONG: usize = 1;

/** Writes a number below 10^8 divided by 10^scale, 7 at most; returns its end. */
function small(out: usize, x: u32, scale: u32): usize {
  const digits = eight(x), text = digits | ASCII;
  const zeros = min<u32>(x == 0 ? 8 : <u32>ctz(digits) >> 3, 7 - scale);
  const whole = 8 - scale - zeros;
  store<u64>(out, text >> 8 * <u64>zeros);
  out += whole;
  if (scale == 0) return out;
  store<u8>(out, 46);
  store<u64>(out, text >> 8 * <u64>(8 - scale), 1);
  return out + 1 + scale;
}

/** Writes n digits at p, `scale` of them after the point; returns their end. */
function pointed(out: usize, p: usize, n: u32, scale: u32): usize {
  if (scale == 0) {
    copy(out, p, n);
    return out + n;
  }
  if (n > scale) {
    const whole = n - scale;
    copy(out, p, whole);
    out += whole;
    p += whole;
    n = scale;
  } else store<u8>(out++, 48);
  store<u8>(out++, 46);
  for (let i = n; i < scale; i++) store<u8>(out++, 48);
  copy(out, p, n);
  return out + n;
}

/**
 * Writes the big-endian two's complement number of n bytes at p, divided by 10^scale; returns its
 * end, or NO_ROOM if it may not end before `limit`, or TOO_LONG.
 */
export function numeric(out: usize, p: usize, n: u32, scale: u32, limit: usize): usize {
  const negative = n > 0 && load<i8>(p) < 0;
  const sign: u8 = negative ? 255 : 0;
  // Bytes that only repeat the sign.
  while (n > 8 && load<u8>(p) == sign && load<i8>(p, 1) < 0 == negative) {
    p++;
    n--;
  }
  digitCount = 20;
  if (n <= 8) {
    // In big-endian order, with its sign.
    const value = n == 0 ? 0 : <i64>bswap(load<u64>(p)) >> <i64>(64 - 8 * n);
    const x = negative ? 0 - <u64>value : <u64>value;
    if (<u64>out + scale + 64 > <u64>limit) return NO_ROOM;
    if (negative) store<u8>(out++, 45);
    if (x < 100000000 && scale < 8) return small(out, <u32>x, scale);
    const first = spread(x);
    return pointed(out, DIGITS + first, 24 - first, scale);
  }
  const most = n * 5 / 2 + 2;
  // A byte is more than 2.4 digits.
  if (n > MOST_DIGITS * 5 / 12) return TOO_LONG;
  // The text, then the digits while they are made, then the number's words.
  if (<u64>out + 2 * most + scale + n + 160 > <u64>limit) return NO_ROOM;
  if (negative) store<u8>(out++, 45);
  // Its magnitude as words of 32 bits, the lowest first.
  const words = out + most + scale + 32 + most + 32 & ~7;
  let count = <i32>(n + 4 >> 2);
  let carry: u64 = negative ? 1 : 0;
  for (let i = 0; i < count; i++) {
    let word: u32 = 0;
    for (let j: u32 = 0; j < 4; j++) {
      const index = n - 1 - 4 * <u32>i - j;
      const byte: u32 = <i32>index >= 0 ? load<u8>(p + index) : sign;
      word |= byte << 8 * j;
    }
    carry += negative ? ~word : word;
    store<u32>(words + 4 * i, <u32>carry);
    carry >>= 32;
  }
  while (count > 0 && load<u32>(words + 4 * count - 4) == 0) count--;
  // Eight digits at a time from the end.
  const last = words - 16;
  let text = last;
  while (count > 0) {
    let rest: u64 = 0;
    for (let i = count - 1; i >= 0; i--) {
      const x = rest << 32 | load<u32>(words + 4 * i);
      const quotient = x / 100000000;
      store<u32>(words + 4 * i, <u32>quotient);
      rest = x - quotient * 100000000;
    }
    if (load<u32>(words + 4 * count - 4) == 0) count--;
    text -= 8;
    store<u64>(text, eight(<u32>rest) | ASCII);
  }
  while (load<u8>(text) == 48) text++;
  digitCount = <u32>(last - text);
  if (<i64>digitCount - <i64>scale > MOST_WHOLE) return TOO_LONG;
  return pointed(out, text, digitCount, scale);
}

/**
 * Writes Avro's big-decimal of n bytes at p: the number's bytes, then its scale, as Avro's int. The
 * same returns as numeric(); also TOO_LONG if it is not that.
 */
export function bigNumeric(out: usize, p: usize, n: u32, limit: usize): usize {
  const end = p + n;
  startValue();
  const size = <u32>length(p, end), digits = after;
  const scale = fault == 0 ? number(digits + size, end) : 0;
  if (fault != 0 || after != end || scale > MOST_SCALE || scale < -MOST_WHOLE) {
    startValue();
    return TOO_LONG;
  }
  if (scale >= 0) return numeric(out, digits, size, <u32>scale, limit);
  out = numeric(out, digits, size, 0, limit);
  if (out <= TOO_LONG) return out;
  if (<i64>digitCount - scale > MOST_WHOLE) return TOO_LONG;
  store<u8>(out, 101); // e
  return unsigned(out + 1, <u64>-scale);
}
