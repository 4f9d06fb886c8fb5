/** Runs Protobuf values through the kernel, as a consumer's batch of records. */
import { Flag, Kernel, Stop, unfitReasons } from "../../../lib/protocol/kernel/kernel.ts";
import { ProgramWriter } from "../../../lib/records/program.ts";
import { addProtobuf, readProtobuf } from "../../../lib/records/protobuf.ts";
import { encodeRecord } from "../protocol/kernel/records.ts";

const golden = new URL("golden/protobuf/", import.meta.url);

type Steps = readonly (string | number)[];

/** What protobuf's own runtime reads: nothing, text, a number of 4 or 8 bytes, JSON. */
export type Expected = null | { t: string } | { f: string } | { j: string };

/** Values of one message, and their rows; null and "unreadable": there is none. */
export interface Suite {
  proto: string;
  message: string;
  paths: Steps[];
  cases: { hex: string; row: Expected[] | "unreadable" | null; mutated?: boolean }[];
}

/** The golden values (golden/README.md). */
export function readSuites(): Suite[] {
  const lines = Deno.readTextFileSync(new URL("protobuf.jsonl", golden)).trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line));
}

/** The text of one of the golden .proto files. */
export function goldenProto(name: string): string {
  return Deno.readTextFileSync(new URL(name, golden));
}

/** A field of a row: null is an empty field without quotes. */
export type Field = string | null;

/** What a value came to: its fields, or why it is not a row. */
export type Outcome = { fields: Field[] } | { reason: string; badAt: number } | "no room";

export class ProtobufRows {
  readonly kernel = new Kernel();
  /** The last row as it was written. */
  text = "";

  /** Rows of paths into a message of a golden file, or of a given text. */
  constructor(proto: string, message: string, paths: readonly Steps[]) {
    const text = proto.endsWith(".proto") ? goldenProto(proto) : proto;
    const schema = readProtobuf({ text, imports: goldenProtoIfAny });
    const writer = new ProgramWriter();
    const added = addProtobuf(
      writer,
      { framed: [], bare: schema.message(message) },
      paths.map((steps) => ({ text: "", steps })),
      0,
    );
    this.kernel.load(writer.finish({
      columns: added.slots.map((slot) => ({ kind: "slot", slot })),
      slots: added.next,
      value: added.source,
      fixed: 64 + 2 * paths.length,
      factor: 0,
    }));
  }

  /** The row of one value. `after`: what the bytes after the record are; `room`: for the row. */
  one(value: Uint8Array, after = 0x08, room = 1 << 20): Outcome {
    const { kernel } = this;
    const record = encodeRecord({ delta: 0, value });
    kernel.reserve(kernel.start - Kernel.DATA + record.length + room + 256);
    const end = kernel.start + record.length;
    kernel.bytes.set(record, kernel.start);
    // The bytes after the record are not part of it: what reads on is seen.
    kernel.bytes.fill(after, end, end + 64);
    const out = end + 64;
    const stop = kernel.fields({
      start: kernel.start,
      end,
      count: 1,
      out,
      enough: out + room,
      flags: Flag.guard | Flag.noValue,
      offset: 0,
      time: 0,
    });
    if (kernel.stop === Stop.done) {
      this.text = new TextDecoder("utf-8", { fatal: true }).decode(kernel.bytes.slice(out, stop));
      return { fields: fieldsOf(this.text) };
    }
    if (kernel.stop === Stop.enough) return "no room";
    const { valueAt, badAt } = kernel;
    if (kernel.stop !== Stop.invalid && kernel.stop !== Stop.unfit) {
      throw new Error(`the kernel stopped with ${kernel.stop}`);
    }
    return { reason: unfitReasons[valueAt] ?? `reason ${valueAt}`, badAt };
  }
}

function goldenProtoIfAny(name: string): string | undefined {
  return name.startsWith("shop/") ? goldenProto(name) : undefined;
}

/** The fields of one CSV row, which ends with a newline. */
export function fieldsOf(row: string): Field[] {
  const fields: Field[] = [];
  let at = 0;
  while (at < row.length) {
    if (row[at] === '"') {
      let text = "";
      for (at++;; at++) {
        if (at >= row.length) throw new Error(`a quote is open: ${row}`);
        if (row[at] !== '"') text += row[at];
        else if (row[at + 1] === '"') text += row[++at];
        else break;
      }
      fields.push(text);
      at++;
    } else {
      const [text] = /^[^,\n"]*/.exec(row.slice(at))!;
      fields.push(text === "" ? null : text);
      at += text.length;
    }
    if (row[at] === "\n" && at === row.length - 1) return fields;
    if (row[at] !== ",") throw new Error(`not a row: ${row}`);
    at++;
  }
  throw new Error(`no newline: ${row}`);
}

/** JSON text in one form: numbers by value, members of objects sorted. */
export function plainJson(text: string): unknown {
  const reviver = (_key: string, value: unknown, context?: { source?: string }): unknown => {
    if (typeof value === "number") {
      const source = context!.source!;
      // The shortest text of a double has at most 17 digits that count.
      if (
        /^-?\d+$/.test(source) && source.length < 21 && !/0{4}$/.test(source) && source !== "-0"
      ) {
        return `number ${source}`;
      }
      return `number ${Object.is(value, -0) ? "-0" : value}`;
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1));
  };
  return JSON.parse(text, reviver as Parameters<typeof JSON.parse>[1]);
}

/** The bytes of hex digits. */
export function unhex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (digits) => parseInt(digits, 16));
}
