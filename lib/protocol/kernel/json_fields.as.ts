// The columns of a CSV row as JSON: https://www.rfc-editor.org/rfc/rfc8259

import { simple, simpleAt, simpleSize } from "./row_fields.as";

// @ts-ignore: decorator
@inline
function digit(nibble: u8): u8 {
  return nibble < 10 ? 48 + nibble : 87 + nibble;
}

/** The letter that a backslash makes this control character; 0 if it has none. */
// @ts-ignore: decorator
@inline
function letter(byte: u8): u8 {
  if (byte == 10) return 110;
  if (byte == 9) return 116;
  if (byte == 13) return 114;
  if (byte == 8) return 98;
  return byte == 12 ? 102 : 0;
}

/**
 * A column's text as a JSON string, with its quotes: its size, and if `writes`, the string at out.
 * Copies are whole vectors: up to 15 bytes after it are spoilt.
 */
export function jsonString(out: usize, column: usize, writes: bool): usize {
  const quote = i8x16.splat(34), backslash = i8x16.splat(92), space = i8x16.splat(32);
  const first = out;
  let p = <usize>load<u32>(column), open = false;
  const end = p + load<u32>(column, 4);
  if (writes) store<u8>(out, 34);
  out++;
  while (p < end) {
    const v = v128.load(p);
    const special = v128.or(
      v128.or(i8x16.eq(v, quote), i8x16.eq(v, backslash)),
      i8x16.lt_u(v, space),
    );
    let n = <usize>ctz(<u32>i8x16.bitmask(special) | 0x10000);
    if (n > end - p) n = end - p;
    if (writes) v128.store(out, v);
    out += n;
    p += n;
    if (n == 16 || p == end) continue;
    const byte = load<u8>(p);
    if (byte == 34 && !(open && p + 1 < end && load<u8>(p, 1) == 34)) {
      open = !open;
      p++;
      continue;
    }
    p += byte == 34 ? 2 : 1;
    const short = byte == 34 || byte == 92 ? byte : letter(byte);
    if (writes) {
      store<u8>(out, 92);
      store<u8>(out, short == 0 ? 117 : short, 1);
      if (short == 0) {
        store<u16>(out, 0x3030, 2);
        store<u8>(out, digit(byte >> 4), 4);
        store<u8>(out, digit(byte & 15), 5);
      }
    }
    out += short == 0 ? 6 : 2;
  }
  if (writes) store<u8>(out, 34);
  return out + 1 - first;
}

// @ts-ignore: decorator
@inline
function digits(p: usize, end: usize): usize {
  while (p < end && <u8>(load<u8>(p) - 48) < 10) p++;
  return p;
}

/** Whether n bytes at p are a JSON number, and nothing else. */
export function isNumber(p: usize, n: usize): bool {
  const end = p + n;
  if (p < end && load<u8>(p) == 45) p++;
  const whole = digits(p, end);
  if (whole == p || (load<u8>(p) == 48 && whole > p + 1)) return false;
  p = whole;
  if (p < end && load<u8>(p) == 46) {
    const fraction = digits(p + 1, end);
    if (fraction == p + 1) return false;
    p = fraction;
  }
  if (p < end && (load<u8>(p) | 32) == 101) {
    p++;
    if (p < end && (load<u8>(p) == 43 || load<u8>(p) == 45)) p++;
    const exponent = digits(p, end);
    if (exponent == p) return false;
    p = exponent;
  }
  return p == end;
}

/** What a column that is PostgreSQL's t, f, true or false says; -1 if it is neither. */
export function truth(column: usize): i32 {
  if (!simple(column)) return -1;
  const p = simpleAt;
  if (simpleSize == 1) return load<u8>(p) == 116 ? 1 : load<u8>(p) == 102 ? 0 : -1;
  if (simpleSize == 4) return load<u32>(p) == 0x65757274 ? 1 : -1;
  if (simpleSize == 5) return load<u32>(p) == 0x736c6166 && load<u8>(p, 4) == 101 ? 0 : -1;
  return -1;
}

/** A number's size, or -1 if the column is not one. */
export function numberSize(column: usize): i32 {
  return simple(column) && isNumber(simpleAt, simpleSize) ? <i32>simpleSize : -1;
}
