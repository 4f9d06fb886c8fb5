// Timestamps and durations of Protobuf as text.

import { decimal, isoTime } from "./csv.as";

/** Writes as many digits of a fraction as are needed, in threes, at least `least`; returns its end. */
function fraction(out: usize, nanos: u32, least: i32): usize {
  if (nanos == 0 && least == 0) return out;
  store<u8>(out++, 46);
  if (nanos % 1000000 == 0) return decimal(out, nanos / 1000000, 3);
  return nanos % 1000 == 0 ? decimal(out, nanos / 1000, 6) : decimal(out, nanos, 9);
}

/** Writes a time as ISO 8601 in UTC; returns its end. At most 30 bytes. */
export function moment(out: usize, seconds: i64, nanos: i32, least: i32): usize {
  const end = isoTime(out, seconds * 1000);
  out = fraction(end - 5, nanos, least); // over ".000Z"
  store<u8>(out, 90);
  return out + 1;
}

/** Writes a duration as PostgreSQL's interval has it, `-87:00:01.500`; returns its end. At most 30 bytes. */
export function length(out: usize, seconds: i64, nanos: i32): usize {
  if (seconds < 0 || nanos < 0) store<u8>(out++, 45);
  const all = <u64>(seconds < 0 ? -seconds : seconds);
  out = decimal(out, all / 3600, 2);
  store<u8>(out++, 58);
  out = decimal(out, all / 60 % 60, 2);
  store<u8>(out++, 58);
  out = decimal(out, all % 60, 2);
  return fraction(out, nanos < 0 ? -nanos : nanos, 0);
}

/** Writes a duration as JSON has it, `-1.500s`; returns its end. At most 30 bytes. */
export function secondsText(out: usize, seconds: i64, nanos: i32): usize {
  if (seconds < 0 || nanos < 0) store<u8>(out++, 45);
  out = decimal(out, <u64>(seconds < 0 ? -seconds : seconds), 1);
  out = fraction(out, nanos < 0 ? -nanos : nanos, 0);
  store<u8>(out, 115);
  return out + 1;
}
