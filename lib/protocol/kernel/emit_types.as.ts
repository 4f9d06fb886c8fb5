// Values of typed kinds as text: what Avro and Protobuf have beside text. A field of CSV needs no
// quotes for them; in JSON some are strings.

import { signed, unsigned } from "./digits.as";
import { bigNumeric, NO_ROOM, numeric, TOO_LONG } from "./numeric.as";
import { double, float } from "./shortest.as";
import {
  BIG_DECIMAL,
  BOOL,
  DATE,
  DECIMAL,
  DOUBLE,
  DURATION,
  FLOAT,
  INT,
  LOCAL_MICROS,
  LOCAL_MILLIS,
  LOCAL_NANOS,
  TIME_MICROS,
  TIME_MILLIS,
  TIMESTAMP_MICROS,
  TIMESTAMP_MILLIS,
  TIMESTAMP_NANOS,
  UINT,
  UUID,
} from "./slots.as";
import { date, duration, timeOfDay, timestamp, uuid } from "./times.as";
import {
  limit,
  LONG_DECIMAL,
  LONG_DURATION,
  NO_TIME,
  NO_TIME_OF_DAY,
  overflows,
  reject,
} from "./unfit.as";

/** The end of what was written; 0: there is no text for the value. */
// @ts-ignore: decorator
@inline
function unless(reason: i32, end: usize, out: usize): usize {
  if (end != 0) return end;
  reject(reason);
  return out;
}

/** Whether slots of this kind have a `value`: emitValue() writes it. */
// @ts-ignore: decorator
@inline
export function hasValue(kind: u32): bool {
  const all = 1 << INT | 1 << UINT | 1 << FLOAT | 1 << DOUBLE | 1 << BOOL |
    (2 << LOCAL_NANOS) - (1 << DATE);
  return (1 << kind & all) != 0;
}

/** Writes a value of one of those kinds; returns its end. At most 30 bytes; 64 from out on are spoilt. */
export function emitValue(out: usize, kind: u32, value: i64): usize {
  switch (kind) {
    case INT:
      return signed(out, value);
    case UINT:
      return unsigned(out, value);
    case FLOAT:
      return float(out, <u32>value);
    case DOUBLE:
      return double(out, value);
    case BOOL:
      store<u64>(out, value != 0 ? 0x65757274 : 0x65736c6166); // true, false
      return out + (value != 0 ? 4 : 5);
    case DATE:
      return unless(NO_TIME, date(out, value), out);
    case TIME_MILLIS:
      return unless(NO_TIME_OF_DAY, timeOfDay(out, value, 3), out);
    case TIME_MICROS:
      return unless(NO_TIME_OF_DAY, timeOfDay(out, value, 6), out);
    case TIMESTAMP_MILLIS:
      return unless(NO_TIME, timestamp(out, value, 3, true), out);
    case TIMESTAMP_MICROS:
      return unless(NO_TIME, timestamp(out, value, 6, true), out);
    case TIMESTAMP_NANOS:
      return unless(NO_TIME, timestamp(out, value, 9, true), out);
    case LOCAL_MILLIS:
      return unless(NO_TIME, timestamp(out, value, 3, false), out);
    case LOCAL_MICROS:
      return unless(NO_TIME, timestamp(out, value, 6, false), out);
    case LOCAL_NANOS:
      return unless(NO_TIME, timestamp(out, value, 9, false), out);
    default:
      unreachable();
  }
  return out;
}

/**
 * Writes what n bytes at p stand for, of a typed kind that is bytes; `scale` is a decimal's. Returns
 * its end. A decimal may overflow; the others take 60 bytes at most, 80 from out on are spoilt.
 */
export function emitBytes(out: usize, kind: u32, p: usize, n: u32, scale: u32): usize {
  switch (kind) {
    case UUID:
      return uuid(out, p);
    case DURATION:
      return unless(LONG_DURATION, duration(out, p), out);
    case DECIMAL:
    case BIG_DECIMAL: {
      const end = kind == DECIMAL ? numeric(out, p, n, scale, limit) : bigNumeric(out, p, n, limit);
      if (end == NO_ROOM) overflows();
      else if (end == TOO_LONG) reject(LONG_DECIMAL);
      return end > TOO_LONG ? end : out;
    }
    default:
      unreachable();
  }
  return out;
}
