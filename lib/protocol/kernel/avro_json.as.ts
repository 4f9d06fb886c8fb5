// Avro's records, arrays, maps and unions as JSON text in a CSV field: runs the code that
// lib/records/avro_json.ts made. The walker has found where the value ends, but it may have
// skipped blocks by their size: all is checked again.

import {
  after,
  ARRAY,
  BOOLEAN,
  BYTES,
  CALL,
  DOUBLE,
  END,
  ENUM,
  fault,
  FIXED,
  FLOAT,
  FRAME,
  INT,
  JUMP,
  length,
  LITERAL,
  LONG,
  MAP,
  NEXT,
  number,
  openBlock,
  OPERATION,
  OPTION,
  RETURN,
  startValue,
  STRING,
  UNION,
} from "./avro_bytes.as";
import { hex } from "./csv.as";
import { emitBytes, emitValue } from "./emit_types.as";
import { jsonString } from "./json_string.as";
import { inProgram, scratch, scratchSize } from "./program.as";
import { isSpecial } from "./shortest.as";
import {
  BIG_DECIMAL,
  BYTES as BYTES_KIND,
  DECIMAL,
  INT as INT_KIND,
  slotBytes,
  slotExtra,
  slotSize,
} from "./slots.as";
import { copy } from "./text.as";
import {
  AVRO_BLOCK,
  AVRO_BOOLEAN,
  AVRO_BRANCH,
  AVRO_CUT,
  AVRO_DEEP,
  AVRO_NUMBER,
  AVRO_SYMBOL,
  limit,
  overflow,
  overflows,
  reject,
  unfit,
} from "./unfit.as";

/** What an item takes at most that is not of any length. */
const ITEM: usize = 160;

/** Whether n more bytes, and what an item takes beside, fit; if not, the row has no room. */
// @ts-ignore: decorator
@inline
function fits(out: usize, n: usize): bool {
  if (<u64>out + n + ITEM <= <u64>limit) return true;
  overflows();
  return false;
}

/** Writes a value of a typed kind that is a JSON string: a time, or a float that is no number. */
function valueString(out: usize, kind: u32, value: i64): usize {
  store<u16>(out, 0x2222);
  out = emitValue(out + 2, kind, value);
  store<u16>(out, 0x2222);
  return out + 2;
}

/** Writes bytes: hexadecimal as a JSON string, or what their type says. */
function bytesJson(out: usize, kind: u32, at: usize, size: u32, scale: u32): usize {
  if (kind == DECIMAL || kind == BIG_DECIMAL) return emitBytes(out, kind, at, size, scale);
  if (!fits(out, 2 * <usize>size)) return out;
  if (kind == BYTES_KIND) {
    // ""\\x: the backslash is escaped.
    store<u32>(out, 0x5c5c2222);
    out = hex(out + 3, at, size);
  } else {
    store<u16>(out, 0x2222);
    out = emitBytes(out + 2, kind, at, size, scale);
  }
  store<u16>(out, 0x2222);
  return out + 2;
}

/** Writes the composite of a slot as JSON text, a CSV field; returns its end. */
export function emitAvro(out: usize, slot: usize): usize {
  const start = slotBytes(slot), end = start + slotSize(slot);
  const stackEnd = scratch + scratchSize - FRAME;
  let p = start, sp = scratch, pc = inProgram(slotExtra(slot));
  startValue();
  store<u8>(out++, 34);
  while (true) {
    if (fault != 0) reject(fault);
    if (unfit != 0 || overflow || !fits(out, 0)) return out;
    const op = load<u8>(pc), kind: u32 = load<u8>(pc, 1);
    switch (op) {
      case END:
        if (p != end) reject(AVRO_BLOCK);
        store<u8>(out, 34);
        return out + 1;
      case LITERAL: {
        const size = load<u32>(pc, 4);
        if (!fits(out, size)) return out;
        copy(out, inProgram(load<u32>(pc, 8)), size);
        out += size;
        pc += OPERATION;
        continue;
      }
      case INT:
      case LONG: {
        const value = number(p, end);
        if (fault != 0) continue;
        if (op == INT && value != <i32>value) reject(AVRO_NUMBER);
        p = after;
        out = kind == INT_KIND ? emitValue(out, kind, value) : valueString(out, kind, value);
        pc += OPERATION;
        continue;
      }
      case BOOLEAN: {
        const b = load<u8>(p);
        if (p == end) reject(AVRO_CUT);
        else if (b > 1) reject(AVRO_BOOLEAN);
        p++;
        store<u64>(out, b == 0 ? 0x65736c6166 : 0x65757274); // false, true
        out += b == 0 ? 5 : 4;
        pc += OPERATION;
        continue;
      }
      case FLOAT:
      case DOUBLE: {
        const wide = op == DOUBLE, size: usize = wide ? 8 : 4;
        if (end - p < size) {
          reject(AVRO_CUT);
          continue;
        }
        const bits = wide ? load<i64>(p) : <i64>load<u32>(p);
        p += size;
        out = isSpecial(bits, wide) ? valueString(out, kind, bits) : emitValue(out, kind, bits);
        pc += OPERATION;
        continue;
      }
      case BYTES:
      case STRING: {
        const size = length(p, end);
        if (fault != 0) continue;
        p = after;
        if (op == STRING) out = jsonString(out, p, size);
        else out = bytesJson(out, kind, p, <u32>size, load<u32>(pc, 12));
        p += size;
        pc += OPERATION;
        continue;
      }
      case FIXED: {
        const size = load<u32>(pc, 8);
        if (size > <u32>(end - p)) {
          reject(AVRO_CUT);
          continue;
        }
        out = bytesJson(out, kind, p, size, load<u32>(pc, 12));
        p += size;
        pc += OPERATION;
        continue;
      }
      case ENUM: {
        const index = <u64>number(p, end);
        if (fault != 0) continue;
        p = after;
        if (index >= load<u32>(pc, 12)) {
          reject(AVRO_SYMBOL);
          continue;
        }
        const entry = inProgram(load<u32>(pc, 8)) + 8 * <usize>index;
        const size = load<u32>(entry, 4);
        if (!fits(out, size)) return out;
        copy(out, inProgram(load<u32>(entry)), size);
        out += size;
        pc += OPERATION;
        continue;
      }
      case OPTION:
      case UNION: {
        const branch = <u64>number(p, end);
        if (fault != 0) continue;
        p = after;
        const count: u64 = op == OPTION ? 2 : load<u32>(pc, 8);
        if (branch >= count) reject(AVRO_BRANCH);
        else if (op == UNION) {
          pc = inProgram(load<u32>(inProgram(load<u32>(pc, 4)) + 4 * <usize>branch));
        } else pc = branch == load<u32>(pc, 8) ? inProgram(load<u32>(pc, 4)) : pc + OPERATION;
        continue;
      }
      case JUMP:
        pc = inProgram(load<u32>(pc, 4));
        continue;
      case CALL:
        if (sp > stackEnd) {
          reject(AVRO_DEEP);
          continue;
        }
        store<u32>(sp, <u32>pc);
        sp += FRAME;
        pc = inProgram(load<u32>(pc, 4));
        continue;
      case RETURN:
        sp -= FRAME;
        pc = <usize>load<u32>(sp) + OPERATION;
        continue;
      case ARRAY:
      case MAP:
        if (sp > stackEnd) {
          reject(AVRO_DEEP);
          continue;
        }
        store<u32>(sp, <u32>pc);
        store<u32>(sp, 0, 4);
        store<i64>(sp, 0, 8);
        store<i64>(sp, 0, 16);
        sp += FRAME;
        store<u8>(out++, op == ARRAY ? 91 : 123);
        break;
      case NEXT:
        break;
      default:
        unreachable();
    }
    // The next item, or the next block, or none.
    const frame = sp - FRAME;
    const ins = <usize>load<u32>(frame), array = load<u8>(ins) == ARRAY;
    let left = load<i64>(frame, 8);
    if (left == 0) {
      p = openBlock(frame, p, end, load<u8>(ins, 1));
      if (fault != 0) continue;
      left = load<i64>(frame, 8);
      if (left == 0) {
        sp = frame;
        store<u8>(out++, array ? 93 : 125);
        pc = inProgram(load<u32>(ins, 4));
        continue;
      }
    }
    const before = load<i64>(frame, 16);
    store<i64>(frame, left - 1, 8);
    store<i64>(frame, before + 1, 16);
    if (before != 0) store<u8>(out++, 44);
    if (!array) {
      const size = length(p, end);
      if (fault != 0) continue;
      out = jsonString(out, after, size);
      p = after + size;
      store<u8>(out++, 58);
    }
    pc = ins + OPERATION;
  }
  return out;
}
