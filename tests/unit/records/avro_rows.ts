/** Runs Avro values through the kernel, as a consumer's batch of records. */
import { Flag, Kernel, Stop, unfitReasons } from "../../../lib/protocol/kernel/kernel.ts";
import { addAvro, type AvroType, parseAvroSchema } from "../../../lib/records/avro.ts";
import type { Path } from "../../../lib/records/paths.ts";
import { ProgramWriter } from "../../../lib/records/program.ts";
import { encodeRecord } from "../protocol/kernel/records.ts";

/** What a batch came to: its rows' text, or why and where it stopped. */
export interface Outcome {
  rows: string;
  stop: number;
  emitted: number;
  /** Of Stop.invalid and Stop.unfit. */
  reason?: string;
  badAt: number;
  badSlot: number;
  /** Index of the record that it stopped at. */
  seen: number;
}

/** A schema, by its id in frames; `null`: values without frames. */
export type Schemas = ReadonlyMap<number | null, string>;

/** The frame that Confluent's serializers put before a value. */
export function framed(id: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(5 + value.length);
  new DataView(bytes.buffer).setInt32(1, id);
  bytes.set(value, 5);
  return bytes;
}

export class AvroRows {
  readonly kernel = new Kernel();
  readonly #room: number;

  /** Rows of these paths. `room`: bytes that a batch's rows may take. */
  constructor(schemas: Schemas, paths: readonly Path["steps"][], room = 1 << 22) {
    this.#room = room;
    const writer = new ProgramWriter();
    const byId = new Map<number, AvroType>();
    let bare: AvroType | null = null;
    for (const [id, text] of schemas) {
      if (id === null) bare = parseAvroSchema(text);
      else byId.set(id, parseAvroSchema(text));
    }
    const asPaths = paths.map((steps) => ({ text: steps.join("."), steps }));
    const { source, slots, next } = addAvro(writer, { byId, bare }, asPaths, 0);
    this.kernel.load(writer.finish({
      columns: slots.map((slot) => ({ kind: "slot", slot })),
      slots: next,
      value: source,
      fixed: 64 + 2 * paths.length,
      factor: 0,
    }));
  }

  /** The rows of these values, in `room` bytes. Throws if anything else of the memory is changed. */
  run(values: readonly (Uint8Array | null)[], room: number = this.#room): Outcome {
    const { kernel } = this;
    const records = values.map((value, delta) => encodeRecord({ delta, value }));
    const size = records.reduce((sum, record) => sum + record.length, 0);
    kernel.reserve(kernel.start - Kernel.DATA + size + room + 256);
    let at = kernel.start;
    for (const record of records) {
      kernel.bytes.set(record, at);
      at += record.length;
    }
    // The bytes after the records are no part of them: what reads on is seen.
    kernel.bytes.fill(1, at, at + 64);
    const out = at + 64;
    const after = out + room + 64;
    kernel.bytes.fill(0xa5, after, after + 64);
    const end = kernel.fields({
      start: kernel.start,
      end: at,
      count: values.length,
      out,
      enough: out + room,
      flags: Flag.guard | Flag.noValue,
      offset: 0,
      time: 0,
    });
    if (end > out + room) throw new Error("the rows do not end in their room");
    if (kernel.bytes.subarray(after, after + 64).some((byte) => byte !== 0xa5)) {
      throw new Error("something is written after the rows' room");
    }
    let record = kernel.start;
    for (const bytes of records) {
      for (const byte of bytes) {
        if (kernel.bytes[record++] !== byte) throw new Error("a record was changed");
      }
    }
    const { stop, emitted, seen, badAt, badSlot, valueAt } = kernel;
    const reason = stop === Stop.invalid || stop === Stop.unfit ? unfitReasons[valueAt] : undefined;
    return {
      rows: new TextDecoder("utf-8", { fatal: true }).decode(kernel.bytes.slice(out, end)),
      stop,
      emitted,
      seen,
      reason,
      badAt,
      badSlot,
    };
  }

  /** The row of one value, or the reason in brackets. */
  one(value: Uint8Array): string {
    const { rows, reason, stop } = this.run([value]);
    if (reason !== undefined) return `[${reason}]`;
    return stop === Stop.done ? rows.slice(0, -1) : `[stop ${stop}]`;
  }
}

/** The rows of one schema without frames. */
export function rowsOf(schema: unknown, ...paths: Path["steps"][]): AvroRows {
  return new AvroRows(new Map([[null, JSON.stringify(schema)]]), paths);
}
