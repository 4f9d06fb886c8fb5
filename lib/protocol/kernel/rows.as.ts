// Fetched records to rows, in place.

import { PARAMETERS, STATE } from "./memory.as";
import { between, delta, next, open, pass, passed, value, valueSize } from "./record.as";
import { copy, copyGuarded, trimmed } from "./text.as";
import { badAt, badSlot } from "./unfit.as";

export const DONE = 0, SUSPECT = 1, FULL = 2, BROKEN = 3, UNFIT = 4, ENOUGH = 5, SCHEMA = 6;
export const INVALID = 7;

/** Tells the caller where and why a call stopped; the fields are named in kernel.ts. */
export function report(
  status: i32,
  at: usize,
  seen: i32,
  emitted: i32,
  nulls: i32,
  last: i32,
  text: usize,
  size: i32,
): void {
  store<i32>(STATE, status);
  store<u32>(STATE, at, 4);
  store<i32>(STATE, seen, 8);
  store<i32>(STATE, emitted, 12);
  store<i32>(STATE, nulls, 16);
  store<i32>(STATE, last, 20);
  store<u32>(STATE, text, 24);
  store<i32>(STATE, size, 28);
  store<i32>(STATE, passed(), 32);
  store<i32>(STATE, badAt, 36);
  store<i32>(STATE, badSlot, 40);
}

/**
 * What PARAMETERS asks for, int32 each: start, end, count, min, max, budget, out, flags, floor, ceiling
 * (kernel.ts). The records from start to end (at most count of them) become rows at out: value,
 * newline. Written are those with min <= offset delta < max, at most budget of them. A row is shorter
 * than its record, so out may lie before start in the same buffer, with at least 32 bytes between:
 * copies are whole vectors, and up to 15 bytes after a row are spoilt.
 *
 * flags: 1 = guard the values, 2 = a null value is an empty row (else it is skipped and counted),
 * 64 = a line end at a value's end is not part of it.
 * Records whose offset deltas do not rise from above `floor` up to `ceiling` are broken.
 *
 * Returns the end of the rows; STATE says where it stopped and why. A suspect value was copied to
 * out (its old place may be overwritten) but is not yet part of the rows.
 */
export function rows(): usize {
  let p: usize = load<u32>(PARAMETERS);
  const end: usize = load<u32>(PARAMETERS, 4);
  const count = load<i32>(PARAMETERS, 8);
  const min = load<i32>(PARAMETERS, 12), max = load<i32>(PARAMETERS, 16);
  const budget = load<i32>(PARAMETERS, 20);
  let out: usize = load<u32>(PARAMETERS, 24);
  const flags = load<i32>(PARAMETERS, 28);
  const guard = (flags & 1) != 0, emptyNulls = (flags & 2) != 0, trims = (flags & 64) != 0;
  let seen = 0, emitted = 0, nulls = 0, status = DONE, last = -1, size = 0;
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
      last = delta;
      size = valueSize;
      if (size > 0) {
        if (!guard) copy(out, value, size);
        else if (!copyGuarded(out, value, size)) {
          // Its old place may be overwritten: the copy is what there is.
          if (trims) size = trimmed(out, size);
          if (size == valueSize || size == 0 || !copyGuarded(out, out, size)) status = SUSPECT;
        }
      } else if (size == 0 && guard) status = SUSPECT;
      if (status == SUSPECT) {
        p = next;
        pass();
        seen++;
        break;
      }
      if (size < 0 && !emptyNulls) nulls++;
      else {
        if (size > 0) out += size;
        store<u8>(out++, 10);
        emitted++;
      }
    }
    p = next;
    pass();
    seen++;
  }
  report(status, p, seen, emitted, nulls, last, out, size);
  store<i32>(STATE, emitted, 44);
  return out;
}
