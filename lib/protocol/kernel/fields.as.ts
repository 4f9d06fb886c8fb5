// Fetched records to rows with fields of their own: columns, and after them the value, quoted or as hex.

import { column } from "./columns.as";
import { hex, quoted } from "./csv.as";
import { PARAMETERS, STATE } from "./memory.as";
import {
  columnCount,
  columns,
  factor,
  fixed,
  keySource,
  slotCount,
  valueSource,
} from "./program.as";
import { between, delta, key, keySize, next, open, pass, value, valueSize } from "./record.as";
import { BROKEN, DONE, ENOUGH, FULL, INVALID, report, SCHEMA, SUSPECT, UNFIT } from "./rows.as";
import { clearSlots } from "./slots.as";
import { copyGuarded, trimmed } from "./text.as";
import { clearUnfit, overflow, setLimit, unfit } from "./unfit.as";
import { rowCount, valueRows } from "./value_rows.as";
import { UNKNOWN_SCHEMA, walk } from "./walk.as";

const GUARD = 1, EMPTY_NULLS = 2, VALUE_FIELD = 4, VALUE_HEX = 8, NO_VALUE = 32;
/** A line end at a value's end is not part of it; a value is rewritten; it may be several rows. */
const TRIMS = 64, REWRITTEN = 128, MANY = 256;

/** Whose bytes a walker rejected. */
let source: i32 = 0;

/** Takes key and value of the open record apart, into slots. Returns 0, a reason or UNKNOWN_SCHEMA. */
function takeApart(): i32 {
  clearSlots();
  let reason = 0;
  if (keySource != 0 && keySize >= 0) {
    source = 0;
    reason = walk(keySource, key, keySize);
    if (reason != 0) return reason;
  }
  if (valueSource != 0 && valueSize >= 0) {
    source = 1;
    reason = walk(valueSource, value, valueSize);
  }
  return reason;
}

/** Writes the value after the columns, as the flags say; returns its end. */
function valueField(out: usize, flags: i32): usize {
  if (valueSize < 0) return out;
  return (flags & VALUE_HEX) != 0 ? hex(out, value, valueSize) : quoted(out, value, valueSize);
}

/**
 * Like rows(), but writes to another place, and the fields of the program's columns before each
 * value. PARAMETERS also has the batch's offset and time, its topic and partition. It stops before a
 * record whose row may reach past `enough`: a row takes at most `fixed` bytes and `factor` times its
 * record's size, and what its slots take is seen when they are written.
 *
 * flags, beside those of rows(): 4 = the value is a quoted field, 8 = it is hex, 16 = the time is
 * the batch's alone, 32 = the row is the columns alone, 64 = a line end at a value's end is not part
 * of it, 128 = the value is a row of a dialect, or rows, which are checked, 256 = rows. A record that is suspect, or that the guard
 * finds unfit (then the report says why, and in which column, -1 for the value), or that a walker
 * rejects, is not one of the rows, and `at` is where it starts: a further call without the guard
 * writes the one that is only suspect.
 */
export function fields(): usize {
  let p: usize = load<u32>(PARAMETERS);
  const end: usize = load<u32>(PARAMETERS, 4);
  const count = load<i32>(PARAMETERS, 8);
  const min = load<i32>(PARAMETERS, 12), max = load<i32>(PARAMETERS, 16);
  const budget = load<i32>(PARAMETERS, 20);
  let out: usize = load<u32>(PARAMETERS, 24);
  const flags = load<i32>(PARAMETERS, 28);
  const enough: usize = load<u32>(PARAMETERS, 40);
  const guard = (flags & GUARD) != 0;
  let seen = 0, emitted = 0, nulls = 0, status = DONE, last = -1;
  let detail: usize = 0, more = 0, rows = 0;
  between(load<i32>(PARAMETERS, 32), load<i32>(PARAMETERS, 36));
  while (seen < count) {
    if (!open(p, end)) {
      status = BROKEN;
      break;
    }
    if (delta >= min && delta < max) {
      if (emitted == budget) {
        status = FULL;
        break;
      }
      const most = <u64>fixed + <u64>factor * <u64>(next - p);
      if (<u64>out + most > <u64>enough) {
        status = ENOUGH;
        break;
      }
      setLimit(enough - <usize>most);
      const before = last;
      last = delta;
      if (valueSize < 0 && (flags & EMPTY_NULLS) == 0) nulls++;
      else {
        clearUnfit();
        if (slotCount > 0) {
          const reason = takeApart();
          if (reason != 0) {
            status = reason == UNKNOWN_SCHEMA ? SCHEMA : INVALID;
            if (status == SCHEMA) last = before;
            detail = status == SCHEMA ? (source == 0 ? key : value) : <usize>reason;
            more = source;
            break;
          }
        }
        let to = out, c = 0, made = 1;
        for (; c < columnCount; c++) {
          to = column(to, columns + 12 * c, flags);
          if ((unfit != 0 && guard) || overflow) break;
          store<u8>(to++, 44);
        }
        if (overflow) {
          status = ENOUGH;
          last = before;
          break;
        }
        if (unfit == 0 || !guard) {
          if ((flags & NO_VALUE) != 0) to--;
          else if ((flags & (VALUE_FIELD | VALUE_HEX)) != 0) to = valueField(to, flags);
          else if ((flags & REWRITTEN) != 0) {
            if (valueSize >= 0) {
              to = valueRows(out, to, (flags & MANY) != 0);
              made = rowCount;
            }
            if (overflow) {
              status = ENOUGH;
              last = before;
              break;
            }
          } else if (valueSize >= 0) {
            let size = valueSize;
            let isRow = size > 0 && copyGuarded(to, value, size);
            if (!isRow && (flags & TRIMS) != 0) {
              size = trimmed(value, size);
              isRow = size > 0 && size < valueSize && copyGuarded(to, value, size);
            }
            if (!isRow && guard) {
              status = SUSPECT;
              detail = value;
              more = size;
              break;
            }
            to += size;
          }
          if (unfit != 0) c = -1;
        }
        if (unfit != 0 && guard) {
          status = UNFIT;
          detail = <usize>unfit;
          more = c;
          break;
        }
        store<u8>(to, 10);
        out = to + 1;
        emitted++;
        rows += made;
      }
    }
    p = next;
    pass();
    seen++;
  }
  report(status, p, seen, emitted, nulls, last, detail, more);
  store<i32>(STATE, rows, 44);
  return out;
}
