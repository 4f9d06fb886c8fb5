// Whether bytes are well-formed UTF-8, 16 at a time.

import { MASK } from "./memory.as";

/** What can be wrong with a byte and the one before it, a bit each. */
const TOO_SHORT: i8 = 1, TOO_LONG: i8 = 2, OVERLONG_3: i8 = 4, TOO_LARGE: i8 = 8, SURROGATE: i8 = 16;
const OVERLONG_2: i8 = 32, TOO_LARGE_1000: i8 = 64, OVERLONG_4: i8 = 64, TWO_CONTS: i8 = -128;
const CARRY: i8 = TOO_SHORT | TOO_LONG | TWO_CONTS;

/**
 * Whether n bytes at p are well-formed UTF-8 (the Unicode Standard, table 3-7): the lookup algorithm of
 * Keiser and Lemire, https://arxiv.org/abs/2010.03090. Up to 16 bytes after them are read.
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
  const end = p + n;
  let wrong = i8x16.splat(0), before = i8x16.splat(0);
  // Zeros follow the last byte, in one more vector if need be: no sequence goes on in them.
  for (; p <= end; p += 16) {
    let v = v128.load(p);
    if (end - p < 16) v = v128.and(v, v128.load(MASK + 16 - (end - p)));
    if (i8x16.bitmask(v128.or(v, before)) == 0) {
      before = v;
      continue;
    }
    const one = v128.shuffle<u8>(before, v, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
    const two = v128.shuffle<u8>(before, v, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
    const three = v128.shuffle<u8>(before, v, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28);
    // What is looked up is below 16: the plain instruction gives the same everywhere.
    const special = v128.and(
      v128.and(
        i8x16.relaxed_swizzle(firstHigh, i8x16.shr_u(one, 4)),
        i8x16.relaxed_swizzle(firstLow, v128.and(one, low)),
      ),
      i8x16.relaxed_swizzle(secondHigh, i8x16.shr_u(v, 4)),
    );
    // The third and fourth bytes of what has as many must be continuations, and only these.
    const long = v128.or(
      i8x16.sub_sat_u(two, i8x16.splat(96)),
      i8x16.sub_sat_u(three, i8x16.splat(112)),
    );
    wrong = v128.or(wrong, v128.xor(v128.and(long, i8x16.splat(-128)), special));
    before = v;
  }
  return !v128.any_true(wrong);
}

/** Where the first byte is that is not of well-formed UTF-8, of n bytes at p that are not. */
export function notUtf8At(p: usize, n: usize): usize {
  const end = p + n;
  while (p < end) {
    let size: usize = 1;
    while (size <= 4 && p + size <= end && !isUtf8(p, size)) size++;
    if (size > 4 || p + size > end) return p;
    p += size;
  }
  return p;
}
