// Dates and times as PostgreSQL writes them, and ISO 8601, to numbers since 1970.

/** What was read: days, or microseconds. */
export let days: i32 = 0;
export let micros: i64 = 0;
/** Digits after the point of the second that are not 0: their number. */
export let fineness: i32 = 0;
/** Whether a time had a zone. */
export let zoned: bool = false;

let q: usize = 0;
let stop: usize = 0;

/** The number that `width` digits at q are; -1 if they are not. */
function number(width: i32): i32 {
  let x = 0;
  if (q + <usize>width > stop) return -1;
  for (let i = 0; i < width; i++) {
    const digit = load<u8>(q) - 48;
    if (digit > 9) return -1;
    x = x * 10 + digit;
    q++;
  }
  return x;
}

// @ts-ignore: decorator
@inline
function skip(c: u8): bool {
  if (q >= stop || load<u8>(q) != c) return false;
  q++;
  return true;
}

function date(): bool {
  const year = number(4);
  if (year < 1 || !skip(45)) return false;
  const month = number(2);
  if (month < 1 || month > 12 || !skip(45)) return false;
  const day = number(2);
  const leap = (year & 3) == 0 && (year % 100 != 0 || year % 400 == 0);
  const last = month == 2 ? (leap ? 29 : 28) : month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
  if (day < 1 || day > last) return false;
  // Howard Hinnant's days_from_civil: years that start in March.
  const y = month <= 2 ? year - 1 : year;
  const era = y / 400, yoe = y - era * 400;
  const doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  days = era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
  return true;
}

/** HH:MM:SS and a fraction: microseconds of the day. */
function clock(): bool {
  const hour = number(2);
  if (hour < 0 || hour > 23 || !skip(58)) return false;
  const minute = number(2);
  if (minute < 0 || minute > 59 || !skip(58)) return false;
  const second = number(2);
  if (second < 0 || second > 59) return false;
  let part = 0, width = 0;
  fineness = 0;
  if (skip(46)) {
    for (; q < stop; q++) {
      const digit = load<u8>(q) - 48;
      if (digit > 9) break;
      width++;
      if (width <= 6) part = part * 10 + digit;
      if (digit != 0) fineness = width;
    }
    if (width == 0) return false;
  }
  for (; width < 6; width++) part *= 10;
  micros = <i64>((hour * 60 + minute) * 60 + second) * 1000000 + part;
  return true;
}

/** Z, or the hours, and perhaps minutes and seconds, east of it: seconds; -1,000,000 if it is neither. */
function zone(): i32 {
  if (skip(90)) return 0;
  if (q >= stop || (load<u8>(q) != 43 && load<u8>(q) != 45)) return -1000000;
  const west = load<u8>(q) == 45;
  q++;
  let seconds = 0;
  for (let unit = 3600; unit > 0; unit /= 60) {
    if (unit < 3600) {
      if (q == stop) break;
      skip(58);
    }
    const x = number(2);
    if (x < 0 || x > (unit == 3600 ? 15 : 59)) return -1000000;
    seconds += x * unit;
  }
  return west ? -seconds : seconds;
}

function begin(p: usize, n: usize): void {
  q = p;
  stop = p + n;
}

/** Whether n bytes at p are a date of the years 1 to 9999. */
export function readDate(p: usize, n: usize): bool {
  begin(p, n);
  return date() && q == stop;
}

/** Whether they are a time of a day. */
export function readClock(p: usize, n: usize): bool {
  begin(p, n);
  return clock() && q == stop;
}

/** Whether they are a date and a time; one without a zone is UTC. */
export function readTimestamp(p: usize, n: usize): bool {
  begin(p, n);
  if (!date() || !(skip(32) || skip(84)) || !clock()) return false;
  let offset = 0;
  zoned = q < stop;
  if (zoned) offset = zone();
  if (offset == -1000000 || q != stop) return false;
  micros += (<i64>days * 86400 - offset) * 1000000;
  return true;
}
