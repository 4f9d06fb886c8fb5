// Fetched records to rows with fields of their own: columns in front, the value quoted or as hex.

import { COLUMNS, PARAMETERS } from "./memory.as";
import {
  between,
  delta,
  findHeader,
  key,
  keySize,
  next,
  open,
  pass,
  time,
  value,
  valueSize,
} from "./record.as";
import { BROKEN, DONE, ENOUGH, FULL, report, SUSPECT, UNFIT } from "./rows.as";
import { copy, copyGuarded, isUtf8 } from "./text.as";

const GUARD = 1, EMPTY_NULLS = 2, VALUE_FIELD = 4, VALUE_HEX = 8, APPEND_TIME = 16;
// Kinds of columns; the entry of TEXT and HEADER says where its bytes are.
const TEXT = 0, OFFSET = 1, TIMESTAMP = 2, KEY = 3, HEADER = 4;

/** Why a field can't stand in a row, 0 if it can; named in kernel.ts. */
let unfit: i32 = 0;
const NUL = 1, NOT_UTF8 = 2, END_MARK = 3, NO_TIME = 4;

/** Whether one of the lines of n bytes at p is just `\.`. */
function hasEndMark(p: usize, n: usize): bool {
  const end = p + n;
  for (let line = p; line <= end;) {
    let stop = line;
    while (stop < end && load<u8>(stop) != 10 && load<u8>(stop) != 13) stop++;
    if (stop - line == 2 && load<u16>(line) == 0x2e5c) return true;
    line = stop + 1;
  }
  return false;
}

/** Writes n bytes as a quoted CSV field; returns its end. */
function quoted(out: usize, p: usize, n: usize): usize {
  const quote = i8x16.splat(34), newline = i8x16.splat(10), zero = i8x16.splat(0);
  const start = p, end = p + n;
  let high = zero, lines = zero, nuls = false;
  store<u8>(out++, 34);
  while (p + 16 <= end) {
    const v = v128.load(p);
    v128.store(out, v);
    high = v128.or(high, v);
    lines = v128.or(lines, i8x16.eq(v, newline));
    if (!i8x16.all_true(v)) nuls = true;
    const quotes = i8x16.bitmask(i8x16.eq(v, quote));
    if (quotes == 0) {
      p += 16;
      out += 16;
    } else { // up to the first quote, which is doubled
      const taken = <usize>ctz(quotes) + 1;
      p += taken;
      out += taken;
      store<u8>(out++, 34);
    }
  }
  let some: u8 = 0;
  for (; p < end; p++) {
    const c = load<u8>(p);
    store<u8>(out++, c);
    if (c == 34) store<u8>(out++, 34);
    if (c == 0) nuls = true;
    if (c == 10) lines = newline;
    some |= c;
  }
  store<u8>(out++, 34);
  if (nuls) unfit = NUL;
  else if ((some > 127 || i8x16.bitmask(high) != 0) && !isUtf8(start, n)) unfit = NOT_UTF8;
  else if (v128.any_true(lines) && hasEndMark(start, n)) unfit = END_MARK;
  return out;
}

// @ts-ignore: decorator
@inline
function hexDigits(nibbles: v128): v128 {
  // '0' + n, and 39 more from 'a' on.
  const letters = v128.and(i8x16.gt_u(nibbles, i8x16.splat(9)), i8x16.splat(39));
  return i8x16.add(i8x16.add(nibbles, i8x16.splat(48)), letters);
}

/** Writes `\x` and two digits a byte, PostgreSQL's bytea; returns its end. */
function hex(out: usize, p: usize, n: usize): usize {
  store<u16>(out, 0x785c);
  out += 2;
  for (let i: usize = 0; i < n; i += 16) {
    const v = v128.load(p + i);
    const high = hexDigits(i8x16.shr_u(v, 4));
    const low = hexDigits(v128.and(v, i8x16.splat(15)));
    v128.store(
      out + 2 * i,
      v128.shuffle<u8>(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
    );
    v128.store(
      out + 2 * i,
      v128.shuffle<u8>(high, low, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31),
      16,
    );
  }
  return out + 2 * n;
}

/** Writes a number of at least `width` digits; returns its end. */
function decimal(out: usize, x: u64, width: i32): usize {
  let digits = 1;
  for (let y = x; y > 9; y /= 10) digits++;
  if (digits < width) digits = width;
  for (let i = digits - 1; i >= 0; i--, x /= 10) store<u8>(out + i, <u8>(48 + x % 10));
  return out + digits;
}

const DAY: i64 = 86400000;
/** 0001-01-01 and 10000-01-01: times outside have no four-digit year. */
const FIRST: i64 = -62135596800000, BEHIND: i64 = 253402300800000;

/** Writes milliseconds since 1970 as ISO 8601 in UTC; returns its end. */
function isoTime(out: usize, ms: i64): usize {
  const days = (ms - FIRST) / DAY;
  const rest = <u64>((ms - FIRST) % DAY);
  // Howard Hinnant's civil_from_days: years that start in March, eras of 400 years.
  const z = days + 306;
  const era = z / 146097;
  const doe = z - era * 146097;
  const yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const mp = (5 * doy + 2) / 153;
  const day = doy - (153 * mp + 2) / 5 + 1;
  const month = mp < 10 ? mp + 3 : mp - 9;
  out = decimal(out, <u64>(yoe + era * 400 + (month <= 2 ? 1 : 0)), 4);
  store<u8>(out++, 45);
  out = decimal(out, <u64>month, 2);
  store<u8>(out++, 45);
  out = decimal(out, <u64>day, 2);
  store<u8>(out++, 84);
  out = decimal(out, rest / 3600000, 2);
  store<u8>(out++, 58);
  out = decimal(out, rest / 60000 % 60, 2);
  store<u8>(out++, 58);
  out = decimal(out, rest / 1000 % 60, 2);
  store<u8>(out++, 46);
  out = decimal(out, rest % 1000, 3);
  store<u8>(out++, 90);
  return out;
}

/** Writes one column of the open record, without a comma; a null is nothing at all. */
function column(out: usize, entry: usize, flags: i32): usize {
  const kind = load<i32>(entry);
  const text = <usize>load<u32>(entry, 4);
  const size = load<i32>(entry, 8);
  if (kind == TEXT) {
    copy(out, text, size);
    return out + size;
  }
  if (kind == OFFSET) return decimal(out, load<u64>(PARAMETERS) + delta, 1);
  if (kind == TIMESTAMP) {
    const ms = load<i64>(PARAMETERS, 8) + ((flags & APPEND_TIME) != 0 ? 0 : time);
    if (ms == -1) return out;
    if (ms < FIRST || ms >= BEHIND) {
      unfit = NO_TIME;
      return out;
    }
    return isoTime(out, ms);
  }
  if (kind == HEADER) findHeader(text, size);
  return keySize < 0 ? out : quoted(out, key, keySize);
}

/**
 * Like rows(), but writes to another place, and `columns` fields before each value: the entries
 * at COLUMNS (kind, where its bytes are, how many). PARAMETERS has the batch's offset and time,
 * int64 each. It stops before a record whose row may reach past `enough`: a row takes at most
 * `fixed` bytes and `factor` times its record's size.
 *
 * flags, beside those of rows(): 4 = the value is a quoted field, 8 = it is hex, 16 = the time is
 * the batch's alone. A record that is suspect, or that the guard finds unfit (then the last two
 * of the report say why, and in which column, -1 for the value), is not one of the rows, and `at` is
 * where it starts: a further call without the guard writes it.
 */
export function fields(
  p: usize,
  end: usize,
  count: i32,
  min: i32,
  max: i32,
  budget: i32,
  out: usize,
  flags: i32,
  enough: usize,
  floor: i32,
  ceiling: i32,
  columns: i32,
  fixed: u32,
  factor: u32,
): usize {
  const guard = (flags & GUARD) != 0;
  let seen = 0, emitted = 0, nulls = 0, status = DONE, last = -1;
  between(floor, ceiling);
  while (seen < count) {
    if (!open(p, end)) {
      status = BROKEN;
      break;
    }
    const size = valueSize, from = value, offset = delta;
    if (offset >= min && offset < max) {
      if (emitted == budget) {
        status = FULL;
        break;
      }
      if (<u64>out + fixed + <u64>factor * <u64>(next - p) > <u64>enough) {
        status = ENOUGH;
        break;
      }
      last = offset;
      if (size < 0 && (flags & EMPTY_NULLS) == 0) nulls++;
      else {
        let to = out, c = 0;
        unfit = 0;
        for (; c < columns; c++) {
          to = column(to, COLUMNS + 12 * c, flags);
          if (guard && unfit != 0) break;
          store<u8>(to++, 44);
        }
        if (unfit == 0 || !guard) {
          if ((flags & VALUE_HEX) != 0) to = size < 0 ? to : hex(to, from, size);
          else if ((flags & VALUE_FIELD) != 0) to = size < 0 ? to : quoted(to, from, size);
          else if (size >= 0) {
            if ((size == 0 || !copyGuarded(to, from, size)) && guard) status = SUSPECT;
            to += size;
          }
          if (guard && unfit != 0) c = -1;
        }
        if (guard && unfit != 0) {
          status = UNFIT;
          report(status, p, seen, emitted, nulls, last, unfit, c);
          return out;
        }
        if (status == SUSPECT) {
          report(status, p, seen, emitted, nulls, last, from, size);
          return out;
        }
        store<u8>(to, 10);
        out = to + 1;
        emitted++;
      }
    }
    p = next;
    pass();
    seen++;
  }
  report(status, p, seen, emitted, nulls, last, 0, 0);
  return out;
}
