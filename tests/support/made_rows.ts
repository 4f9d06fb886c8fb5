/** Values made into rows as the fetch loop does, without a broker. */
import assert from "node:assert/strict";
import { type BadRecord, type Counts, RowContext } from "../../lib/consume/row_context.ts";
import type { ConsumeOptions } from "../../lib/consume/options.ts";
import { PartitionRows } from "../../lib/consume/rows.ts";
import { Span } from "../../lib/consume/span.ts";
import { Kernel } from "../../lib/protocol/kernel/kernel.ts";
import { encodeBatch, type RecordParts } from "../../lib/protocol/record.ts";
import { defaults } from "./consume_options.ts";

export interface MadeRows {
  bytes: Uint8Array;
  /** The bytes as text; invalid UTF-8 becomes U+FFFD. */
  text: string;
  bad: BadRecord[];
  counts: Counts;
  /** The next offset to read. */
  done: number;
}

const utf8 = new TextEncoder();

export type Value = string | Uint8Array | null;

/**
 * One batch with these values, and keys if given, as rows of partition 7 of topic "t". Made in place
 * where the options allow it, unless `apart`.
 */
export function makeRowsOf(
  values: readonly Value[],
  options: Partial<ConsumeOptions> = {},
  { keys = [], apart = false }: { keys?: readonly Value[]; apart?: boolean } = {},
): MadeRows {
  const bytesOf = (value: Value | undefined) =>
    typeof value === "string" ? utf8.encode(value) : value ?? null;
  const records = values.map((value, i): RecordParts => ({
    key: bytesOf(keys[i]),
    value: bytesOf(value),
    headers: [],
  }));
  const batch = encodeBatch(records, 0);
  const kernel = new Kernel();
  const start = Kernel.DATA + 64;
  kernel.reserve(64 + batch.length);
  kernel.bytes.set(batch, start);
  const at = { topic: "t", partition: 7 };
  const fetched = {
    ...at,
    ...{
      errorCode: 0,
      highWatermark: 1e9,
      lastStableOffset: 1e9,
      logStart: 0,
      aborted: [],
      preferredReplica: -1,
    },
    ...{ start, end: start + batch.length },
  };
  const bad: BadRecord[] = [];
  const context = new RowContext({ ...defaults, ...options }, (record) => bad.push(record));
  const span = new Span(at, 0, values.length);
  const rows = new PartitionRows(context, kernel, fetched, span);
  const target = context.inPlace && !apart ? kernel : new Kernel();
  const first = context.ready(target);
  const pieces: Uint8Array[] = [];
  while (!rows.finished && !context.full) {
    const end = rows.write(target, first, first + 1024 * 1024);
    pieces.push(target.bytes.slice(first, end));
  }
  const bytes = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.length;
  }
  const { counts } = context;
  return { bytes, text: new TextDecoder().decode(bytes), bad, counts, done: span.done };
}

/** A value, and its rows or why it is bad. */
export type Case = [value: Value, rows: string[] | string];

export function checkRows(cases: readonly Case[], options: Partial<ConsumeOptions>): void {
  const good = cases.filter((one): one is [Value, string[]] => typeof one[1] !== "string");
  const text = good.flatMap(([, rows]) => rows.map((row) => `${row}\n`)).join("");
  const letters: Partial<ConsumeOptions> = { ...options, badRecord: { deadLetter: "letters" } };
  for (const [one, apart] of [[options, false], [options, true], [letters, false]] as const) {
    const made = makeRowsOf(cases.map(([value]) => value), one, { apart });
    assert.equal(made.text, text);
    assert.equal(made.done, cases.length);
    assert.equal(made.counts.records, good.length);
    assert.equal(made.counts.rows, good.flatMap(([, rows]) => rows).length);
    assert.deepEqual(
      made.bad.map(({ offset, why }) => [offset, why]),
      cases.flatMap(([, why], offset) =>
        typeof why === "string" ? [[offset, `the value ${why}`]] : []
      ),
    );
  }
}

export const EMPTY = "is empty: Greenplum would miss its columns";
export const NEWLINE = "holds a newline outside quotes";
export const CR = "holds a carriage return outside quotes";
export const END_MARK = "holds a line that is just \\., which would end the data";
