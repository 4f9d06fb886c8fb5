// Whether text is JSON: https://www.rfc-editor.org/rfc/rfc8259, as PostgreSQL's json type accepts it.

import { isNumber } from "./json_text.as";

/** How deep arrays and objects may be in each other. */
const DEEPEST = 4096;
/** What is open, a bit each: 1 for an object. */
const NESTING = memory.data(512);

let q: usize = 0;
let stop: usize = 0;

function skipSpace(): void {
  while (q < stop) {
    const c = load<u8>(q);
    if (c != 32 && c != 10 && c != 13 && c != 9) return;
    q++;
  }
}

function isHex4(p: usize): bool {
  if (p + 4 > stop) return false;
  for (let i: usize = 0; i < 4; i++) {
    const c = load<u8>(p + i);
    if (<u8>(c - 48) >= 10 && <u8>((c | 32) - 97) >= 6) return false;
  }
  return true;
}

/** Steps over the string at q; false if it is not one. */
function string(): bool {
  const quote = i8x16.splat(34), backslash = i8x16.splat(92), space = i8x16.splat(32);
  if (q >= stop || load<u8>(q) != 34) return false;
  q++;
  while (q < stop) {
    const v = v128.load(q);
    const special = v128.or(
      v128.or(i8x16.eq(v, quote), i8x16.eq(v, backslash)),
      i8x16.lt_u(v, space),
    );
    const n = <usize>ctz(<u32>i8x16.bitmask(special) | 0x10000);
    q += n;
    if (n == 16) continue;
    if (q >= stop) return false;
    const c = load<u8>(q);
    if (c < 32) return false;
    q++;
    if (c == 34) return true;
    if (q >= stop) return false;
    const e = load<u8>(q++);
    if (e == 117) {
      if (!isHex4(q)) return false;
      q += 4;
    } else if (
      e != 34 && e != 92 && e != 47 && e != 98 && e != 102 && e != 110 && e != 114 && e != 116
    ) return false;
  }
  return false;
}

function literal(text: u32, n: usize): bool {
  if (q + n > stop || load<u32>(q + n - 4) != text) return false;
  q += n;
  return true;
}

/** Steps over a string, number, true, false or null at q; false if none is there. */
function scalar(): bool {
  if (q >= stop) return false;
  const c = load<u8>(q);
  if (c == 34) return string();
  if (c == 116) return literal(0x65757274, 4);
  if (c == 110) return literal(0x6c6c756e, 4);
  if (c == 102) return literal(0x65736c61, 5);
  let p = q;
  while (p < stop) {
    const d = load<u8>(p);
    if (<u8>(d - 48) >= 10 && d != 45 && d != 43 && d != 46 && (d | 32) != 101) break;
    p++;
  }
  if (!isNumber(q, p - q)) return false;
  q = p;
  return true;
}

/** Whether n bytes at p, which are UTF-8, are one JSON value. */
export function isJson(p: usize, n: usize): bool {
  q = p;
  stop = p + n;
  let depth = 0;
  // What may come: a value, or what closes or follows one.
  let wantsValue = true, first = false;
  while (true) {
    skipSpace();
    if (wantsValue) {
      if (q >= stop) return false;
      const c = load<u8>(q);
      const inObject = depth > 0 && isObject(depth);
      if (first && c == (inObject ? 125 : 93)) {
        q++;
        depth--;
        wantsValue = first = false;
        continue;
      }
      first = false;
      if (inObject && !member()) return false;
      if (q >= stop) return false;
      const start = load<u8>(q);
      if (start == 123 || start == 91) {
        if (depth == DEEPEST) return false;
        depth++;
        setObject(depth, start == 123);
        q++;
        first = true;
      } else {
        if (!scalar()) return false;
        wantsValue = false;
      }
      continue;
    }
    if (depth == 0) return q == stop;
    if (q >= stop) return false;
    const c = load<u8>(q++);
    if (c == 44) wantsValue = true;
    else if (c == (isObject(depth) ? 125 : 93)) depth--;
    else return false;
  }
}

/** Steps over a name, its colon, and space around them. */
function member(): bool {
  if (!string()) return false;
  skipSpace();
  if (q >= stop || load<u8>(q) != 58) return false;
  q++;
  skipSpace();
  return true;
}

// @ts-ignore: decorator
@inline
function isObject(depth: i32): bool {
  const at = depth - 1;
  return (load<u8>(NESTING + (at >> 3)) >> <u8>(at & 7) & 1) != 0;
}

// @ts-ignore: decorator
@inline
function setObject(depth: i32, yes: bool): void {
  const at = depth - 1;
  const bit = <u8>1 << <u8>(at & 7);
  const byte = load<u8>(NESTING + (at >> 3));
  store<u8>(NESTING + (at >> 3), yes ? byte | bit : byte & ~bit);
}
