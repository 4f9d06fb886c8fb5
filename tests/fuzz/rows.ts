/** Records of batches, rows of the guard, input of the producer. */
import { whyBad } from "../../lib/consume/guard.ts";
import { Flag, Kernel, Stop } from "../../lib/protocol/kernel/kernel.ts";
import type { ProduceOptions } from "../../lib/produce/options.ts";
import { type Column, ProgramWriter } from "../../lib/records/program.ts";
import type { Random } from "../support/random.ts";
import { packAll } from "../unit/produce/support.ts";
import { encodeRecord } from "../unit/protocol/kernel/records.ts";
import { mutated } from "./mutate.ts";
import { choice, must, type Target } from "./target.ts";

const encoder = new TextEncoder();
const pieces = [
  "a",
  "bc",
  "1",
  ",",
  '"',
  '""',
  "\n",
  "\r",
  "\\",
  "\\.",
  "é",
  "😀",
  " ",
  "'",
  "\0",
  "\xff",
];

function text(random: Random, most = 12): Uint8Array {
  let result = "";
  for (let left = random.int(0, most); left > 0; left--) result += choice(pieces, random);
  const bytes = encoder.encode(result);
  return random.int(0, 9) === 0 ? mutated(bytes, bytes, random) : bytes;
}

function records(random: Random): Uint8Array {
  const parts = Array.from({ length: random.int(1, 5) }, (_, delta) =>
    encodeRecord({
      delta,
      value: random.int(0, 7) === 0 ? null : text(random),
      key: random.int(0, 3) === 0 ? null : text(random, 4),
      headers: random.int(0, 3) === 0 ? [[text(random, 2), text(random, 2)]] : [],
    }));
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Quotes as COPY counts them: whether a line end is outside of them, or one is open at the end. */
function isOneRow(value: Uint8Array): boolean {
  let quoted = false;
  for (const byte of value) {
    if (byte === 0x22) quoted = !quoted;
    else if ((byte === 0x0a || byte === 0x0d) && !quoted) return false;
  }
  return !quoted;
}

/** What the guard passes is one row of UTF-8 without NUL; PostgreSQL's own judgement is tested elsewhere. */
export const guard: Target = {
  name: "guard",
  run(random, tried) {
    const value = tried.input = text(random, 30);
    if (whyBad(value, 0, value.length) !== null) return;
    new TextDecoder("utf-8", { fatal: true }).decode(value);
    must(!value.includes(0), () => "a NUL passes");
    must(isOneRow(value), () => "more or less than one row passes");
  },
};

const SPACE = 0x5c;

/** Records, changed, through the loop without columns: it ends in bounds, with a reason. */
export function plainRows(): Target {
  const kernel = new Kernel();
  return {
    name: "rows",
    run(random, tried) {
      const input = tried.input = mutated(records(random), records(random), random);
      const start = Kernel.DATA + 64;
      kernel.reserve(input.length + 256);
      kernel.bytes.fill(SPACE, Kernel.DATA, start + input.length + 128);
      kernel.bytes.set(input, start);
      const end = start + input.length;
      const flags = [Flag.guard, Flag.guard | Flag.emptyTombstones, Flag.guard | Flag.trimmed, 0];
      const out = kernel.rows({
        ...{ start, end, count: random.int(1, 6), out: Kernel.DATA, flags: choice(flags, random) },
        ...(random.int(0, 3) === 0 ? { min: random.int(0, 3), max: random.int(0, 5) } : {}),
        ...(random.int(0, 3) === 0 ? { budget: random.int(0, 3) } : {}),
      });
      must(out >= Kernel.DATA && out <= end, () => `rows end at ${out - Kernel.DATA}`);
      must(kernel.at >= start && kernel.at <= end, () => `stopped at ${kernel.at - start}`);
      const after = kernel.bytes.subarray(end + 64, end + 128);
      must(after.every((byte) => byte === SPACE), () => "something is written after the records");
    },
  };
}

/** The same with columns, values in other forms, and a CSV dialect. */
export function columnRows(): Target {
  const kernels = [
    ["offset", "timestamp", "key", "headers", "tombstone"],
    ["keyHex", "partition", "topic"],
    [],
  ].map((names) => {
    const kernel = new Kernel();
    const columns = names.map((kind) => ({ kind }) as Column);
    kernel.load(new ProgramWriter().finish({ columns, slots: 0, fixed: 640, factor: 12 }));
    return kernel;
  });
  return {
    name: "columns",
    run(random, tried) {
      const input = tried.input = mutated(records(random), records(random), random);
      const kernel = choice(kernels, random);
      const room = 1 << 14;
      kernel.reserve(kernel.start - Kernel.DATA + input.length + room + 512);
      const start = kernel.start;
      const end = start + input.length;
      kernel.bytes.set(input, start);
      kernel.bytes.fill(SPACE, end, end + 128);
      const first = end + 128;
      const enough = first + room;
      kernel.bytes.fill(SPACE, enough + 64, enough + 128);
      kernel.setPartition("t", 3);
      const forms = [0, Flag.valueField, Flag.valueHex, Flag.noValue, Flag.emptyTombstones];
      const out = kernel.fields({
        ...{ start, end, count: random.int(1, 6), out: first, enough, offset: 5, time: 1e12 },
        flags: Flag.guard | choice(forms, random),
      });
      must(out >= first && out <= enough, () => `rows end at ${out - first}`);
      must(kernel.at >= start && kernel.at <= end, () => `stopped at ${kernel.at - start}`);
      const after = kernel.bytes.subarray(enough + 64, enough + 128);
      must(after.every((byte) => byte === SPACE), () => "something is written after the rows");
      must(
        Object.values<number>(Stop).includes(kernel.stop),
        () => `stopped by ${kernel.stop}`,
      );
    },
  };
}

/** What becomes of an input: its records by partition, and what is said of bad rows. */
async function packed(chunks: readonly Uint8Array[], options: Partial<ProduceOptions>) {
  const { rows, log } = await packAll(chunks, options);
  return JSON.stringify([rows, log]);
}

/** Input of the producer in random pieces: the same records as in one piece, or the same bad rows. */
export const packing: Target = {
  name: "packing",
  async run(random, tried) {
    const input = tried.input = text(random, 60);
    const options = {
      split: choice(["line", "csv", "nul"] as const, random),
      key: choice([null, { column: 2, cut: false }, { delimiter: 0x2c }], random),
      badRecord: "skip" as const,
    };
    const at = Array.from({ length: random.int(0, 6) }, () => random.int(0, input.length));
    const cuts = [0, ...at.toSorted((a, b) => a - b), input.length];
    const chunks = cuts.slice(1).map((to, index) => input.slice(cuts[index], to));
    const [whole, parts] = [await packed([input], options), await packed(chunks, options)];
    must(whole === parts, () => `in pieces of ${cuts}: ${parts}, not ${whole}`);
  },
};
