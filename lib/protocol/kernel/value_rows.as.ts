// The rows of one value: several (--value rows), or one in another dialect of CSV (--csv).

import { hasEndMark } from "./csv.as";
import { dialect, dialectRow, escape, isLatin1, quote } from "./dialect.as";
import { value, valueSize } from "./record.as";
import { copy, trimmed } from "./text.as";
import {
  CARRIAGE_RETURN,
  EMPTY,
  EMPTY_ROW,
  END_MARK,
  limit,
  NEWLINE,
  NOT_UTF8,
  NUL,
  OPEN_QUOTE,
  overflows,
  reject,
  unfit,
} from "./unfit.as";
import { isUtf8 } from "./utf8.as";

/** How many rows valueRows() wrote. */
export let rowCount: i32 = 0;
/** Where the row after the one looked at last starts; 0 if that was the last one. */
let following: usize = 0;

/**
 * Writes the rows of the open record's value: the first one at `to`, after its columns, which start
 * at `out`; the others after the same columns again. Returns where the last one ends, without its
 * newline. Calls reject() if a row is not one, or is one too many (`many` is false).
 */
export function valueRows(out: usize, to: usize, many: bool): usize {
  const prefix = to - out;
  const end = value + <usize>trimmed(value, valueSize);
  let p = value, extra = prefix;
  rowCount = 0;
  if (p == end) {
    reject(EMPTY);
    return to;
  }
  if (!isLatin1() && !isUtf8(p, end - p)) {
    reject(NOT_UTF8);
    return to;
  }
  while (true) {
    if (rowCount > 0) {
      if (!many) {
        reject(NEWLINE);
        return to;
      }
      // The value and what is not a slot have their room already: see fields().
      extra += prefix;
      if (out + extra > limit) {
        overflows();
        return to;
      }
      store<u8>(to++, 10);
      copy(to, out, prefix);
      to += prefix;
    }
    const stop = rowEnd(p, end);
    if (unfit != 0) return to;
    const row = to;
    if (dialect == 0) {
      copy(to, p, stop - p);
      to += stop - p;
    } else {
      to = dialectRow(to, p, stop);
      if (unfit != 0) return to;
      if (isBroken && hasEndMark(row, to - row)) {
        reject(END_MARK);
        return to;
      }
    }
    rowCount++;
    if (following == 0) return to;
    p = following;
  }
}

// @ts-ignore: decorator
@inline
function isEndMark(line: usize, end: usize): bool {
  return end - line == 2 && load<u16>(line) == 0x2e5c;
}

/** Whether the row looked at last has a line break between quotes. */
let isBroken: bool = false;

/**
 * The end of the row at p, and where the next one is. Without an escape of its own a quote toggles,
 * a doubled one twice. Calls reject() if the row can't be one.
 */
function rowEnd(p: usize, end: usize): usize {
  const quotes = i8x16.splat(quote < 0 ? 0 : <i8>quote);
  const escapes = i8x16.splat(escape < 0 || escape == quote ? 0 : <i8>escape);
  const newline = i8x16.splat(10), carriage = i8x16.splat(13), zero = i8x16.splat(0);
  let open = false, line = p, stop = end;
  isBroken = false;
  following = 0;
  let i = p;
  while (i < end) {
    const v = v128.load(i);
    const breaks = v128.or(i8x16.eq(v, newline), i8x16.eq(v, carriage));
    const marks = v128.or(i8x16.eq(v, quotes), i8x16.eq(v, escapes));
    const bits = i8x16.bitmask(v128.or(v128.or(breaks, marks), i8x16.eq(v, zero)));
    i += bits == 0 ? 16 : <usize>ctz(bits);
    if (bits == 0 || i >= end) continue;
    const c: i32 = load<u8>(i);
    if (c == quote) {
      open = !open;
      i++;
      continue;
    }
    if (c == escape) {
      // Only between quotes, and only before a quote or itself.
      const next: i32 = open && i + 1 < end ? load<u8>(i, 1) : -1;
      i += next == quote || next == escape ? 2 : 1;
      continue;
    }
    if (c == 0) {
      reject(NUL);
      return end;
    }
    if (dialect == 0 && isEndMark(line, i)) reject(END_MARK);
    if (!open) {
      stop = i;
      following = i + 1;
      if (c == 13) {
        if (i + 1 >= end || load<u8>(i, 1) != 10) {
          reject(CARRIAGE_RETURN);
          return end;
        }
        following++;
      }
      break;
    }
    isBroken = true;
    line = ++i;
  }
  if (open) reject(OPEN_QUOTE);
  else if (stop == p) reject(EMPTY_ROW);
  else if (dialect == 0 && isEndMark(line, stop)) reject(END_MARK);
  return stop;
}
