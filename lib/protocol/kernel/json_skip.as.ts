// Objects and arrays of which no part is wanted: checked, and stepped over.

import {
  afterSpaces,
  ends,
  ends32,
  fail,
  NO_COLON,
  NO_COMMA,
  NO_NAME,
  numberEnd,
  skipSpaces,
  stringEnd,
  TOO_DEEP,
  wordEnd,
} from "./json_text.as";

/** How deep objects and arrays may be in each other. */
export const DEPTH_MAX: u32 = 65536;
/** A bit for each of them, 64 at a time: whether it is an object. */
export const STACK_SIZE: usize = 8192 + 8;

// @ts-ignore: decorator
@inline
function string(p: usize): usize {
  const m = ends32(p);
  const end = p + <usize>ctz(m);
  return m != 0 && load<u8>(end) == 34 ? end + 1 : stringEnd(p);
}

/** p is where a name must be: the start of its value. */
// @ts-ignore: decorator
@inline
function name(p: usize): usize {
  if (load<u8>(p) != 34) return fail(NO_NAME, p);
  const m = ends(v128.load(p + 1));
  const end = p + 1 + <usize>ctz(m);
  // Most names are shorter than most strings.
  p = m != 0 && load<u8>(end) == 34 ? end + 1 : stringEnd(p + 1);
  if (p == 0) return 0;
  if (load<u8>(p) != 58) {
    p = afterSpaces(p);
    if (load<u8>(p) != 58) return fail(NO_COLON, p);
  }
  return skipSpaces(p + 1);
}

/**
 * p is at a bracket: what is after the one that closes it, or 0. It may be `most` levels deep; the
 * levels are kept at `stack`.
 */
export function compositeEnd(p: usize, most: u32, stack: usize): usize {
  let depth: u32 = 0;
  /** Whether the innermost 64 are objects, the innermost of all in the lowest bit. */
  let objects: u64 = 0;
  while (true) {
    const c = load<u8>(p);
    let isOpen = false;
    if (c == 34) p = string(p + 1);
    else if (c == 123 || c == 91) {
      if (depth == most) return fail(TOO_DEEP, p);
      if ((++depth & 63) == 0) store<u64>(stack + <usize>(depth >> 3), objects);
      objects = objects << 1 | <u64>(c == 123);
      p = skipSpaces(p + 1);
      isOpen = load<u8>(p) != c + 2;
      if (isOpen && c == 91) continue;
    } else if (c == 45 || c - 48 < 10) p = numberEnd(p);
    else p = wordEnd(p);
    if (p == 0) return 0;
    // After a value, or after what opened an object.
    while (true) {
      if (!isOpen) {
        p = skipSpaces(p);
        const d = load<u8>(p);
        if (d == 44) {
          p = skipSpaces(p + 1);
          if ((objects & 1) == 0) break;
        } else {
          if (d != ((objects & 1) != 0 ? 125 : 93)) return fail(NO_COMMA, p);
          p++;
          objects = (depth & 63) == 0 ? load<u64>(stack + <usize>(depth >> 3)) : objects >> 1;
          if (--depth == 0) return p;
          continue;
        }
      }
      p = name(p);
      if (p == 0) return 0;
      break;
    }
  }
}
