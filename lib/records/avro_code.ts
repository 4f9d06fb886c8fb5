/**
 * Code of the kernel's Avro walker and of its JSON writer: instructions of 16 bytes (u8 operation,
 * u8 kind, two unused bytes, u32 a, b, c), collected here and put into a program at the end.
 */
import { SchemaError } from "./avro_schema.ts";
import type { ProgramWriter } from "./program.ts";

/** The operations, as in avro.as.ts and avro_json.as.ts of the kernel. */
export const Op = {
  /** The value ends. */
  end: 0,
  /** a bytes, numbers or strings are skipped. */
  skipFixed: 1,
  skipNumbers: 2,
  skipStrings: 3,
  /** A field becomes slot a of this kind; c is the slot's `extra`. */
  boolean: 4,
  float: 5,
  double: 6,
  /** b bytes. */
  fixed: 7,
  /** From here to `union` all begin with a number. */
  int: 8,
  long: 9,
  bytes: 10,
  /** b: where its symbols are (offset, size), c: how many. */
  enum: 11,
  /** A union with null as its branch b: if it is null, go to a. */
  option: 12,
  /** a: table of where each of b branches is. */
  union: 13,
  jump: 14,
  call: 15,
  return: 16,
  /** Slot a begins here; and ends here, c: the code that writes it as JSON. */
  mark: 17,
  done: 18,
  /** Slot a is missing. */
  clear: 19,
  /**
   * Blocks of items, a: what comes after them, b: table of items that are wanted, c: how many. An
   * array's entry: index, code; a map's: key's offset, size, code. Kind 1: an item has no bytes.
   */
  array: 20,
  map: 21,
  next: 22,
  /** Blocks of a: 0 = b bytes, 1 = a number, 2 = a string; c: each has a key before it. */
  skipBlocks: 23,
  /** Of JSON alone: a bytes of text, at b. */
  literal: 24,
  string: 25,
} as const;

const SIZE = 16;
/** Instructions: 4 MiB. A path through unions of recursive types may lead to ever more places. */
const MOST = 1 << 18;

/** A place in the code, known when it is written. */
export class Label {
  /** Index of its instruction. */
  index = -1;
}

/** What stands in an instruction or table: a number, a place in the code, or bytes or a table of their own. */
export type Operand = number | Label | Uint8Array | Operand[];

interface Instruction {
  op: number;
  kind: number;
  operands: [Operand, Operand, Operand];
}

export class Code {
  readonly #instructions: Instruction[] = [];
  /** An instruction before this index can be reached by more ways than from the one before it. */
  #fence = 0;

  add(op: number, kind = 0, a: Operand = 0, b: Operand = 0, c: Operand = 0): void {
    if (this.#instructions.length === MOST) {
      throw new SchemaError("$: the paths lead to too many places");
    }
    this.#instructions.push({ op, kind, operands: [a, b, c] });
  }

  /** Skips one more of the same: runs of them are one instruction. */
  skip(op: number, count: number): void {
    const last = this.#instructions.at(-1);
    if (last?.op === op && this.#fence < this.#instructions.length) {
      last.operands[0] = Math.min(0x7fffffff, (last.operands[0] as number) + count);
    } else this.add(op, 0, Math.min(0x7fffffff, count));
  }

  /** Appends to the text before, if there is some. */
  literal(text: string): void {
    const bytes = new TextEncoder().encode(text);
    const last = this.#instructions.at(-1);
    if (last?.op === Op.literal && this.#fence < this.#instructions.length) {
      const before = last.operands[1] as Uint8Array;
      const joined = new Uint8Array(before.length + bytes.length);
      joined.set(before);
      joined.set(bytes, before.length);
      last.operands = [joined.length, joined, 0];
    } else this.add(Op.literal, 0, bytes.length, bytes);
  }

  /** The next instruction is what the label stands for. */
  bind(label: Label): void {
    label.index = this.#instructions.length;
    this.#fence = this.#instructions.length;
  }

  /** Puts the code into the program. Returns the offset of its first instruction. */
  write(writer: ProgramWriter): number {
    const start = writer.reserve(SIZE * this.#instructions.length, 16);
    const value = (operand: Operand): number => {
      if (typeof operand === "number") return operand;
      if (operand instanceof Label) return start + SIZE * operand.index;
      if (operand instanceof Uint8Array) return writer.add(operand);
      const table = writer.reserve(4 * operand.length, 4);
      for (const [index, entry] of operand.entries()) writer.u32(table + 4 * index, value(entry));
      return table;
    };
    for (const [index, { op, kind, operands }] of this.#instructions.entries()) {
      const at = start + SIZE * index;
      writer.u8(at, op);
      writer.u8(at + 1, kind);
      writer.u32(at + 4, ...operands.map(value));
    }
    return start;
  }
}
