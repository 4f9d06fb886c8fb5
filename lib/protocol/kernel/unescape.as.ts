// JSON strings with escapes to text.

import { hasEndMark } from "./csv.as";
import { END_MARK, reject } from "./unfit.as";

// @ts-ignore: decorator
@inline
function hexDigit(c: u32): u32 {
  return (c & 15) + (c >>> 6) * 9;
}

// @ts-ignore: decorator
@inline
function hex4(p: usize): u32 {
  return hexDigit(load<u8>(p)) << 12 | hexDigit(load<u8>(p, 1)) << 8 |
    hexDigit(load<u8>(p, 2)) << 4 | hexDigit(load<u8>(p, 3));
}

/** What is after the escape that escape() read. */
let escapeEnd: usize = 0;

/** The code point of the valid escape whose backslash is at p. */
function escape(p: usize): u32 {
  let c: u32 = load<u8>(p, 1);
  p += 2;
  if (c == 117) { // u
    c = hex4(p);
    p += 4;
    if (c - 0xd800 < 0x400) {
    c = 0x10000 + ((c - 0xd800) << 10 | hex4(p + 2) - 0xdc00);
    p += 6;
    }
  } else if (c == 110) c = 10; // n
  else if (c == 114) c = 13; // r
  else if (c == 116) c = 9; // t
  else if (c == 98) c = 8; // b
  else if (c == 102) c = 12; // f
  escapeEnd = p;
  return c;
}

/** Writes the UTF-8 of a code point; returns its end. */
function utf8(out: usize, c: u32): usize {
  if (c < 0x80) {
    store<u8>(out, c);
    return out + 1;
  }
  if (c < 0x800) {
    store<u8>(out, 0xc0 | c >>> 6);
    store<u8>(out, 0x80 | c & 63, 1);
    return out + 2;
  }
  if (c < 0x10000) {
    store<u8>(out, 0xe0 | c >>> 12);
    store<u8>(out, 0x80 | c >>> 6 & 63, 1);
    store<u8>(out, 0x80 | c & 63, 2);
    return out + 3;
  }
  store<u8>(out, 0xf0 | c >>> 18);
  store<u8>(out, 0x80 | c >>> 12 & 63, 1);
  store<u8>(out, 0x80 | c >>> 6 & 63, 2);
  store<u8>(out, 0x80 | c & 63, 3);
  return out + 4;
}

/**
 * Writes the body of a JSON string, whose escapes are valid and whose surrogates are in pairs, as a
 * quoted CSV field; returns its end.
 */
export function unescaped(out: usize, p: usize, n: usize): usize {
  const end = p + n;
  let lines = false;
  store<u8>(out++, 34);
  const start = out;
  const backslash = i8x16.splat(92);
  while (p < end) {
    const v = v128.load(p);
    v128.store(out, v);
    const escapes = i8x16.bitmask(i8x16.eq(v, backslash));
    const plain = escapes == 0 ? <usize>16 : <usize>ctz(escapes);
    if (plain >= end - p) {
      out += end - p;
      break;
    }
    p += plain;
    out += plain;
    if (escapes == 0) continue;
    const c = escape(p);
    p = escapeEnd;
    if (c == 34) store<u8>(out++, 34);
    if (c == 10 || c == 13) lines = true;
    out = utf8(out, c);
  }
  if (lines && hasEndMark(start, out - start)) reject(END_MARK);
  store<u8>(out, 34);
  return out + 1;
}

/**
 * Decodes the body of a valid JSON string to `out`, if it has at most `most` bytes there: returns how
 * many, or -1. Up to 3 bytes after them are spoilt.
 */
export function decodeName(p: usize, n: usize, out: usize, most: u32): i32 {
  const end = p + n, start = out;
  while (p < end) {
    if (<u32>(out - start) >= most) return -1;
    const c = load<u8>(p);
    if (c != 92) {
      store<u8>(out++, c);
      p++;
      continue;
    }
    out = utf8(out, escape(p));
    p = escapeEnd;
  }
  return <u32>(out - start) > most ? -1 : <i32>(out - start);
}
