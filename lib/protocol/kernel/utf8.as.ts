// Whether bytes are well-formed UTF-8, 16 at a time.

import { isUtf8 as isUtf8Slowly } from "./text.as";

/** What can be wrong with a byte and the one before it, a bit each. */
const TOO_SHORT: i8 = 1, TOO_LONG: i8 = 2, OVERLONG_3: i8 = 4, TOO_LARGE: i8 = 8, SURROGATE: i8 = 16;
const OVERLONG_2: i8 = 32, TOO_LARGE_1000: i8 = 64, OVERLONG_4: i8 = 64, TWO_CONTS: i8 = -128;
const CARRY: i8 = TOO_SHORT | TOO_LONG | TWO_CONTS;

/**
 * Whether n bytes at p are well-formed UTF-8 (the Unicode Standard, table 3-7): the lookup algorithm of
 * Keiser and Lemire, https://arxiv.org/abs/2010.03090. Up to 15 bytes after them are read.
 */
export function isUtf8(p: usize, n: usize): bool {
  const firstHigh = i8x16(
    TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG,
    TWO_CONTS, TWO_CONTS, TWO_CONTS, TWO_CONTS,
    TOO_SHORT | OVERLONG_2, TOO_SHORT, TOO_SHORT | OVERLONG_3 | SURROGATE,
    TOO_SHORT | TOO_LARGE | TOO_LARGE_1000 | OVERLONG_4,
  );
  const firstLow = i8x16(
    CARRY | OVERLONG_3 | OVERLONG_2 | OVERLONG_4, CARRY | OVERLONG_2, CARRY, CARRY,
    CARRY | TOO_LARGE, CARRY | TOO_LARGE | TOO_LARGE_1000, CARRY | TOO_LARGE | TOO_LARGE_1000,
    CARRY | TOO_LARGE | TOO_LARGE_1000, CARRY | TOO_LARGE | TOO_LARGE_1000,
    CARRY | TOO_LARGE | TOO_LARGE_1000, CARRY | TOO_LARGE | TOO_LARGE_1000,
    CARRY | TOO_LARGE | TOO_LARGE_1000, CARRY | TOO_LARGE | TOO_LARGE_1000,
    CARRY | TOO_LARGE | TOO_LARGE_1000 | SURROGATE, CARRY | TOO_LARGE | TOO_LARGE_1000,
    CARRY | TOO_LARGE | TOO_LARGE_1000,
  );
  const secondHigh = i8x16(
    TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
    TOO_LONG | OVERLONG_2 | TWO_CONTS | OVERLONG_3 | TOO_LARGE_1000 | OVERLONG_4,
    TOO_LONG | OVERLONG_2 | TWO_CONTS | OVERLONG_3 | TOO_LARGE,
    TOO_LONG | OVERLONG_2 | TWO_CONTS | SURROGATE | TOO_LARGE,
    TOO_LONG | OVERLONG_2 | TWO_CONTS | SURROGATE | TOO_LARGE,
    TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
  );
  const low = i8x16.splat(15);
  const end = p + (n & ~15);
  let wrong = i8x16.splat(0), before = i8x16.splat(0);
  for (; p < end; p += 16) {
    const v = v128.load(p);
    if (i8x16.bitmask(v128.or(v, before)) == 0) {
      before = v;
      continue;
    }
    const one = v128.shuffle<u8>(before, v, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
    const two = v128.shuffle<u8>(before, v, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
    const three = v128.shuffle<u8>(before, v, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28);
    const special = v128.and(
      v128.and(
        v128.swizzle(firstHigh, i8x16.shr_u(one, 4)),
        v128.swizzle(firstLow, v128.and(one, low)),
      ),
      v128.swizzle(secondHigh, i8x16.shr_u(v, 4)),
    );
    // The third and fourth bytes of what has as many must be continuations, and only these.
    const long = v128.or(
      i8x16.sub_sat_u(two, i8x16.splat(96)),
      i8x16.sub_sat_u(three, i8x16.splat(112)),
    );
    wrong = v128.or(wrong, v128.xor(v128.and(long, i8x16.splat(-128)), special));
    before = v;
  }
  if (v128.any_true(wrong)) return false;
  // The rest, from the start of the sequence that may go on in it.
  const rest = n & 15;
  let back: usize = 0;
  if (n >= 16) {
    if (load<u8>(end - 1) >= 0xc0) back = 1;
    else if (load<u8>(end - 2) >= 0xe0) back = 2;
    else if (load<u8>(end - 3) >= 0xf0) back = 3;
  }
  return rest + back == 0 || isUtf8Slowly(end - back, rest + back);
}

/** Where the first byte is that is not of well-formed UTF-8, of n bytes at p that are not. */
export function notUtf8At(p: usize, n: usize): usize {
  const end = p + n;
  while (p < end) {
    let size: usize = 1;
    while (size <= 4 && p + size <= end && !isUtf8Slowly(p, size)) size++;
    if (size > 4 || p + size > end) return p;
    p += size;
  }
  return p;
}
