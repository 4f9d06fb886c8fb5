// Timestamps and durations of Protobuf as text.

import { padded, two, unsigned } from "./digits.as";
import { timestamp } from "./times.as";

/** Writes as many digits of a fraction as are needed, in threes, at least `least`; returns its end. */
function fraction(out: usize, nanos: u32, least: i32): usize {
  if (nanos == 0 && least == 0) return out;
  store<u8>(out++, 46);
  out = padded(out, nanos / 1000000, 3);
  if (nanos % 1000000 == 0) return out;
  return nanos % 1000 == 0
    ? padded(out, nanos / 1000 % 1000, 3)
    : padded(out, nanos % 1000000, 6);
}

/** Writes a time as ISO 8601 in UTC; returns its end. At most 40 bytes are spoilt. */
export function moment(out: usize, seconds: i64, nanos: i32, least: i32): usize {
  const end = timestamp(out, seconds * 1000, 3, true);
  out = fraction(end - 5, nanos, least); // over ".000Z"
  store<u8>(out, 90);
  return out + 1;
}

/** Writes a duration as PostgreSQL's interval has it, `-87:00:01.500`; returns its end. At most 40 bytes are spoilt. */
export function length(out: usize, seconds: i64, nanos: i32): usize {
  if (seconds < 0 || nanos < 0) store<u8>(out++, 45);
  const all = <u64>(seconds < 0 ? -seconds : seconds);
  const hours = all / 3600;
  out = hours < 100 ? two(out, <u32>hours) : unsigned(out, hours);
  store<u8>(out++, 58);
  out = two(out, <u32>(all / 60 % 60));
  store<u8>(out++, 58);
  out = two(out, <u32>(all % 60));
  return fraction(out, nanos < 0 ? -nanos : nanos, 0);
}

/** Writes a duration as JSON has it, `-1.500s`; returns its end. At most 40 bytes are spoilt. */
export function secondsText(out: usize, seconds: i64, nanos: i32): usize {
  if (seconds < 0 || nanos < 0) store<u8>(out++, 45);
  out = unsigned(out, <u64>(seconds < 0 ? -seconds : seconds));
  out = fraction(out, nanos < 0 ? -nanos : nanos, 0);
  store<u8>(out, 115);
  return out + 1;
}
