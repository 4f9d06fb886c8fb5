// Whether text that was written is JSON.

import { compositeEnd, DEPTH_MAX } from "./json_skip.as";
import { numberEnd, skipSpaces, stringEnd, wordEnd } from "./json_text.as";

/**
 * Whether n bytes at p, which are UTF-8, are one JSON value. What is after them is overwritten by a
 * byte. At `stack` there are STACK_SIZE bytes for its levels.
 */
export function isJson(p: usize, n: usize, stack: usize): bool {
  const end = p + n;
  store<u8>(end, 0);
  p = skipSpaces(p);
  const c = load<u8>(p);
  if (c == 34) p = stringEnd(p + 1);
  else if (c == 123 || c == 91) p = compositeEnd(p, DEPTH_MAX, stack);
  else p = c == 45 || c - 48 < 10 ? numberEnd(p) : wordEnd(p);
  return p != 0 && skipSpaces(p) == end;
}
