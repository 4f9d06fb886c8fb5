// The walker of Avro: runs the code that lib/records made of the writer's schema over a value, and
// puts what is wanted into slots. Every byte of the value is accounted for.

import {
  after,
  ARRAY,
  BOOLEAN,
  BYTES,
  CALL,
  CLEAR,
  DONE,
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
  LONG,
  longVarint,
  MAP,
  MARK,
  NEXT,
  openBlock,
  OPERATION,
  OPTION,
  RETURN,
  SKIP_BLOCKS,
  SKIP_FIXED,
  SKIP_NUMBERS,
  SKIP_STRINGS,
  skipBlocks,
  skipRun,
  startValue,
  UNION,
  varintFault,
} from "./avro_bytes.as";
import { inProgram, scratch, scratchSize } from "./program.as";
import { MISSING, setBytes, setValue, slotAt } from "./slots.as";
import {
  AVRO_BOOLEAN,
  AVRO_BRANCH,
  AVRO_CUT,
  AVRO_DEEP,
  AVRO_LEFT,
  AVRO_NUMBER,
  AVRO_LENGTH,
  AVRO_SYMBOL,
  blame,
} from "./unfit.as";

// @ts-ignore: decorator
@inline
function reason(value: i32, at: usize, slot: i32): i32 {
  blame(<i32>at, slot);
  return value;
}

/** The code for item n of an array whose instruction is at ins: what the table says, or the skip. */
function codeOfItem(ins: usize, n: i64): usize {
  const count = load<u32>(ins, 12);
  let entry = inProgram(load<u32>(ins, 8));
  for (let i: u32 = 0; i < count; i++, entry += 8) {
    if (load<u32>(entry) == n) return inProgram(load<u32>(entry, 4));
  }
  return ins + OPERATION;
}

/** Whether one of n items after the first `before` is in the array's table. */
function wantsItem(ins: usize, before: i64, n: i64): bool {
  const count = load<u32>(ins, 12);
  let entry = inProgram(load<u32>(ins, 8));
  for (let i: u32 = 0; i < count; i++, entry += 8) {
    if (<u64>(<i64>load<u32>(entry) - before) < <u64>n) return true;
  }
  return false;
}

/** The same of a map, by the key: n bytes at p. */
function codeOfKey(ins: usize, p: usize, n: usize): usize {
  const count = load<u32>(ins, 12);
  let entry = inProgram(load<u32>(ins, 8));
  for (let i: u32 = 0; i < count; i++, entry += 12) {
    if (load<u32>(entry, 4) != n) continue;
    const key = inProgram(load<u32>(entry));
    let j: usize = 0;
    while (j < n && load<u8>(key + j) == load<u8>(p + j)) j++;
    if (j == n) return inProgram(load<u32>(entry, 8));
  }
  return ins + OPERATION;
}

/** Walks size bytes at p by the code at `root` into slots. Returns 0 or a reason. */
export function walkAvro(root: usize, p: usize, size: i32): i32 {
  const start = p, end = p + size, n = <usize>size;
  const stack = scratch, stackEnd = scratch + scratchSize - FRAME;
  let sp = stack, pc = root;
  startValue();
  while (true) {
    const op = load<u8>(pc), at = p;
    let x: i64 = 0;
    if (op >= INT && op <= UNION) {
      // Read without a look at the end: what p is after it says whether it was there.
      let bits: u64 = load<u8>(p);
      if (bits < 128) p++;
      else {
        bits = longVarint(p);
        p = after;
      }
      if (p - start > n) {
        return reason(varintFault(at, end), at - start, op < OPTION ? load<i32>(pc, 4) : -1);
      }
      x = <i64>(bits >> 1) ^ -<i64>(bits & 1);
    }
    switch (op) {
      case END:
        return p == end ? 0 : reason(AVRO_LEFT, p - start, -1);
      case SKIP_FIXED:
        if (load<u32>(pc, 4) > <u32>(end - p)) return reason(AVRO_CUT, p - start, -1);
        p += load<u32>(pc, 4);
        pc += OPERATION;
        continue;
      case SKIP_NUMBERS:
        p = skipRun(p, end, 1, load<u32>(pc, 4), 0);
        if (fault != 0) return reason(fault, p - start, -1);
        pc += OPERATION;
        continue;
      case SKIP_STRINGS:
        p = skipRun(p, end, 2, load<u32>(pc, 4), 0);
        if (fault != 0) return reason(fault, p - start, -1);
        pc += OPERATION;
        continue;
      case INT:
      case LONG:
        if (op == INT && x != <i32>x) return reason(AVRO_NUMBER, at - start, load<i32>(pc, 4));
        setValue(load<u32>(pc, 4), load<u8>(pc, 1), x, 0);
        pc += OPERATION;
        continue;
      case BOOLEAN: {
        const b = load<u8>(p);
        if (p == end) return reason(AVRO_CUT, p - start, load<i32>(pc, 4));
        if (b > 1) return reason(AVRO_BOOLEAN, p - start, load<i32>(pc, 4));
        setValue(load<u32>(pc, 4), load<u8>(pc, 1), b, 0);
        p++;
        pc += OPERATION;
        continue;
      }
      case FLOAT:
        if (end - p < 4) return reason(AVRO_CUT, p - start, load<i32>(pc, 4));
        setValue(load<u32>(pc, 4), load<u8>(pc, 1), load<u32>(p), 0);
        p += 4;
        pc += OPERATION;
        continue;
      case DOUBLE:
        if (end - p < 8) return reason(AVRO_CUT, p - start, load<i32>(pc, 4));
        setValue(load<u32>(pc, 4), load<u8>(pc, 1), load<i64>(p), 0);
        p += 8;
        pc += OPERATION;
        continue;
      case BYTES:
        if (<u64>x > <u64>(end - p)) {
          return reason(x < 0 ? AVRO_LENGTH : AVRO_CUT, at - start, load<i32>(pc, 4));
        }
        setBytes(load<u32>(pc, 4), load<u8>(pc, 1), p, <u32>x, load<u32>(pc, 12));
        p += <usize>x;
        pc += OPERATION;
        continue;
      case FIXED:
        if (load<u32>(pc, 8) > <u32>(end - p)) return reason(AVRO_CUT, p - start, load<i32>(pc, 4));
        setBytes(load<u32>(pc, 4), load<u8>(pc, 1), p, load<u32>(pc, 8), load<u32>(pc, 12));
        p += load<u32>(pc, 8);
        pc += OPERATION;
        continue;
      case ENUM: {
        if (<u64>x >= load<u32>(pc, 12)) return reason(AVRO_SYMBOL, at - start, load<i32>(pc, 4));
        const entry = inProgram(load<u32>(pc, 8)) + 8 * <usize>x;
        const symbol = inProgram(load<u32>(entry));
        setBytes(load<u32>(pc, 4), load<u8>(pc, 1), symbol, load<u32>(entry, 4), 1);
        pc += OPERATION;
        continue;
      }
      case OPTION:
      case UNION:
        if (<u64>x >= (op == OPTION ? 2 : load<u32>(pc, 8))) {
          return reason(AVRO_BRANCH, at - start, -1);
        }
        if (op == UNION) pc = inProgram(load<u32>(inProgram(load<u32>(pc, 4)) + 4 * <usize>x));
        else pc = x == load<u32>(pc, 8) ? inProgram(load<u32>(pc, 4)) : pc + OPERATION;
        continue;
      case JUMP:
        pc = inProgram(load<u32>(pc, 4));
        continue;
      case CALL:
        if (sp > stackEnd) return reason(AVRO_DEEP, p - start, -1);
        store<u32>(sp, <u32>pc);
        sp += FRAME;
        pc = inProgram(load<u32>(pc, 4));
        continue;
      case RETURN:
        sp -= FRAME;
        pc = <usize>load<u32>(sp) + OPERATION;
        continue;
      case MARK:
        store<u32>(slotAt(load<u32>(pc, 4)), <u32>p, 8);
        pc += OPERATION;
        continue;
      case DONE: {
        const slot = slotAt(load<u32>(pc, 4));
        store<u32>(slot, load<u8>(pc, 1));
        store<u32>(slot, <u32>p - load<u32>(slot, 8), 4);
        store<u32>(slot, load<u32>(pc, 12), 12);
        pc += OPERATION;
        continue;
      }
      case CLEAR:
        store<u32>(slotAt(load<u32>(pc, 4)), MISSING);
        pc += OPERATION;
        continue;
      case SKIP_BLOCKS:
        p = skipBlocks(p, end, load<u32>(pc, 4), load<u32>(pc, 8), load<u32>(pc, 12) != 0);
        if (fault != 0) return reason(fault, p - start, -1);
        pc += OPERATION;
        continue;
      case ARRAY:
      case MAP:
        if (sp > stackEnd) return reason(AVRO_DEEP, p - start, -1);
        store<u32>(sp, <u32>pc);
        store<u32>(sp, 0, 4);
        store<i64>(sp, 0, 8);
        store<i64>(sp, 0, 16);
        sp += FRAME;
        break;
      case NEXT:
        break;
      default:
        unreachable();
    }
    // The next item, or the next block, or none.
    const frame = sp - FRAME;
    const ins = <usize>load<u32>(frame), array = load<u8>(ins) == ARRAY;
    const wanted = load<u32>(ins, 12);
    let left = load<i64>(frame, 8), before = load<i64>(frame, 16), more = true;
    while (left == 0) {
      p = openBlock(frame, p, end, load<u8>(ins, 1));
      left = load<i64>(frame, 8);
      more = left != 0;
      if (fault != 0 || !more) break;
      const blockEnd = <usize>load<u32>(frame, 4);
      if (blockEnd == 0 || (wanted != 0 && !(array && !wantsItem(ins, before, left)))) break;
      // Nothing of it is wanted, and it says where it ends.
      p = blockEnd;
      before += left;
      left = 0;
    }
    if (fault != 0) return reason(fault, p - start, -1);
    if (!more) {
      sp = frame;
      pc = inProgram(load<u32>(ins, 4));
      continue;
    }
    store<i64>(frame, left - 1, 8);
    store<i64>(frame, before + 1, 16);
    if (array) pc = wanted == 0 ? ins + OPERATION : codeOfItem(ins, before);
    else {
      const bytes = length(p, end);
      if (fault != 0) return reason(fault, p - start, -1);
      pc = codeOfKey(ins, after, bytes);
      p = after + bytes;
    }
  }
  return 0;
}
