// JSON text inside a quoted CSV field: each quote of it is doubled.

import { isUtf8 } from "./utf8.as";
import { limit, NOT_UTF8, NUL, overflows, reject } from "./unfit.as";

/** Writes a control character, a quote or a backslash as JSON escapes it; returns its end. */
function escaped(out: usize, c: u8): usize {
  store<u8>(out, 92);
  let short: u8 = 0;
  if (c == 34) {
    store<u16>(out, 0x2222, 1); // the quote is doubled
    return out + 3;
  }
  if (c == 92) short = 92;
  else if (c == 8) short = 98;
  else if (c == 9) short = 116;
  else if (c == 10) short = 110;
  else if (c == 12) short = 102;
  else if (c == 13) short = 114;
  if (short != 0) {
    store<u8>(out, short, 1);
    return out + 2;
  }
  store<u32>(out, 0x30303075, 1); // u000
  store<u8>(out, 48 + (c >> 4), 4);
  const low = c & 15;
  store<u8>(out, low + (low > 9 ? 87 : 48), 5);
  return out + 6;
}

/** Writes n bytes of text as a JSON string with doubled quotes; returns its end. May overflow, or reject. */
export function jsonString(out: usize, p: usize, n: usize): usize {
  const quote = i8x16.splat(34), backslash = i8x16.splat(92), space = i8x16.splat(32);
  const start = p, end = p + n;
  let high = i8x16.splat(0), some: u8 = 0;
  store<u16>(out, 0x2222);
  out += 2;
  while (p < end) {
    // 16 characters of six bytes at most, and the end.
    if (out + 112 > limit) {
      overflows();
      return out;
    }
    if (p + 16 <= end) {
      const v = v128.load(p);
      const special = v128.or(
        v128.or(i8x16.eq(v, quote), i8x16.eq(v, backslash)),
        i8x16.lt_u(v, space),
      );
      if (!v128.any_true(special)) {
        v128.store(out, v);
        high = v128.or(high, v);
        p += 16;
        out += 16;
        continue;
      }
    }
    const stop = p + min<usize>(16, end - p);
    for (; p < stop; p++) {
      const c = load<u8>(p);
      some |= c;
      if (c >= 32 && c != 34 && c != 92) store<u8>(out++, c);
      else if (c != 0) out = escaped(out, c);
      else {
        reject(NUL);
        return out;
      }
    }
  }
  if ((some > 127 || i8x16.bitmask(high) != 0) && !isUtf8(start, n)) reject(NOT_UTF8);
  store<u16>(out, 0x2222);
  return out + 2;
}
