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
  enumName,
  fault,
  field,
  find,
  nameSize,
  number,
  numberOf,
  q,
  search,
  SIZED,
  size,
  VARINT,
  varint,
  wire,
} from "./proto_wire.as";
import { INT, PROTO, setBytes, setValue, SLOT_SIZE, slotAt, SYMBOL } from "./slots.as";
import { blame } from "./unfit.as";

/** What is done with a field that a slot gets, and nothing else; the others are in proto_take.as.ts. */
export const PLAIN: u32 = 0;
/** The same for a Timestamp. */
const PLAIN_TIME: u32 = 1;

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

/** The walker's answer to what is wrong at p. */
export function bad(reason: i32, p: usize): i32 {
  blame(p >= origin && p <= originEnd ? <i32>(p - origin) : -1, -1);
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

/** Walks a message by its node, from p to end. Returns 0 or a reason. */
export function walkMessage(node: usize, p: usize, end: usize): i32 {
  const dense = inProgram(load<u32>(node)), denseCount = load<u32>(node, 4);
  const sparse = load<u32>(node, 12) != 0;
  while (p < end) {
    const start = p;
    let tag = <u32>load<u8>(p++);
    if (tag >= 128) tag = p < end ? (tag & 127) | <u32>load<u8>(p++) << 7 : 0;
    // Tags of one or two bytes, and values that are not groups, are read here.
    const what = tag & 7, small = tag >>> 3;
    if (tag > 7 && tag < 0x4000 && (what <= SIZED || what == BITS32)) {
      let entry: usize = 0;
      if (small < denseCount) {
        const offset = load<u32>(dense + (<usize>small << 2));
        if (offset != 0) entry = inProgram(offset);
      } else if (sparse) entry = search(node, small);
      let x: u64 = 0;
      if (what == VARINT || what == SIZED) {
        x = p < end ? load<u8>(p) : 128;
        if (x < 128) p++;
        else {
          x = varint(p, end);
          if (fault != 0) return bad(fault, q);
          p = q;
        }
      }
      const from = p;
      if (what != VARINT) {
        const n: u64 = what == SIZED ? x : what == BITS64 ? 8 : 4;
        if (n > <u64>(end - p)) return bad(CUT, p);
        p += <usize>n;
      }
      if (entry == 0) continue;
      const action = load<u32>(entry, 4);
      if (action <= PLAIN_TIME && load<u32>(entry, 40) == what) {
        if (action == PLAIN_TIME) {
          const reason = time(load<u32>(entry, 8), inProgram(load<u32>(entry, 24)), from, p - from);
          if (reason != 0) return bad(reason, reason < BAD_TIME ? q : start);
          continue;
        }
        if (what == SIZED) {
          setBytes(load<u32>(entry, 8), load<u32>(entry, 44), from, <u32>x, 0);
          continue;
        }
        if (what != VARINT) x = what == BITS64 ? load<u64>(from) : <u64>load<u32>(from);
        setNumber(entry, x);
        continue;
      }
      if (what == BITS64) x = load<u64>(from);
      else if (what == BITS32) x = load<u32>(from);
      const reason = take(entry, what, x, from, p - from, start, p);
      if (reason != 0) return reason;
      continue;
    }
    field(start, end);
    if (fault != 0) return bad(fault, q);
    p = q;
    const entry = find(node, number);
    if (entry != 0) {
      const reason = take(entry, wire, bits, at, size, start, p);
      if (reason != 0) return reason;
    }
  }
  return 0;
}

/** How a number on the wire becomes a slot's value; lib/records/protobuf_nodes.ts has the same. */
const AS_IT_IS: u32 = 0, SYMBOLIC: u32 = 1, OTHER: u32 = 2;

/** A number for the slot of an entry, as its type says. */
// @ts-ignore: decorator
@inline
export function setNumber(entry: usize, x: u64): void {
  const how = load<u32>(entry, 48), slot = load<u32>(entry, 8);
  if (how == AS_IT_IS) setValue(slot, load<u32>(entry, 44), x, 0);
  else if (how == OTHER) setValue(slot, load<u32>(entry, 44), numberOf(load<u32>(entry), x), 0);
  else {
    const name = enumName(inProgram(load<u32>(entry, 12)), <i32>x);
    if (name != 0) setBytes(slot, SYMBOL, name, nameSize, 0);
    else setValue(slot, INT, <i64><i32>x, 0);
  }
}
