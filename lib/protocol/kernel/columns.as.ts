// The columns of a row: what is taken from the record itself, and slots.

import { hex, quoted } from "./csv.as";
import { unsigned } from "./digits.as";
import { emitSlot } from "./emit.as";
import { headersJson } from "./headers.as";
import { PARAMETERS } from "./memory.as";
import { inProgram, met } from "./program.as";
import {
  delta,
  findHeader,
  header,
  headerSize,
  key,
  keySize,
  time,
  value,
  valueSize,
} from "./record.as";
import { MISSING, slotAt } from "./slots.as";
import { copy } from "./text.as";
import { timestamp } from "./times.as";
import { NO_TIME, reject } from "./unfit.as";

export const APPEND_TIME = 16;

/** Kinds of columns; the entry of TEXT and HEADER says where its bytes are, that of SLOT its number. */
const TEXT = 0, OFFSET = 1, TIMESTAMP = 2, KEY = 3, HEADER = 4, PARTITION = 5, TOPIC = 6;
const KEY_HEX = 7, HEADERS = 8, TOMBSTONE = 9, SCHEMA = 10, SLOT = 11;

/** Where PARAMETERS has these; the first are int32, offset and time int64 (kernel.ts). */
const PARTITION_AT: usize = 44, TOPIC_SIZE: usize = 48, BASE_OFFSET: usize = 56, BASE_TIME: usize = 64;
const TOPIC_TEXT: usize = 72;

/** Writes one column of the open record, without a comma; a null is nothing at all. */
// @ts-ignore: decorator
@inline
export function column(out: usize, entry: usize, flags: i32): usize {
  const kind = load<i32>(entry);
  if (kind != SLOT) return ofRecord(out, entry, kind, flags);
  const n = load<u32>(entry, 4), slot = slotAt(n);
  if (load<u32>(slot) != MISSING) {
    store<u8>(met + n, 1);
    out = emitSlot(out, slot);
  }
  return out;
}

function ofRecord(out: usize, entry: usize, kind: i32, flags: i32): usize {
  if (kind == OFFSET) return unsigned(out, load<u64>(PARAMETERS + BASE_OFFSET) + delta);
  if (kind == TIMESTAMP) {
    const ms = load<i64>(PARAMETERS + BASE_TIME) + ((flags & APPEND_TIME) != 0 ? 0 : time);
    if (ms == -1) return out;
    const end = timestamp(out, ms, 3, true);
    if (end != 0) return end;
    reject(NO_TIME);
    return out;
  }
  if (kind == KEY) return keySize < 0 ? out : quoted(out, key, keySize);
  const text = inProgram(load<u32>(entry, 4)), size = load<i32>(entry, 8);
  switch (kind) {
    case TEXT:
      copy(out, text, size);
      return out + size;
    case HEADER:
      findHeader(text, size);
      return headerSize < 0 ? out : quoted(out, header, headerSize);
    case PARTITION:
      return unsigned(out, load<u32>(PARAMETERS + PARTITION_AT));
    case TOPIC: {
      const n = load<u32>(PARAMETERS + TOPIC_SIZE);
      copy(out, PARAMETERS + TOPIC_TEXT, n);
      return out + n;
    }
    case KEY_HEX:
      return keySize < 0 ? out : hex(out, key, keySize);
    case HEADERS:
      return headersJson(out);
    case TOMBSTONE:
      store<u8>(out, valueSize < 0 ? 116 : 102);
      return out + 1;
    default: // SCHEMA: the id of a Confluent frame
      if (valueSize < 5 || load<u8>(value) != 0) return out;
      return unsigned(out, bswap(load<u32>(value, 1)));
  }
}
