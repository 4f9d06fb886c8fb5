// Messages, lists and maps of Protobuf as JSON text in a CSV field: the JSON mapping of proto3 with the
// names that fields have in their file, and 64-bit numbers as numbers.
// https://protobuf.dev/programming-guides/json/

import { scratch, scratchSize, inProgram } from "./program.as";
import { emitKnown, known } from "./proto_json_known.as";
import { pair, value } from "./proto_json_value.as";
import { WRONG_SCALE } from "./proto_known.as";
import {
  accepts,
  at,
  bits,
  DEEPEST,
  ENUM,
  fault,
  field,
  find,
  MESSAGE,
  number,
  packed,
  q,
  SIZED,
  size,
  STRING,
  TOO_DEEP,
  TOO_SCATTERED,
  wire,
} from "./proto_wire.as";
import { slotBytes, slotExtra, slotSize, slotValue } from "./slots.as";
import { limit, overflow, overflows, reject, unfit } from "./unfit.as";

/** Flags of a field. */
const REPEATED: u32 = 1, MAP: u32 = 2, IMPLICIT: u32 = 4;
/**
 * What a frame has of each field, u32 each: its first and its last occurrence, how many there are; where the
 * first run of them ends that nothing comes between, the next run, the last run; which member of its
 * oneof is there, of a oneof's first member.
 */
const FRAME_ENTRY: usize = 28;
const LAST: usize = 4, COUNT: usize = 8, RUN_END: usize = 12, NEXT_RUN: usize = 16;
const LAST_RUN: usize = 20, MEMBER: usize = 24;
/** A further run: where it starts, where it ends, the next one. */
const RUN: usize = 12;

/** The scratch room that is in use: frames of messages inside each other, and joined parts. */
let top: usize = 0;
let depth: i32 = 0;

/** Writes the composite of a slot as JSON text, a CSV field; returns its end. See overflow. */
export function emitProto(out: usize, slot: usize): usize {
  const ref = slotExtra(slot);
  if (ref <= WRONG_SCALE) return emitKnown(out, slot, ref);
  top = scratch;
  depth = 0;
  const p = slotBytes(slot), end = p + slotSize(slot), what = inProgram(ref);
  const start = out;
  store<u8>(out++, 34);
  if (slotValue(slot) == 0) out = message(out, what, p, end);
  else out = list(out, what, p, end, 0);
  // A google.protobuf.Value that is null is a null of SQL.
  if (load<u32>(start) == 0x6c756e22 && out - start == 5) return start;
  store<u8>(out, 34);
  return out + 1;
}

/** Whether n more bytes have room, and nothing was wrong so far. */
// @ts-ignore: decorator
@inline
export function room(out: usize, n: usize): bool {
  if (overflow || unfit != 0) return false;
  if (<u64>out + n + 64 <= <u64>limit) return true;
  overflows();
  return false;
}

/** Room of the scratch for n bytes; 0: there is none. */
function take(n: usize): usize {
  if (n > scratch + scratchSize - top) return 0;
  const taken = top;
  top += n;
  return taken;
}

/** The entry of a message's field i in its frame. */
// @ts-ignore: decorator
@inline
export function entryOf(frame: usize, i: u32): usize {
  return frame + <usize>i * FRAME_ENTRY;
}

/** A field occurs from p to end. False: there is no room to note that. */
function occurs(entry: usize, p: usize, end: usize): bool {
  const count = load<u32>(entry, COUNT);
  store<u32>(entry, <u32>p, LAST);
  store<u32>(entry, count + 1, COUNT);
  if (count == 0) {
    store<u32>(entry, <u32>p);
    store<u32>(entry, <u32>end, RUN_END);
    store<u64>(entry, 0, NEXT_RUN);
    return true;
  }
  const run = <usize>load<u32>(entry, LAST_RUN);
  const runEnd = run == 0 ? entry + RUN_END : run + 4;
  if (load<u32>(runEnd) == p) {
    store<u32>(runEnd, <u32>end);
    return true;
  }
  const next = take(RUN);
  if (next == 0) return false;
  store<u32>(next, <u32>p);
  store<u32>(next, <u32>end, 4);
  store<u32>(next, 0, 8);
  store<u32>(run == 0 ? entry + NEXT_RUN : run + 8, <u32>next);
  store<u32>(entry, <u32>next, LAST_RUN);
  return true;
}

/** What is at p, in bytes until end, of the message that a descriptor describes. Returns a frame, or 0. */
export function frame(what: usize, p: usize, end: usize): usize {
  const needed = <usize>load<u32>(what, 24) * FRAME_ENTRY;
  const into = take(needed);
  if (into == 0) {
    reject(TOO_DEEP);
    return 0;
  }
  memory.fill(into, 0, needed);
  while (p < end) {
    field(p, end);
    if (fault != 0) {
      reject(fault);
      return 0;
    }
    const one = find(what, number);
    if (one != 0) {
      const op = load<u32>(one, 4), flags = load<u32>(one, 8);
      // Packed numbers of which there are none are not an occurrence.
      const none = wire == SIZED && op < STRING && size == 0;
      if (!none && accepts(op, wire, (flags & REPEATED) != 0)) {
        const entry = entryOf(into, load<u32>(one, 28));
        const first = load<u32>(one, 24);
        if (first != 0) {
          // Of a oneof only the last member that came is there.
          const oneof = entryOf(into, load<u32>(inProgram(first), 28));
          const before = load<u32>(oneof, MEMBER);
          if (before != 0 && before != entry) store<u32>(before, 0, COUNT);
          store<u32>(oneof, <u32>entry, MEMBER);
        }
        if (!occurs(entry, p, q)) {
          reject(TOO_SCATTERED);
          return 0;
        }
      }
    }
    p = q;
  }
  return into;
}

/** The end of the scratch that is in use, to give back what a call takes. */
export function mark(): usize {
  return top;
}
export function release(to: usize): void {
  top = to;
}

/** How often field i of a frame's message is there. */
// @ts-ignore: decorator
@inline
export function count(frame: usize, i: u32): u32 {
  return load<u32>(entryOf(frame, i), COUNT);
}

/** Reads the last occurrence of field i of a frame's message. */
export function openLast(frame: usize, i: u32, end: usize): void {
  field(load<u32>(entryOf(frame, i), LAST), end);
}

/** The descriptor of a message's field i. */
// @ts-ignore: decorator
@inline
export function fieldOf(what: usize, i: u32): usize {
  return inProgram(load<u32>(what, 20)) + <usize>i * 40;
}

/** Writes a message; returns its end. */
export function message(out: usize, what: usize, p: usize, end: usize): usize {
  if (depth >= DEEPEST) {
    reject(TOO_DEEP);
    return out;
  }
  depth++;
  const before = top;
  const into = frame(what, p, end);
  if (into != 0) {
    out = load<u32>(what, 16) == 0 ? fields(out, what, into, end) : known(out, what, into, end);
  }
  top = before;
  depth--;
  return out;
}

function fields(out: usize, what: usize, into: usize, end: usize): usize {
  const fieldCount = load<u32>(what, 24);
  if (!room(out, 2)) return out;
  store<u8>(out++, 123);
  let some = false;
  for (let i: u32 = 0; i < fieldCount; i++) {
    if (count(into, i) == 0) continue;
    const one = fieldOf(what, i);
    if ((load<u32>(one, 8) & IMPLICIT) != 0 && isDefault(one, into, i, end)) continue;
    const name = inProgram(load<u32>(one, 16)), nameSize = load<u32>(one, 20);
    if (!room(out, nameSize + 2)) return out;
    if (some) store<u8>(out++, 44);
    some = true;
    memory.copy(out, name, nameSize);
    out = member(out + nameSize, one, into, i, end);
    if (overflow || unfit != 0) return out;
  }
  if (!room(out, 2)) return out;
  store<u8>(out++, 125);
  return out;
}

/** Whether a field that has no presence of its own is given with its default. */
function isDefault(one: usize, into: usize, i: u32, end: usize): bool {
  openLast(into, i, end);
  const op = load<u32>(one, 4);
  if (wire == SIZED) return size == 0;
  if (op <= ENUM && (op == 1 || op == 3 || op == 5 || op == ENUM)) return <u32>bits == 0;
  return bits == 0;
}

/** Writes the value of a message's field i, which is there; returns its end. */
export function member(out: usize, one: usize, into: usize, i: u32, end: usize): usize {
  const entry = entryOf(into, i);
  const first = <usize>load<u32>(entry), firstEnd = <usize>load<u32>(entry, RUN_END);
  const next = <usize>load<u32>(entry, NEXT_RUN);
  const op = load<u32>(one, 4), ref = load<u32>(one, 12);
  if ((load<u32>(one, 8) & (REPEATED | MAP)) != 0) return list(out, one, first, firstEnd, next);
  openLast(into, i, end);
  if (load<u32>(entry, COUNT) == 1 || op < MESSAGE) return value(out, op, ref, bits, at, size);
  // A message in several parts is what they are together.
  const before = top;
  let bytes = firstEnd - first;
  for (let run = next; run != 0; run = load<u32>(run, 8)) bytes += load<u32>(run, 4) - load<u32>(run);
  const joined = take(bytes);
  if (joined == 0) {
    reject(TOO_SCATTERED);
    return out;
  }
  let to = joined, p = first, until = firstEnd;
  for (let run = next;;) {
    while (p < until) {
      field(p, until);
      memory.copy(to, at, size);
      to += size;
      p = q;
    }
    if (run == 0) break;
    p = load<u32>(run);
    until = load<u32>(run, 4);
    run = load<u32>(run, 8);
  }
  out = message(out, inProgram(ref), joined, to);
  top = before;
  return out;
}

/**
 * Writes all occurrences of a field from p to end, and in the runs after that, as an array, or as an object
 * of a map; returns its end.
 */
export function list(out: usize, one: usize, p: usize, end: usize, run: usize): usize {
  const op = load<u32>(one, 4), ref = load<u32>(one, 12), which = load<u32>(one);
  const map = (load<u32>(one, 8) & MAP) != 0;
  if (!room(out, 2)) return out;
  store<u8>(out++, map ? 123 : 91);
  let some = false;
  for (;;) {
    if (p >= end) {
      if (run == 0) break;
      p = load<u32>(run);
      end = load<u32>(run, 4);
      run = load<u32>(run, 8);
    }
    field(p, end);
    if (fault != 0) {
      reject(fault);
      return out;
    }
    p = q;
    if (number != which || !accepts(op, wire, !map)) continue;
    if (wire == SIZED && op < STRING) {
      const stop = at + size;
      for (let element = at; element < stop;) {
        const x = packed(op, element, stop);
        if (fault != 0) {
          reject(fault);
          return out;
        }
        element = q;
        if (!room(out, 2)) return out;
        if (some) store<u8>(out++, 44);
        some = true;
        out = value(out, op, ref, x, 0, 0);
        if (overflow || unfit != 0) return out;
      }
      continue;
    }
    if (!room(out, 2)) return out;
    if (some) store<u8>(out++, 44);
    some = true;
    out = map ? pair(out, inProgram(ref), at, at + size) : value(out, op, ref, bits, at, size);
    if (overflow || unfit != 0) return out;
  }
  if (!room(out, 2)) return out;
  store<u8>(out++, map ? 125 : 93);
  return out;
}
