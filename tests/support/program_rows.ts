import { Buffer } from "node:buffer";
import {
  Flag,
  Kernel,
  type Program,
  Stop,
  unfitReasons,
} from "../../lib/protocol/kernel/kernel.ts";
import { encodeBatch, type RecordParts } from "../../lib/protocol/record.ts";
import { Batch, recordEnd } from "../../lib/protocol/record_batch.ts";
import { addJson } from "../../lib/records/json.ts";
import { parsePaths } from "../../lib/records/paths.ts";
import { type Column, ProgramWriter } from "../../lib/records/program.ts";

/** A record that is not one of the rows. */
export interface Bad {
  /** Which of the records. */
  index: number;
  why: string;
  /** The byte of the value. */
  at: number;
}

export interface Made {
  rows: Uint8Array;
  bad: Bad[];
}

/** The program of rows that are some columns, and these fields of JSON values. */
export function jsonProgram(list: string, before: readonly Column[] = []): Program {
  const writer = new ProgramWriter();
  const { source, slots, next } = addJson(writer, parsePaths("--fields", list), 0);
  const columns = [...before, ...slots.map((slot) => ({ kind: "slot", slot }) as const)];
  const fixed = 64 * (columns.length + 1);
  return writer.finish({ columns, slots: next, value: source, fixed, factor: 0 });
}

const SPOILT = 64;

/** Makes rows by a program, records apart, as the consumer does; checks that nothing else is written. */
export class RowMaker {
  readonly kernel = new Kernel();
  readonly #program: Program;

  constructor(program: Program) {
    this.#program = program;
    this.kernel.load(program);
  }

  /** Rows of these values; `room` for them, which grows where it is too small. */
  values(
    values: readonly (Uint8Array | null)[],
    room = 0,
    flags: number = Flag.emptyTombstones,
  ): Made {
    return this.records(values.map((value) => ({ key: null, value, headers: [] })), room, flags);
  }

  records(parts: readonly RecordParts[], room = 0, flags: number = Flag.emptyTombstones): Made {
    const { kernel } = this;
    const batch = encodeBatch(parts, 0).subarray(Batch.records);
    room ||= 2 * batch.length + this.#program.bytes.length + 4096;
    const bad: Bad[] = [];
    const pieces: Uint8Array[] = [];
    let index = 0;
    for (let from = 0; index < parts.length;) {
      const first = kernel.start;
      const start = first + room + SPOILT;
      const end = start + batch.length - from;
      kernel.reserve(end - Kernel.DATA);
      kernel.bytes.set(batch.subarray(from), start);
      kernel.bytes.fill(0xa5, end, end + SPOILT);
      let at = start;
      let out = first;
      while (true) {
        out = kernel.fields({
          ...{ start: at, end, count: parts.length - index, out, enough: first + room },
          ...{ flags: flags | Flag.guard | Flag.noValue, offset: 0, time: 0, floor: index - 1 },
        });
        at = kernel.at;
        index += kernel.seen;
        const { stop } = kernel;
        if (stop !== Stop.invalid && stop !== Stop.unfit) break;
        const byte = stop === Stop.invalid ? kernel.badAt : -1;
        bad.push({ index, why: unfitReasons[kernel.valueAt], at: byte });
        index++;
        at = recordEnd(kernel.bytes, at);
      }
      if (out > first + room) throw new Error("rows end after their room");
      if (kernel.bytes.subarray(end, end + SPOILT).some((byte) => byte !== 0xa5)) {
        throw new Error("something is written after the records");
      }
      if (Buffer.compare(kernel.bytes.subarray(start, end), batch.subarray(from)) !== 0) {
        throw new Error("the records were changed");
      }
      pieces.push(kernel.bytes.slice(first, out));
      from += at - start;
      if (kernel.stop === Stop.enough) {
        if (at === start) room *= 2;
      } else if (kernel.stop !== Stop.done) throw new Error(`stopped by ${kernel.stop}`);
    }
    const rows = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of pieces) {
      rows.set(piece, at);
      at += piece.length;
    }
    return { rows, bad };
  }
}

/** The rows as lines of text. */
export function linesOf({ rows }: Made): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(rows);
}
