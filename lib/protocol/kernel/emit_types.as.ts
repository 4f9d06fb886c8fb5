// Slots of typed kinds to CSV fields: Avro and Protobuf have them.

import { NO_ROOM, numeric, TOO_LONG } from "./numeric.as";
import { double, float } from "./shortest.as";
import {
  DATE,
  DECIMAL,
  DOUBLE,
  DURATION,
  FLOAT,
  LOCAL_MICROS,
  LOCAL_MILLIS,
  LOCAL_NANOS,
  slotBytes,
  slotExtra,
  slotSize,
  slotValue,
  TIME_MICROS,
  TIME_MILLIS,
  TIMESTAMP_MICROS,
  TIMESTAMP_MILLIS,
  TIMESTAMP_NANOS,
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

/** Writes a slot of a typed kind (FLOAT, DOUBLE, DATE … DECIMAL) as a CSV field; returns its end. */
export function emitType(out: usize, slot: usize, kind: u32): usize {
  return typed(out, kind, slotValue(slot), slotBytes(slot), <u32>slotSize(slot), slotExtra(slot));
}

/** The same for what is not in a slot: a value, or `size` bytes at `at`; `extra` is a scale. */
export function typed(
  out: usize,
  kind: u32,
  value: i64,
  at: usize,
  size: u32,
  extra: u32,
): usize {
  let end: usize = 0, reason = NO_TIME;
  switch (kind) {
    case FLOAT:
      return float(out, <u32>value);
    case DOUBLE:
      return double(out, value);
    case DATE:
      end = date(out, value);
      break;
    case TIME_MILLIS:
    case TIME_MICROS:
      end = timeOfDay(out, value, kind == TIME_MILLIS ? 3 : 6);
      reason = NO_TIME_OF_DAY;
      break;
    case TIMESTAMP_MILLIS:
      end = timestamp(out, value, 3, true);
      break;
    case TIMESTAMP_MICROS:
      end = timestamp(out, value, 6, true);
      break;
    case TIMESTAMP_NANOS:
      end = timestamp(out, value, 9, true);
      break;
    case LOCAL_MILLIS:
      end = timestamp(out, value, 3, false);
      break;
    case LOCAL_MICROS:
      end = timestamp(out, value, 6, false);
      break;
    case LOCAL_NANOS:
      end = timestamp(out, value, 9, false);
      break;
    case UUID:
      return uuid(out, at);
    case DURATION:
      end = duration(out, at);
      reason = LONG_DURATION;
      break;
    case DECIMAL:
      end = numeric(out, at, size, extra, limit);
      if (end == NO_ROOM) {
        overflows();
        return out;
      }
      if (end == TOO_LONG) end = 0;
      reason = LONG_DECIMAL;
      break;
    default:
      unreachable();
  }
  if (end != 0) return end;
  reject(reason);
  return out;
}
