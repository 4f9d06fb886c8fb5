// Doubles and floats as the shortest text that reads back the same; of several, the nearest.
// Raffaello Giulietti, "The Schubfach way to render doubles" (2020); the form is that of
// ECMA-262, Number::toString, which PostgreSQL reads as well.

import { ASCII, padded, spread, unsigned } from "./digits.as";
import { DIGITS, POWERS } from "./memory.as";
import { copy } from "./text.as";

/** The power of ten of the first entry at POWERS (powers.ts). */
const K_MIN = -324;
const MASK_63: u64 = 0x7fffffffffffffff;

// @ts-ignore: decorator
@inline
function multiplyHigh(a: u64, b: u64): u64 {
  const al = a & 0xffffffff, ah = a >> 32, bl = b & 0xffffffff, bh = b >> 32;
  const cross = al * bh;
  const middle = (al * bl >> 32) + (cross & 0xffffffff) + ah * bl;
  return ah * bh + (cross >> 32) + (middle >> 32);
}

/** cp · g · 2^-127 rounded to odd: the paper's section 9.9. */
// @ts-ignore: decorator
@inline
function roundToOdd(g1: u64, g0: u64, cp: u64): u64 {
  const z = (g1 * cp >> 1) + multiplyHigh(g0, cp);
  const w = multiplyHigh(g1, cp) + (z >> 63);
  return w | ((z & MASK_63) + MASK_63) >> 63;
}

/** Writes c · 2^q, which is not 0; `lower` says that the next smaller number is only half as far away. */
function finite(out: usize, c: u64, q: i32, lower: bool): usize {
  const odd = c & 1;
  const cb = c << 2, cbl = lower ? cb - 1 : cb - 2;
  // floor(log10(2^q)), or of 3/4 of it
  const k = <i32>((<i64>q * 661971961083 - (lower ? 274743187321 : 0)) >> 41);
  const h = <u64>(q + <i32>(<i64>-k * 913124641741 >> 38) + 2);
  const entry = POWERS + 16 * <usize>(k - K_MIN);
  const g1 = load<u64>(entry), g0 = load<u64>(entry, 8);
  const vb = roundToOdd(g1, g0, cb << h);
  const vbl = roundToOdd(g1, g0, cbl << h) + odd;
  const vbr = roundToOdd(g1, g0, (cb + 2) << h) - odd;
  const s = vb >> 2;
  if (s >= 10) {
    const fewer = s / 10, under = fewer * 10, over = under + 10;
    const underIn = vbl <= under << 2, overIn = over << 2 <= vbr;
    if (underIn != overIn) return point(out, underIn ? fewer : fewer + 1, k + 1);
  }
  const t = s + 1;
  const sIn = vbl <= s << 2, tIn = t << 2 <= vbr;
  if (sIn != tIn) return point(out, sIn ? s : t, k);
  const side = <i64>(vb - (s + t << 1));
  return point(out, side < 0 || (side == 0 && (s & 1) == 0) ? s : t, k);
}

/** Writes d · 10^k, without the zeros at the end of d. */
function point(out: usize, d: u64, k: i32): usize {
  const first = spread(d);
  const low = load<u64>(DIGITS, 16) ^ ASCII, middle = load<u64>(DIGITS, 8) ^ ASCII;
  const last = low != 0 ? 23 - (<i32>clz(low) >> 3) : middle != 0 ? 15 - (<i32>clz(middle) >> 3) : 7;
  const count = last - first + 1;
  const digits = DIGITS + first;
  // d is 0.ddd · 10^n
  const n = k + 24 - first;
  if (n > 21 || n < -5) {
    store<u8>(out++, load<u8>(digits));
    if (count > 1) {
      store<u8>(out++, 46);
      copy(out, digits + 1, count - 1);
      out += count - 1;
    }
    store<u16>(out, n > 0 ? 0x2b65 : 0x2d65); // e+, e-
    return unsigned(out + 2, n > 0 ? n - 1 : 1 - n);
  }
  if (n <= 0) {
    store<u64>(out, 0x3030303030302e30); // 0.000000
    copy(out + 2 - n, digits, count);
    return out + 2 - n + count;
  }
  copy(out, digits, count);
  if (count <= n) {
    for (let i = count; i < n; i++) store<u8>(out + i, 48);
    return out + n;
  }
  store<u8>(out + n, 46);
  copy(out + n + 1, digits + n, count - n);
  return out + count + 1;
}

/** Writes a number: its whole part, and hundredths or ten thousandths of which the zeros at the end are left out. */
function places(out: usize, whole: i32, part: u32, digits: u32): usize {
  out = unsigned(out, whole);
  store<u8>(out, 46);
  out = padded(out + 1, part, digits);
  while (load<u8>(out - 1) == 48) out--;
  return out;
}

/**
 * Writes a positive number that is not whole, if it has at most four digits after the point and 13
 * in all; else returns 0. No two numbers of 15 digits are the same double, so if one reads back the
 * same, as this division says, it is the shortest.
 */
// @ts-ignore: decorator
@inline
function short(out: usize, x: f64): usize {
  if (x >= 1e9 || x < 1e-3) return 0;
  const whole = <i32>x;
  let y = nearest(x * 100);
  if (y / 100 == x) return places(out, whole, <u32>(<i64>y - 100 * <i64>whole), 2);
  y = nearest(x * 10000);
  if (y / 10000 == x) return places(out, whole, <u32>(<i64>y - 10000 * <i64>whole), 4);
  return 0;
}

/** The same of a float, of six digits in all. */
// @ts-ignore: decorator
@inline
function shortFloat(out: usize, x: f32): usize {
  if (x >= 1e4 || x < 1e-3) return 0;
  const whole = <i32>x;
  let y = nearest(x * 100);
  if (y / 100 == x) return places(out, whole, <u32>(<i64>y - 100 * <i64>whole), 2);
  if (x >= 1e2) return 0;
  y = nearest(x * 10000);
  if (y / 10000 == x) return places(out, whole, <u32>(<i64>y - 10000 * <i64>whole), 4);
  return 0;
}

/** Writes NaN, Infinity or -Infinity. */
function special(out: usize, negative: bool, fraction: bool): usize {
  if (fraction) {
    store<u32>(out, 0x4e614e); // NaN
    return out + 3;
  }
  if (negative) store<u8>(out++, 45);
  store<u64>(out, 0x7974696e69666e49); // Infinity
  return out + 8;
}

/** Whether a float or a double is NaN or an infinity, by its bits. */
export function isSpecial(bits: u64, wide: bool): bool {
  return wide ? (bits >> 52 & 0x7ff) == 0x7ff : (bits >> 23 & 0xff) == 0xff;
}

/** Writes the double with these bits; returns its end. At most 25 bytes; 48 from out on are spoilt. */
export function double(out: usize, bits: u64): usize {
  const exponent = <i32>(bits >> 52) & 0x7ff;
  const fraction = bits & 0xfffffffffffff;
  const negative = <i64>bits < 0;
  if (exponent == 0x7ff) return special(out, negative, fraction != 0);
  if (negative) store<u8>(out++, 45);
  if (exponent == 0) {
    if (fraction != 0) return finite(out, fraction, -1074, false);
    store<u8>(out, 48);
    return out + 1;
  }
  const c = fraction | 0x10000000000000, q = exponent - 1075;
  // Whole numbers below 2^53 are the most usual ones.
  if (q <= 0 && q > -53 && (c & ((<u64>1 << <u64>-q) - 1)) == 0) {
    return unsigned(out, c >> <u64>-q);
  }
  const end = short(out, reinterpret<f64>(bits & 0x7fffffffffffffff));
  return end != 0 ? end : finite(out, c, q, fraction == 0 && exponent > 1);
}

/** Writes the float with these bits; returns its end. */
export function float(out: usize, bits: u32): usize {
  const exponent = <i32>(bits >> 23) & 0xff;
  const fraction = <u64>(bits & 0x7fffff);
  const negative = <i32>bits < 0;
  if (exponent == 0xff) return special(out, negative, fraction != 0);
  if (negative) store<u8>(out++, 45);
  if (exponent == 0) {
    if (fraction != 0) return finite(out, fraction, -149, false);
    store<u8>(out, 48);
    return out + 1;
  }
  const c = fraction | 0x800000, q = exponent - 150;
  if (q <= 0 && q > -24 && (c & ((<u64>1 << <u64>-q) - 1)) == 0) {
    return unsigned(out, c >> <u64>-q);
  }
  const end = shortFloat(out, reinterpret<f32>(bits & 0x7fffffff));
  return end != 0 ? end : finite(out, c, q, fraction == 0 && exponent > 1);
}
