// Walks a Protobuf message by its tags and puts what is wanted of it into slots. The nodes that say
// what is wanted are written by lib/records/protobuf_nodes.ts.

import { inProgram } from "./program.as";
import { time } from "./proto_known.as";
import { clearJoined, take } from "./proto_take.as";
import {
  at,
  BAD_TIME,
  bits,
  BITS32,
  BITS64,
  CUT,
  ENUM,
  enumName,
  fault,
  field,
  find,
  nameSize,
  number,
  numberOf,
  q,
  SIZED,
  size,
  VARINT,
  varint,
  wire,
} from "./proto_wire.as";
import { INT, PROTO, setBytes, setValue, SLOT_SIZE, slotAt, SYMBOL } from "./slots.as";
import { blame } from "./unfit.as";

/**
 * What is done with a field of which a slot gets the value, and nothing else is to be done; 0 is any other.
 * lib/records/protobuf_nodes.ts has the same.
 */
const VARINT_AS_IT_IS: u32 = 1, VARINT_OTHER: u32 = 2, VARINT_ENUM: u32 = 3, EIGHT_BYTES: u32 = 4;
const FOUR_BYTES: u32 = 5, TEXT_OR_BYTES: u32 = 6, PLAIN_TIME: u32 = 7;
/** Fields with a tag below this are found by it; with a number below 256. */
const SMALL_TAGS: u32 = 2048;

/** The bytes that are walked: what lies outside is joined parts. */
let origin: usize = 0;
let originEnd: usize = 0;

/**
 * Walks size bytes at p by the root (u32 each: its node, where its states are, their size, 0 for a key
 * and 1 for a value, the slots of the whole and how many, its descriptor). Returns 0 or a reason.
 */
export function walkProto(root: usize, p: usize, size: i32): i32 {
  origin = p;
  originEnd = p + <usize>size;
  clear(inProgram(load<u32>(root, 4)), load<u32>(root, 8));
  clearJoined(load<u32>(root, 12));
  const wholes = inProgram(load<u32>(root, 16)), count = load<u32>(root, 20);
  for (let i: u32 = 0; i < count; i++) {
    const slot = load<u32>(wholes + (<usize>i << 2));
    setBytes(slot, PROTO, p, <u32>size, load<u32>(root, 24));
    setValue(slot, PROTO, 0, load<u32>(root, 24));
  }
  const node = inProgram(load<u32>(root));
  defaults(node);
  return walkMessage(node, p, originEnd);
}

/** The walker's answer to what is wrong at p, in what is for a slot. */
export function bad(reason: i32, p: usize, slot: i32 = -1): i32 {
  blame(p >= origin && p <= originEnd ? <i32>(p - origin) : -1, slot);
  return reason;
}

/** Sixteen bytes at a time: there are few. */
// @ts-ignore: decorator
@inline
function clear(p: usize, size: usize): void {
  for (const end = p + size; p < end; p += 16) v128.store(p, i64x2.splat(0));
}

/** Fields that have a default get it: the message is there. Each is a slot as it is to be, and its number. */
export function defaults(node: usize): void {
  let from = inProgram(load<u32>(node, 16));
  for (const end = from + <usize>load<u32>(node, 20) * 32; from < end; from += 32) {
    const slot = slotAt(load<u32>(from, 24));
    v128.store(slot, v128.load(from));
    store<u64>(slot, load<u64>(from, 16), 16);
  }
}

/** Nothing was seen of some fields: their slots, how many, their states, the states' size. */
export function forget(record: usize): void {
  const list = inProgram(load<u32>(record)), count = load<u32>(record, 4);
  for (let i: u32 = 0; i < count; i++) {
    memory.fill(slotAt(load<u32>(list + (<usize>i << 2))), 0, SLOT_SIZE);
  }
  clear(inProgram(load<u32>(record, 8)), load<u32>(record, 12));
}

/** The end of the value at p of a field that is not wanted; 0: it is not so simple. */
// @ts-ignore: decorator
@inline
function skip(wire: u32, p: usize, end: usize): usize {
  if (wire == VARINT) {
    if (p < end && load<u8>(p) < 128) return p + 1;
    varint(p, end);
    return fault == 0 ? q : 0;
  }
  if (wire == SIZED) {
    const n: usize = p < end ? load<u8>(p) : 128;
    return n < 128 && n < end - p ? p + 1 + n : 0;
  }
  const n: usize = wire == BITS64 ? 8 : wire == BITS32 ? 4 : end - p + 1;
  return n <= end - p ? p + n : 0;
}

/** Walks a message by its node, from p to end. Returns 0 or a reason. */
export function walkMessage(node: usize, p: usize, end: usize): i32 {
  const direct = inProgram(load<u32>(node, 32)), directs = load<u32>(node, 36);
  while (p < end) {
    const start = p;
    let tag = <u32>load<u8>(p++);
    if (tag >= 128) tag = p < end ? (tag & 127) | <u32>load<u8>(p++) << 7 : u32.MAX_VALUE;
    const from = p;
    const offset = tag < directs ? load<u32>(direct + (<usize>tag << 2)) : 0;
    const entry = inProgram(offset);
    // One jump a field: what is done with it is known by its tag.
    switch (offset == 0 ? 0 : load<u32>(entry, 40)) {
      case VARINT_AS_IT_IS: {
        let x: u64 = p < end ? load<u8>(p++) : 128;
        if (x >= 128) {
          x = varint(from, end);
          if (fault != 0) return bad(fault, q);
          p = q;
        }
        setValue(load<u32>(entry, 8), load<u32>(entry, 44), x, 0);
        continue;
      }
      case VARINT_OTHER: {
        let x: u64 = p < end ? load<u8>(p++) : 128;
        if (x >= 128) {
          x = varint(from, end);
          if (fault != 0) return bad(fault, q);
          p = q;
        }
        setValue(load<u32>(entry, 8), load<u32>(entry, 44), numberOf(load<u32>(entry), x), 0);
        continue;
      }
      case VARINT_ENUM: {
        let x: u64 = p < end ? load<u8>(p++) : 128;
        if (x >= 128) {
          x = varint(from, end);
          if (fault != 0) return bad(fault, q);
          p = q;
        }
        setSymbol(entry, <i32>x);
        continue;
      }
      case EIGHT_BYTES: {
        if (end - p < 8) return bad(CUT, p);
        setValue(load<u32>(entry, 8), load<u32>(entry, 44), load<i64>(p), 0);
        p += 8;
        continue;
      }
      case FOUR_BYTES: {
        if (end - p < 4) return bad(CUT, p);
        setValue(load<u32>(entry, 8), load<u32>(entry, 44), <i64>load<u32>(p), 0);
        p += 4;
        continue;
      }
      case TEXT_OR_BYTES: {
        let n: u64 = p < end ? load<u8>(p++) : 128;
        if (n >= 128) {
          n = varint(from, end);
          if (fault != 0) return bad(fault, q);
          p = q;
        }
        if (n > <u64>(end - p)) return bad(CUT, p);
        setBytes(load<u32>(entry, 8), load<u32>(entry, 44), p, <u32>n, 0);
        p += <usize>n;
        continue;
      }
      case PLAIN_TIME: {
        let n: u64 = p < end ? load<u8>(p++) : 128;
        if (n >= 128) {
          n = varint(from, end);
          if (fault != 0) return bad(fault, q);
          p = q;
        }
        if (n > <u64>(end - p)) return bad(CUT, p);
        const reason = time(load<u32>(entry, 8), inProgram(load<u32>(entry, 24)), p, <usize>n);
        if (reason != 0) {
          return bad(reason, reason < BAD_TIME ? q : start, load<i32>(entry, 8));
        }
        p += <usize>n;
        continue;
      }
      default:
    }
    // All fields with a small number that are wanted are found by their tag.
    if (offset == 0 && tag - 8 < SMALL_TAGS - 8) {
      const skipped = skip(tag & 7, p, end);
      if (skipped != 0) {
        p = skipped;
        continue;
      }
    }
    field(start, end);
    if (fault != 0) return bad(fault, q);
    p = q;
    const other = find(node, number);
    if (other != 0) {
      const reason = take(other, wire, bits, at, size, start, p);
      if (reason != 0) return reason;
    }
  }
  return 0;
}

/** An enum's number for the slot of an entry: its name, or the number. */
function setSymbol(entry: usize, x: i32): void {
  const slot = load<u32>(entry, 8), name = enumName(inProgram(load<u32>(entry, 12)), x);
  if (name != 0) setBytes(slot, SYMBOL, name, nameSize, 0);
  else setValue(slot, INT, x, 0);
}

/** A number for the slot of an entry, as its type says. */
export function setNumber(entry: usize, x: u64): void {
  const op = load<u32>(entry);
  if (op == ENUM) setSymbol(entry, <i32>x);
  else setValue(load<u32>(entry, 8), load<u32>(entry, 44), numberOf(op, x), 0);
}
