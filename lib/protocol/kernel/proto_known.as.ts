// Messages that are one field of a row: Timestamp and Duration, seconds and nanoseconds each; Decimal.
// https://protobuf.dev/reference/protobuf/google.protobuf/

import {
  at,
  bits,
  fault,
  field,
  MOST_SCALE,
  number,
  q,
  SIZED,
  size,
  VARINT,
  varint,
  wire,
} from "./proto_wire.as";
import { DECIMAL, PROTO, setBytes, setValue, TIMESTAMP_MICROS, TIMESTAMP_MILLIS } from "./slots.as";

/** From 0001-01-01 to before 10000-01-01, seconds since 1970. */
const FIRST_SECOND: i64 = -62135596800, AFTER_SECOND: i64 = 253402300800;
/** About 10,000 years. */
const LONGEST: i64 = 315576000000;
const BILLION: i64 = 1000000000;

export let seconds: i64 = 0;
export let nanos: i32 = 0;

/**
 * What emitProto() finds in `extra` instead of a descriptor; seconds are the value, nanoseconds at `at`. That
 * looks whether they are a time: an occurrence of the message that is not may be the first part of one.
 */
export const MOMENT: u32 = 0, LENGTH: u32 = 1, WRONG_SCALE: u32 = 2;

/** Reads n bytes; what is not there stays as it was. Returns 0 or a reason. */
export function readSeconds(p: usize, n: usize): i32 {
  const end = p + n;
  // As all writers write them: the seconds first, in numbers of several bytes.
  if (p < end && load<u8>(p) == 0x08) {
    const x = varint(p + 1, end);
    if (fault != 0) return fault;
    seconds = <i64>x;
    p = q;
    if (p < end && load<u8>(p) == 0x10) {
      const y = varint(p + 1, end);
      if (fault != 0) return fault;
      nanos = <i32>y;
      p = q;
    }
  }
  while (p < end) {
    field(p, end);
    if (fault != 0) return fault;
    if (wire == VARINT) {
      if (number == 1) seconds = <i64>bits;
      else if (number == 2) nanos = <i32>bits;
    }
    p = q;
  }
  return 0;
}

export function setSeconds(s: i64, n: i32): void {
  seconds = s;
  nanos = n;
}

export function isMoment(): bool {
  return seconds >= FIRST_SECOND && seconds < AFTER_SECOND && <u32>nanos < <u32>BILLION;
}

export function isLength(): bool {
  if (seconds > LONGEST || seconds < -LONGEST) return false;
  if (nanos >= <i32>BILLION || nanos <= -<i32>BILLION) return false;
  return seconds == 0 || nanos == 0 || (seconds < 0) == (nanos < 0);
}

/** One occurrence of a message of seconds and nanoseconds; its state has both. */
function read(state: usize, p: usize, n: usize): i32 {
  seconds = load<i64>(state);
  nanos = load<i32>(state, 8);
  const reason = readSeconds(p, n);
  store<i64>(state, seconds);
  store<i32>(state, nanos, 8);
  return reason;
}

/** A Timestamp of n bytes at p for a slot. Returns 0 or a reason. */
export function time(slot: u32, state: usize, p: usize, n: usize): i32 {
  const reason = read(state, p, n);
  if (reason != 0) return reason;
  const is = isMoment();
  if (is && nanos % 1000000 == 0) {
    setValue(slot, TIMESTAMP_MILLIS, seconds * 1000 + nanos / 1000000, 0);
  } else if (is && nanos % 1000 == 0) {
    setValue(slot, TIMESTAMP_MICROS, seconds * 1000000 + nanos / 1000, 0);
  } else { // in nanoseconds, 64 bits hold the years 1677 to 2262 only
    setBytes(slot, PROTO, <usize>nanos, 0, MOMENT);
    setValue(slot, PROTO, seconds, MOMENT);
  }
  return 0;
}

/** A Duration of n bytes at p for a slot. Returns 0 or a reason. */
export function span(slot: u32, state: usize, p: usize, n: usize): i32 {
  const reason = read(state, p, n);
  if (reason != 0) return reason;
  setBytes(slot, PROTO, <usize>nanos, 0, LENGTH);
  setValue(slot, PROTO, seconds, LENGTH);
  return 0;
}

/**
 * One occurrence of Confluent's Decimal of n bytes at p for a slot: two's complement and a scale. What it
 * does not say stays as it was. Returns 0 or a reason.
 */
export function exact(slot: u32, state: usize, p: usize, n: usize): i32 {
  const end = p + n;
  while (p < end) {
    field(p, end);
    if (fault != 0) return fault;
    if (number == 1 && wire == SIZED) {
      store<u32>(state, <u32>at);
      store<u32>(state, <u32>size, 4);
    } else if (number == 3 && wire == VARINT) store<u32>(state, <u32>bits, 8);
    p = q;
  }
  const scale = load<u32>(state, 8);
  if (scale > MOST_SCALE) setBytes(slot, PROTO, 0, 0, WRONG_SCALE);
  else setBytes(slot, DECIMAL, load<u32>(state), load<u32>(state, 4), scale);
  return 0;
}
