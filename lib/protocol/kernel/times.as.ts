// Dates, times and durations as the text that PostgreSQL reads. What it has no text for gives 0
// in place of the end.

import { padded, two, unsigned } from "./digits.as";
import { LAST_DAY } from "./memory.as";

/** 0001-01-01 and 10000-01-01 in days since 1970: outside a year has no four digits. */
const FIRST_DAY: i64 = -719162, END_DAY: i64 = 2932897;
/** From 0000-03-01, where the years begin that make the arithmetic simple, to 1970-01-01. */
const TO_1970: i64 = 719468;
const DAY: i64 = 86400;

/** Writes days since 1970 as YYYY-MM-DD. */
export function date(out: usize, days: i64): usize {
  if (days < FIRST_DAY || days >= END_DAY) return 0;
  civil(out, days);
  return out + 10;
}

/** The day of the time that was written last, at LAST_DAY: records of one day follow each other. */
let lastDay: i64 = i64.MIN_VALUE;

/** The same of a time's day. Up to 16 bytes from out on are spoilt. */
function dayOf(out: usize, days: i64): usize {
  if (days != lastDay) {
    civil(LAST_DAY, days);
    lastDay = days;
  }
  v128.store(out, v128.load(LAST_DAY));
  return out + 10;
}

/** Writes a day of the years 1 to 9999. Cassio Neri and Lorenz Schneider, "Euclidean affine functions" (2021). */
function civil(out: usize, days: i64): void {
  const n = 4 * <u32>(days + TO_1970) + 3;
  const century = n / 146097;
  const p = <u64>(n - century * 146097 | 3) * 2939745;
  const dayOfYear = <u32>p / 2939745 / 4;
  const month = 2141 * dayOfYear + 197913;
  // Years begin in March: January and February are of the next one.
  const isNext = dayOfYear >= 306;
  const year = 100 * century + <u32>(p >> 32) + (isNext ? 1 : 0);
  const hundreds = year / 100;
  // Three numbers become two digits each at once: the year's at 0 and 16 bits, the month at 40.
  const x = <u64>hundreds | <u64>(year - 100 * hundreds) << 16 |
    <u64>((month >> 16) - (isNext ? 12 : 0)) << 40;
  const tens = x * 103 >> 10 & 0x0f00000f000f;
  store<u64>(out, tens | (x - 10 * tens) << 8 | 0x2d30302d30303030);
  two(out + 8, (month & 0xffff) / 2141 + 1);
}

/** Writes a part of a second, below 10^digits, with its point. */
// @ts-ignore: decorator
@inline
function fraction(out: usize, x: u32, digits: u32): usize {
  if (digits == 3) {
    const hundreds = x * 41 >> 12, rest = x - 100 * hundreds, tens = rest * 103 >> 10;
    store<u32>(out, 0x3030302e | hundreds << 8 | tens << 16 | (rest - 10 * tens) << 24);
    return out + 4;
  }
  store<u8>(out++, 46);
  if (digits < 9) return padded(out, x, digits);
  store<u8>(out, 48 + <u8>(x / 100000000));
  return padded(out + 1, x % 100000000, 8);
}

/** Writes seconds of a day as HH:MM:SS. */
// @ts-ignore: decorator
@inline
function clock(out: usize, seconds: u32): usize {
  const minutes = seconds / 60, hours = minutes / 60;
  // The three numbers 24 bits apart become two digits each at once.
  const x = <u64>hours | <u64>(minutes - 60 * hours) << 24 | <u64>(seconds - 60 * minutes) << 48;
  const tens = x * 103 >> 10 & 0x000f00000f00000f;
  store<u64>(out, tens | (x - 10 * tens) << 8 | 0x30303a30303a3030);
  return out + 8;
}

/** x / 10^digits: a division by a constant is several times faster than one by a variable. */
// @ts-ignore: decorator
@inline
function secondsOf(x: i64, digits: u32): i64 {
  return digits == 3 ? x / 1000 : digits == 6 ? x / 1000000 : x / 1000000000;
}

// @ts-ignore: decorator
@inline
function perSecond(digits: u32): i64 {
  return digits == 3 ? 1000 : digits == 6 ? 1000000 : 1000000000;
}

/** Writes a time of day, in seconds · 10^digits (3, 6 or 9), as HH:MM:SS and that many digits. */
export function timeOfDay(out: usize, x: i64, digits: u32): usize {
  const unit = perSecond(digits);
  if (x < 0 || x >= DAY * unit) return 0;
  const seconds = secondsOf(x, digits);
  return fraction(clock(out, <u32>seconds), <u32>(x - seconds * unit), digits);
}

/**
 * Writes a time since 1970, in seconds · 10^digits (3, 6 or 9), as ISO 8601; `zone` adds the Z of
 * UTC.
 */
export function timestamp(out: usize, x: i64, digits: u32, zone: bool): usize {
  const unit = perSecond(digits);
  let seconds = secondsOf(x, digits);
  let rest = x - seconds * unit;
  if (rest < 0) {
    seconds--;
    rest += unit;
  }
  if (seconds < FIRST_DAY * DAY || seconds >= END_DAY * DAY) return 0;
  const since = <u64>(seconds - FIRST_DAY * DAY);
  const days = since / <u64>DAY;
  out = dayOf(out, <i64>days + FIRST_DAY);
  store<u8>(out, 84);
  out = fraction(clock(out + 1, <u32>(since - days * <u64>DAY)), <u32>rest, digits);
  if (zone) store<u8>(out++, 90);
  return out;
}

/** Writes ` 5 mons`, without the space if it is the first, nothing for 0. */
function part(out: usize, start: usize, x: u32, word: u32): usize {
  if (x == 0) return out;
  if (out != start) store<u8>(out++, 32);
  out = unsigned(out, x);
  store<u8>(out, 32);
  store<u32>(out, word, 1);
  out += word == YEAR ? 5 : 4;
  if (x != 1) store<u8>(out++, 115);
  return out;
}

const YEAR: u32 = 0x72616579, MON: u32 = 0x6e6f6d, DAY_WORD: u32 = 0x796164;

/**
 * Writes Avro's duration (months, days, milliseconds: u32 each, little-endian) as PostgreSQL
 * writes an interval. At most 60 bytes; 80 from out on are spoilt.
 */
export function duration(out: usize, at: usize): usize {
  const months = load<u32>(at), days = load<u32>(at, 4), ms = load<u32>(at, 8);
  // PostgreSQL keeps both as int32.
  if (<i32>months < 0 || <i32>days < 0) return 0;
  const start = out;
  out = part(out, start, months / 12, YEAR);
  out = part(out, start, months % 12, MON);
  out = part(out, start, days, DAY_WORD);
  if (ms == 0 && out != start) return out;
  if (out != start) store<u8>(out++, 32);
  const seconds = ms / 1000;
  const hours = seconds / 3600;
  out = hours < 100 ? two(out, hours) : unsigned(out, hours);
  store<u8>(out, 58);
  out = two(out + 1, seconds / 60 % 60);
  store<u8>(out, 58);
  out = two(out + 1, seconds % 60);
  if (ms % 1000 == 0) return out;
  out = fraction(out, ms % 1000, 3);
  while (load<u8>(out - 1) == 48) out--;
  return out;
}

/** Writes 16 bytes as a UUID: 8-4-4-4-12 hexadecimal digits. */
export function uuid(out: usize, at: usize): usize {
  for (let i: usize = 0; i < 16; i++) {
    const b = load<u8>(at + i);
    const high = b >> 4, low = b & 15;
    store<u8>(out, high + (high > 9 ? 87 : 48));
    store<u8>(out, low + (low > 9 ? 87 : 48), 1);
    out += 2;
    if (i == 3 || i == 5 || i == 7 || i == 9) store<u8>(out++, 45);
  }
  return out;
}
