// Walks a Protobuf message by its tags and puts what is wanted of it into slots. The nodes that say
// what is wanted are written by lib/records/protobuf_nodes.ts.

import { inProgram } from "./program.as";
import { clearJoined, take } from "./proto_take.as";
import {
  at,
  bits,
  BOOLEAN,
  CUT,
  ENUM,
  enumName,
  fault,
  field,
  find,
  FIXED32,
  FIXED64,
  FLOAT32,
  FLOAT64,
  INT32,
  INT64,
  nameSize,
  number,
  numberOf,
  q,
  SIZED,
  size,
  STRING,
  UINT32,
  UINT64,
  VARINT,
  varint,
  wire,
} from "./proto_wire.as";
import {
  BOOL,
  BYTES,
  DOUBLE,
  FLOAT,
  INT,
  PROTO,
  setBytes,
  setValue,
  SLOT_SIZE,
  slotAt,
  SYMBOL,
  TEXT,
  UINT,
} from "./slots.as";
import { blame } from "./unfit.as";

/** What is done with a field that a slot gets, and nothing else; the others are in proto_take.as.ts. */
export const PLAIN: u32 = 0;

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
  const states = load<u32>(root, 8);
  if (states != 0) memory.fill(inProgram(load<u32>(root, 4)), 0, states);
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

/** Fields that have a default get it: the message is there. */
export function defaults(node: usize): void {
  const count = load<u32>(node, 20);
  let from = inProgram(load<u32>(node, 16));
  for (let i: u32 = 0; i < count; i++) {
    const slot = slotAt(load<u32>(from));
    store<u64>(slot, load<u64>(from, 8));
    store<u32>(slot, <u32>inProgram(load<u32>(from, 16)), 8);
    store<u32>(slot, load<u32>(from, 20), 12);
    store<u64>(slot, load<u64>(from, 24), 16);
    from += 32;
  }
}

/** Nothing was seen of some fields: their slots, how many, their states, the states' size. */
export function forget(record: usize): void {
  const list = inProgram(load<u32>(record)), count = load<u32>(record, 4);
  for (let i: u32 = 0; i < count; i++) {
    memory.fill(slotAt(load<u32>(list + (<usize>i << 2))), 0, SLOT_SIZE);
  }
  const states = load<u32>(record, 12);
  if (states != 0) memory.fill(inProgram(load<u32>(record, 8)), 0, states);
}

export function walkMessage(node: usize, p: usize, end: usize): i32 {
  while (p < end) {
    const start = p;
    // One-byte tags of plain fields, which most are.
    const tag = <u32>load<u8>(p);
    if (tag < 128 && tag > 7) {
      const entry = find(node, tag >>> 3);
      const what = tag & 7;
      if (what == VARINT) {
        let x: u64 = p + 1 < end ? load<u8>(p, 1) : 128;
        if (x < 128) p += 2;
        else {
          x = varint(p + 1, end);
          if (fault != 0) return bad(fault, q);
          p = q;
        }
        if (entry == 0) continue;
        const op = load<u32>(entry);
        if (load<u32>(entry, 4) == PLAIN) {
          if (op <= ENUM) setNumber(load<u32>(entry, 8), op, x, entry);
          continue;
        }
        const reason = take(entry, VARINT, x, 0, 0, start, p);
        if (reason != 0) return reason;
        continue;
      }
      if (what == SIZED) {
        let n: u64 = p + 1 < end ? load<u8>(p, 1) : 128;
        if (n < 128) p += 2;
        else {
          n = varint(p + 1, end);
          if (fault != 0) return bad(fault, q);
          p = q;
        }
        if (n > <u64>(end - p)) return bad(CUT, p);
        const from = p;
        p += <usize>n;
        if (entry == 0) continue;
        const op = load<u32>(entry);
        if (load<u32>(entry, 4) == PLAIN) {
          if (op - STRING < 2) {
            setBytes(load<u32>(entry, 8), op == STRING ? TEXT : BYTES, from, <u32>n, 0);
          }
          continue;
        }
        const reason = take(entry, SIZED, 0, from, <usize>n, start, p);
        if (reason != 0) return reason;
        continue;
      }
    }
    field(p, end);
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

/** A number for a slot, as its type says. */
// @ts-ignore: decorator
@inline
export function setNumber(slot: u32, op: u32, x: u64, entry: usize): void {
  switch (op) {
    case INT64:
      setValue(slot, INT, x, 0);
      return;
    case INT32:
      setValue(slot, INT, <i64><i32>x, 0);
      return;
    case FLOAT64:
      setValue(slot, DOUBLE, x, 0);
      return;
    case FLOAT32:
      setValue(slot, FLOAT, x, 0);
      return;
    case ENUM: {
      const name = enumName(inProgram(load<u32>(entry, 12)), <i32>x);
      if (name != 0) setBytes(slot, SYMBOL, name, nameSize, 0);
      else setValue(slot, INT, <i64><i32>x, 0);
      return;
    }
    default: {
      const kind = op == BOOLEAN
        ? BOOL
        : op == UINT32 || op == UINT64 || op == FIXED32 || op == FIXED64
        ? UINT
        : INT;
      setValue(slot, kind, numberOf(op, x), 0);
    }
  }
}
