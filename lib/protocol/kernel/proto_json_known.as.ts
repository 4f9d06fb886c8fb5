// Messages of google/protobuf that have a JSON of their own.

import { jsonString } from "./json_string.as";
import { NO_ROOM, numeric, TOO_LONG } from "./numeric.as";
import { count, entryOf, fieldOf, member, openLast, room } from "./proto_json.as";
import { either } from "./proto_json_value.as";
import { isLength, isMoment, LENGTH, MOMENT, setSeconds } from "./proto_known.as";
import { length, moment, secondsText } from "./proto_time.as";
import {
  at,
  BAD_DURATION,
  BAD_SCALE,
  BAD_TIME,
  bits,
  field,
  MOST_SCALE,
  number,
  q,
  SIZED,
  size,
  wire,
} from "./proto_wire.as";
import { slotBytes, slotValue } from "./slots.as";
import { limit, LONG_DECIMAL, overflow, overflows, reject, unfit } from "./unfit.as";

/** Kinds of messages; 0 is any other one. lib/records/protobuf_json.ts has the same. */
const TIMESTAMP: u32 = 1, DURATION: u32 = 2, WRAPPER: u32 = 3, STRUCT: u32 = 4, VALUE: u32 = 5;
const LIST: u32 = 6, MASK: u32 = 7, DECIMAL: u32 = 8;

/** Writes the message that a frame is of; returns its end. */
export function known(out: usize, what: usize, into: usize, end: usize): usize {
  const kind = load<u32>(what, 16);
  if (!room(out, 64)) return out;
  switch (kind) {
    case TIMESTAMP:
    case DURATION:
      return secondsOf(out, kind, into, end);
    case VALUE: {
      const kinds = load<u32>(what, 24);
      for (let i: u32 = 0; i < kinds; i++) {
        if (count(into, i) != 0) return member(out, fieldOf(what, i), into, i, end);
      }
      store<u32>(out, 0x6c6c756e); // null
      return out + 4;
    }
    case STRUCT:
    case LIST:
      if (count(into, 0) != 0) return member(out, fieldOf(what, 0), into, 0, end);
      store<u16>(out, kind == STRUCT ? 0x7d7b : 0x5d5b);
      return out + 2;
    case MASK:
      return mask(out, into, end);
    case DECIMAL:
      return decimal(out, into, end);
    default: // WRAPPER
      return either(out, fieldOf(what, 0), into, 0, end);
  }
}

function secondsOf(out: usize, kind: u32, into: usize, end: usize): usize {
  let s: i64 = 0, n: i32 = 0;
  if (count(into, 0) != 0) {
    openLast(into, 0, end);
    s = bits;
  }
  if (count(into, 1) != 0) {
    openLast(into, 1, end);
    n = <i32>bits;
  }
  setSeconds(s, n);
  if (kind == TIMESTAMP ? !isMoment() : !isLength()) {
    reject(kind == TIMESTAMP ? BAD_TIME : BAD_DURATION);
    return out;
  }
  store<u16>(out, 0x2222);
  out = kind == TIMESTAMP ? moment(out + 2, s, n, 0) : secondsText(out + 2, s, n);
  store<u16>(out, 0x2222);
  return out + 2;
}

/** Writes a Timestamp or Duration of a slot; returns its end. */
export function emitKnown(out: usize, slot: usize, ref: u32): usize {
  const seconds = slotValue(slot), nanos = <i32>slotBytes(slot);
  setSeconds(seconds, nanos);
  if (ref == MOMENT && isMoment()) return moment(out, seconds, nanos, 3);
  if (ref == LENGTH && isLength()) return length(out, seconds, nanos);
  reject(ref == MOMENT ? BAD_TIME : ref == LENGTH ? BAD_DURATION : BAD_SCALE);
  return out;
}

/** Confluent's Decimal as a number: two's complement, a precision, a scale. */
function decimal(out: usize, into: usize, end: usize): usize {
  let scale: u32 = 0, p: usize = 0, n: usize = 0;
  if (count(into, 2) != 0) {
    openLast(into, 2, end);
    scale = <u32>bits;
  }
  if (count(into, 0) != 0) {
    openLast(into, 0, end);
    p = at;
    n = size;
  }
  if (scale > MOST_SCALE) {
    reject(BAD_SCALE);
    return out;
  }
  const to = numeric(out, p, <u32>n, scale, limit);
  if (to == NO_ROOM) overflows();
  else if (to == TOO_LONG) reject(LONG_DECIMAL);
  return to > TOO_LONG ? to : out;
}

/** The paths of a FieldMask in one string, as they are, with commas. */
function mask(out: usize, into: usize, end: usize): usize {
  store<u16>(out, 0x2222);
  out += 2;
  if (count(into, 0) != 0) {
    openLast(into, 0, end);
    const stop = q;
    let some = false;
    for (let p: usize = load<u32>(entryOf(into, 0)); p < stop;) {
      field(p, end);
      p = q;
      if (number != 1 || wire != SIZED) continue;
      if (!room(out, 6 * size + 16)) return out;
      if (some) store<u8>(out++, 44);
      some = true;
      // Without the quotes around it.
      const before = load<u16>(out - 2);
      const after = jsonString(out - 2, at, size) - 2;
      store<u16>(out - 2, before);
      out = after;
      if (overflow || unfit != 0) return out;
    }
  }
  if (!room(out, 2)) return out;
  store<u16>(out, 0x2222);
  return out + 2;
}
