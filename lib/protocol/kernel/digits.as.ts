// Numbers as decimal digits, eight at a time.

import { DIGITS } from "./memory.as";

const E8: u64 = 100000000;

/** Eight decimal digits of v < 10^8, a byte each, the first digit in the lowest byte. */
// @ts-ignore: decorator
@inline
export function eight(v: u32): u64 {
  const x = <u64>(v / 10000) | <u64>(v % 10000) << 32;
  const hundreds = (x * 10486 >> 20) & 0x7f0000007f;
  const y = hundreds | (x - 100 * hundreds) << 16;
  const tens = (y * 103 >> 10) & 0x000f000f000f000f;
  return tens | (y - 10 * tens) << 8;
}

export const ASCII: u64 = 0x3030303030303030;

/** Writes the 24 digits of x at DIGITS, zeros first. Returns the index of the first that is not 0; 23 for 0. */
export function spread(x: u64): i32 {
  const low = eight(<u32>(x % E8));
  x /= E8;
  const middle = eight(<u32>(x % E8));
  const high = eight(<u32>(x / E8));
  store<u64>(DIGITS, high | ASCII);
  store<u64>(DIGITS, middle | ASCII, 8);
  store<u64>(DIGITS, low | ASCII, 16);
  if (high != 0) return <i32>ctz(high) >> 3;
  if (middle != 0) return 8 + (<i32>ctz(middle) >> 3);
  return low == 0 ? 23 : 16 + (<i32>ctz(low) >> 3);
}

/** Writes a number; returns its end. Up to 24 bytes from out on are spoilt. */
export function unsigned(out: usize, x: u64): usize {
  if (x < 10) {
    store<u8>(out, 48 + <u8>x);
    return out + 1;
  }
  if (x < E8) {
    const digits = eight(<u32>x);
    const zeros = ctz(digits) & 56;
    store<u64>(out, (digits | ASCII) >> zeros);
    return out + 8 - <usize>(zeros >> 3);
  }
  const first = <usize>spread(x);
  v128.store(out, v128.load(DIGITS + first));
  store<u64>(out, load<u64>(DIGITS + first, 16), 16);
  return out + 24 - first;
}

/** Writes a number with its sign; returns its end. */
export function signed(out: usize, x: i64): usize {
  if (x >= 0) return unsigned(out, <u64>x);
  store<u8>(out, 45);
  return unsigned(out + 1, -<u64>x);
}

/** Writes a number below 100 as two digits; returns their end. */
// @ts-ignore: decorator
@inline
export function two(out: usize, x: u32): usize {
  const tens = x * 103 >> 10;
  store<u16>(out, <u16>(0x3030 | tens | (x - 10 * tens) << 8));
  return out + 2;
}

/** Writes a number below 10^8 as its last n digits, n at most 8; returns their end. */
// @ts-ignore: decorator
@inline
export function padded(out: usize, x: u32, n: u32): usize {
  store<u64>(out, (eight(x) | ASCII) >> (8 * <u64>(8 - n)));
  return out + n;
}
