// What JSON text is made of (RFC 8259): spaces, strings, numbers, words. All of these read until
// something is wrong, and a NUL byte is: walkJson() puts one after the text, so none reads past it.

/** 7 to 19: named in reasons.ts. */
export const CUT = 7, TRAILING = 8, NO_VALUE = 9, NO_NAME = 10, NO_COLON = 11, NO_COMMA = 12;
export const CONTROL = 13, BAD_ESCAPE = 14, NUL_ESCAPE = 15, SURROGATE = 16, BAD_NUMBER = 17;
export const TOO_DEEP = 18;

/** What is wrong, and where; said by who returns 0 instead of an address. */
export let wrong: i32 = 0;
export let wrongAt: usize = 0;

/** The text is wrong at p: returns 0. */
export function fail(reason: i32, p: usize): usize {
  wrong = reason;
  wrongAt = p;
  return 0;
}

/** Where the first byte from p on is that is not a space. */
export function afterSpaces(p: usize): usize {
  while (true) {
    const c = load<u8>(p);
    if (c != 32 && c != 10 && c != 13 && c != 9) return p;
    p++;
  }
}

/** The same, for where there is mostly none or one. */
// @ts-ignore: decorator
@inline
export function skipSpaces(p: usize): usize {
  if (load<u8>(p) > 32) return p;
  return load<u8>(p, 1) > 32 && load<u8>(p) == 32 ? p + 1 : afterSpaces(p);
}

/** A bit for each of 16 bytes at which a string's plain text ends: quote, backslash, control character. */
// @ts-ignore: decorator
@inline
export function ends(v: v128): i32 {
  // With this bit flipped a quote comes next to the control characters: 32, and the space is 34.
  const flipped = v128.xor(v, i8x16.splat(2));
  return i8x16.bitmask(
    v128.or(i8x16.le_u(flipped, i8x16.splat(32)), i8x16.eq(v, i8x16.splat(92))),
  );
}

/** The same for 32 bytes at p: most strings end in them. */
// @ts-ignore: decorator
@inline
export function ends32(p: usize): u32 {
  return <u32>ends(v128.load(p)) | <u32>ends(v128.load(p, 16)) << 16;
}

/** Whether the string that stringEnd() read last has escapes. */
export let escaped: bool = false;

/** The number that four hex digits at p are; above 0xffff if they are not. */
export function hex4(p: usize): u32 {
  let x: u32 = 0;
  for (let i: usize = 0; i < 4; i++) {
    let c: u32 = load<u8>(p + i);
    if (c - 48 < 10) c -= 48;
    else {
      c = (c | 32) - 97;
      if (c > 5) return 0x10000;
      c += 10;
    }
    x = x << 4 | c;
  }
  return x;
}

/** p is at a backslash: the end of the escape, of a pair of surrogates if it is one. */
function escapeEnd(p: usize): usize {
  const c = load<u8>(p, 1);
  if (c == 117) { // u
    const x = hex4(p + 2);
    if (x > 0xffff) return fail(BAD_ESCAPE, p);
    if (x == 0) return fail(NUL_ESCAPE, p);
    if (x - 0xd800 >= 0x800) return p + 6;
    if (x >= 0xdc00 || load<u8>(p, 6) != 92 || load<u8>(p, 7) != 117) return fail(SURROGATE, p);
    const low = hex4(p + 8);
    if (low > 0xffff) return fail(BAD_ESCAPE, p + 6);
    return low - 0xdc00 < 0x400 ? p + 12 : fail(SURROGATE, p);
  }
  // " / \ b f n r t
  if (c == 34 || c == 47 || c == 92 || c == 98 || c == 102 || c == 110 || c == 114 || c == 116) {
    return p + 2;
  }
  return fail(BAD_ESCAPE, p);
}

/** p is after a string's first quote: what is after its last one. */
export function stringEnd(p: usize): usize {
  escaped = false;
  while (true) {
    const m = ends(v128.load(p));
    if (m == 0) {
      p += 16;
      continue;
    }
    p += <usize>ctz(m);
    const c = load<u8>(p);
    if (c == 34) return p + 1;
    if (c != 92) return fail(CONTROL, p);
    escaped = true;
    p = escapeEnd(p);
    if (p == 0) return 0;
  }
}

/** How many of the bytes from p on are digits. */
// @ts-ignore: decorator
@inline
function digits(p: usize): usize {
  const v = i8x16.sub(v128.load(p), i8x16.splat(48));
  const other = i8x16.bitmask(i8x16.ge_u(v, i8x16.splat(10)));
  return other != 0 ? <usize>ctz(other) : manyDigits(p);
}

function manyDigits(p: usize): usize {
  const start = p;
  while (load<u8>(p) - 48 < 10) p++;
  return p - start;
}

/** p is at a minus sign or a digit: the end of the number. */
// @ts-ignore: decorator
@inline
export function numberEnd(p: usize): usize {
  if (load<u8>(p) == 45) p++;
  let n = digits(p);
  if (n != 1 && (n == 0 || load<u8>(p) == 48)) return fail(BAD_NUMBER, p);
  p += n;
  let c = load<u8>(p);
  if (c == 46) {
    n = digits(p + 1);
    if (n == 0) return fail(BAD_NUMBER, p + 1);
    p += 1 + n;
    c = load<u8>(p);
  }
  if ((c | 32) == 101) {
    c = load<u8>(p, 1);
    p += c == 43 || c == 45 ? 2 : 1;
    n = digits(p);
    if (n == 0) return fail(BAD_NUMBER, p);
    p += n;
  }
  return p;
}

/** p is at the first letter of a word: the end of true, false or null. */
// @ts-ignore: decorator
@inline
export function wordEnd(p: usize): usize {
  // Without branches on which it is: of random words each second one would be guessed wrong.
  const word = load<u32>(p);
  const isFalse = u32(word == 0x736c6166);
  const isRight = u32(word == 0x65757274) | u32(word == 0x6c6c756e) |
    (isFalse & u32(load<u8>(p, 4) == 101));
  return isRight != 0 ? p + 4 + <usize>isFalse : fail(NO_VALUE, p);
}
