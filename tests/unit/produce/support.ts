/** Runs the splitter and the batches over chunks of input, without a broker, and reads them back. */
import { Arena } from "../../../lib/produce/arena.ts";
import { BadRows } from "../../../lib/produce/bad_rows.ts";
import type { RecordBatch } from "../../../lib/produce/batch.ts";
import { feedInput } from "../../../lib/produce/feed.ts";
import type { Input } from "../../../lib/produce/input.ts";
import type { ColumnType, ProduceOptions } from "../../../lib/produce/options.ts";
import { Random } from "../../support/random.ts";
import { Packer } from "../../../lib/produce/packer.ts";
import type { Sealer } from "../../../lib/produce/sealer.ts";
import type { Sink } from "../../../lib/produce/sender.ts";
import { shapeOf } from "../../../lib/produce/shape.ts";
import { Batch } from "../../../lib/protocol/record_batch.ts";

export const defaults: ProduceOptions = {
  topic: "t",
  files: [],
  header: "none",
  split: "line",
  key: null,
  headerColumns: [],
  tombstones: false,
  value: "row",
  columns: [],
  schema: null,
  partition: null,
  partitioner: "murmur2",
  codec: "none",
  acks: -1,
  idempotent: true,
  badRecord: "fail",
  rate: Infinity,
  batchRows: Infinity,
  pause: 0,
  dryRun: false,
};

export interface Packed {
  partition: number;
  key: string | null;
  /** One char a byte; "null value" of a null one. */
  value: string;
  line: number;
  /** Absent where a record has none. */
  headers?: [name: string, value: string][];
}

/** Stands for a null value. */
export const NULL_VALUE = "null value";

/** One char a byte, so that a comparison is of bytes. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return text;
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** The input as these chunks, each read at a time as far as there is room. */
export function chunked(chunks: readonly Uint8Array[]): Input {
  const left = chunks.filter((chunk) => chunk.length > 0);
  return {
    name: "stdin",
    read(into) {
      if (left.length === 0) return Promise.resolve(null);
      const chunk = left[0];
      const size = Math.min(chunk.length, into.length);
      into.set(chunk.subarray(0, size));
      if (size === chunk.length) left.shift();
      else left[0] = chunk.subarray(size);
      return Promise.resolve(size);
    },
    close() {},
  };
}

/** Takes batches like the sender; their memory comes back at the next turn. */
export class Collector implements Sink {
  readonly batches: RecordBatch[] = [];
  readonly rows: Packed[] = [];
  readonly #partitions: number;
  readonly #waiting: RecordBatch[] = [];

  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  send(batch: RecordBatch): void {
    batch.stamp({ id: 1, epoch: 0 }, 0);
    this.batches.push(batch);
    this.rows.push(...recordsOf(batch));
    this.#waiting.push(batch);
  }

  next(partition: number): number {
    return (partition + 1) % this.#partitions;
  }

  changed(): Promise<void> {
    this.#waiting.shift()?.release();
    return Promise.resolve();
  }

  async flush(): Promise<void> {
    while (this.#waiting.length > 0) await this.changed();
  }
}

export interface PackedAll {
  rows: Packed[];
  batches: RecordBatch[];
  packer: Packer;
  bad: BadRows;
  log: string[];
}

/** What becomes of the chunks. */
export async function packAll(
  chunks: readonly Uint8Array[],
  some: Partial<ProduceOptions> = {},
  partitions = 4,
): Promise<PackedAll> {
  const sink = new Collector(partitions);
  const options = { ...defaults, ...some };
  const done = await packInput(chunked(chunks), options, sink, partitions);
  return { ...done, rows: sink.rows, batches: sink.batches };
}

/** Packs an input into the sink. */
export async function packInput(
  input: Input,
  options: ProduceOptions,
  sink: Sink,
  partitions: number,
  sealer: Pick<Sealer, "seal"> = { seal: (batch) => batch.seal(null) },
): Promise<Pick<PackedAll, "packer" | "bad" | "log">> {
  const log: string[] = [];
  const bad = new BadRows(options, (line) => log.push(line));
  const hashing = options.key !== null && options.partitioner === "murmur2";
  const arena = new Arena(partitions, hashing ? partitions : 1, shapeOf(options));
  arena.setUp(options, hashing);
  const packer = new Packer(arena, options, sink, sealer, bad.add);
  try {
    bad.input("stdin", arena.kernel.startInput(options.header === "skip" ? 1 : 0));
    await feedInput(arena, packer, input, bad);
    await packer.drain();
  } finally {
    packer.stop();
  }
  return { packer, bad, log };
}

/** The records of a batch, read by a decoder that shares nothing with the code under test. */
export function recordsOf(batch: RecordBatch, records?: Uint8Array): Packed[] {
  const bytes = records ?? batch.bytes.subarray(Batch.records);
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n;; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number((value >> 1n) ^ -(value & 1n));
    }
  };
  const rows: Packed[] = [];
  for (let index = 0; index < batch.count; index++) {
    const size = varint();
    const end = at + size;
    const head = [bytes[at++], varint(), varint()];
    if (head[0] !== 0 || head[1] !== 0 || head[2] !== index) throw new Error(`head ${head}`);
    const keySize = varint();
    const key = keySize < 0 ? null : latin1(bytes.subarray(at, at + keySize));
    if (keySize > 0) at += keySize;
    const valueSize = varint();
    const value = valueSize < 0 ? NULL_VALUE : latin1(bytes.subarray(at, at + valueSize));
    if (valueSize > 0) at += valueSize;
    const text = () => {
      const size = varint();
      return latin1(bytes.subarray(at, at += size));
    };
    const headers = Array.from({ length: varint() }, () => [text(), text()] as [string, string]);
    if (at !== end) throw new Error(`record ${index} ends at ${at}, not ${end}`);
    const row = { partition: batch.partition, key, value, line: batch.line(index) };
    rows.push(headers.length > 0 ? { ...row, headers } : row);
  }
  if (at !== bytes.length) throw new Error(`records end at ${at}, not ${bytes.length}`);
  return rows;
}

/** Whole numbers below what is asked for, the same at each run. */
export function below(seed: number): (end: number) => number {
  const random = new Random(seed);
  return (end) => random.int(0, end - 1);
}

export const cutFirst = { column: 1, cut: true };
export const columns = (...names: string[]) =>
  names.map((name) => {
    const [text, type = "text"] = name.split(":");
    return { name: text, type: type as ColumnType };
  });

/** A field as PostgreSQL writes it, with quotes where it must or where `always`. */
export function csv(text: string | null, always: boolean): string {
  if (text === null) return "";
  return always || text === "" || /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
