// From a key or a value to slots: finds the frame, and the walker's root node for it.

import { walkAvro } from "./avro.as";
import { walkJson } from "./json.as";
import { inProgram } from "./program.as";
import { walkProto } from "./proto.as";
import { badAt, badSlot, blame, CUT_FRAME, NO_FRAME } from "./unfit.as";

/** A source, u32 each: form, framed, offset and count of its roots, the root last used, the root without a frame. */
export const FORM_JSON: u32 = 1, FORM_AVRO: u32 = 2, FORM_PROTO: u32 = 3;
/** Never a frame, one is required, one is recognized by its first byte. */
export const UNFRAMED: u32 = 0, FRAMED: u32 = 1, MAYBE_FRAMED: u32 = 2;
/** A root's entry, u32 each: offset and size of the bytes that follow a frame's 0x00, offset of the node. */
const ROOT_ENTRY: usize = 12;
/** Not a reason: the frame's schema is not in the program. */
export const UNKNOWN_SCHEMA: i32 = -1;

/** Whether the size bytes at p begin with what the root's entry has. */
// @ts-ignore: decorator
@inline
function begins(entry: usize, p: usize, size: i32): bool {
  const n = load<i32>(entry, 4);
  if (n > size) return false;
  const key = inProgram(load<u32>(entry));
  for (let i = 0; i < n; i++) if (load<u8>(key + i) != load<u8>(p + i)) return false;
  return true;
}

/** Walks size bytes at p. Returns 0, a reason (blame() has said where), or UNKNOWN_SCHEMA. */
export function walk(source: usize, p: usize, size: i32): i32 {
  const form = load<u32>(source), framed = load<u32>(source, 4);
  let root = load<u32>(source, 20), skipped = 0;
  if (framed != UNFRAMED && size > 0 && load<u8>(p) == 0) {
    if (size < 5) {
      blame(size, -1);
      return CUT_FRAME;
    }
    skipped = 5;
    const count = load<u32>(source, 12);
    if (count > 0) {
      let entry = inProgram(load<u32>(source, 16));
      if (!begins(entry, p + 1, size - 1)) {
        entry = inProgram(load<u32>(source, 8));
        const end = entry + <usize>count * ROOT_ENTRY;
        while (entry < end && !begins(entry, p + 1, size - 1)) entry += ROOT_ENTRY;
        if (entry == end) return UNKNOWN_SCHEMA;
        store<u32>(source, <u32>(entry - inProgram(0)), 16);
      }
      root = load<u32>(entry, 8);
      skipped = 1 + load<i32>(entry, 4);
    } else if (form != FORM_JSON) return UNKNOWN_SCHEMA;
  } else if (framed == FRAMED) {
    blame(0, -1);
    return NO_FRAME;
  }
  const node = inProgram(root), body = p + skipped, n = size - skipped;
  let reason = 0;
  blame(-1, -1);
  if (form == FORM_JSON) reason = walkJson(node, body, n);
  else if (form == FORM_AVRO) reason = walkAvro(node, body, n);
  else reason = walkProto(node, body, n);
  if (reason != 0 && badAt >= 0) blame(badAt + skipped, badSlot);
  return reason;
}
