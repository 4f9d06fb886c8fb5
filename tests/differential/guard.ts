/** What the record guard passes and rejects, beside what PostgreSQL's COPY reads. */
import { Buffer } from "node:buffer";
import { startPostgres } from "../../scripts/servers/postgres.ts";
import { splitFields, splitRows } from "../../lib/consume/csv.ts";
import type { ConsumeOptions } from "../../lib/consume/options.ts";
import { type CsvDialect, standardCsv } from "../../lib/records/dialect.ts";
import { makeRowsOf } from "../support/made_rows.ts";
import { Random } from "../support/random.ts";
import { Copies } from "./copies.ts";
import { pieces, shown, type Size, Tally } from "./tally.ts";
import { randomDialect, RandomValues } from "./values.ts";

/** Values made into rows at once. */
const AT_ONCE = 5000;

/**
 * Why values are rejected that this COPY reads: an empty row is a row to a table of one column, and
 * only Greenplum ends the data at a line `\.` inside quotes, PostgreSQL 18 at none.
 */
const stricter = /is empty|empty row|which would end the data/;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A value as it is without the line end that may follow it. */
function trimmed(value: Uint8Array): Uint8Array {
  const end = value.length;
  if (value[end - 1] !== 10) return value;
  return value.subarray(0, value[end - 2] === 13 ? end - 2 : end - 1);
}

const LF = Uint8Array.of(10);
const lined = (values: readonly Uint8Array[]) => Buffer.concat(values.flatMap((one) => [one, LF]));

/** Rows of the values; those that became rows, and the others with why. */
function make(values: readonly Uint8Array[], options: Partial<ConsumeOptions>, tally: Tally) {
  const made = makeRowsOf(values, options);
  const others = [{ apart: true }, { letters: true }] as const;
  for (const other of others) {
    const badRecord = "letters" in other ? { deadLetter: "x" } : "skip" as const;
    const again = makeRowsOf(values, { ...options, badRecord }, { apart: "apart" in other });
    if (Buffer.compare(again.bytes, made.bytes) === 0 && again.bad.length === made.bad.length) {
      continue;
    }
    tally.differ(`other rows ${JSON.stringify(other)} of ${values.map(shown).slice(0, 3)} …`);
  }
  const why = new Map(made.bad.map(({ offset, why }) => [offset, why]));
  tally.values += values.length;
  tally.note("rejected", why.size);
  return {
    bytes: made.bytes,
    good: values.filter((_, i) => !why.has(i)),
    bad: [...why].map(([offset, why]) => ({ value: values[offset], why })),
  };
}

/** Compares rows with what COPY reads; `read` throws if that rejects them. */
async function same<T>(
  read: () => Promise<T[]>,
  expected: readonly T[],
  inputs: readonly Uint8Array[],
  tally: Tally,
): Promise<void> {
  let found: T[];
  try {
    found = await read();
  } catch (error) {
    tally.differ(`COPY rejects rows: ${error}, among ${inputs.length}, first ${shown(inputs[0])}`);
    return;
  }
  tally.rows += found.length;
  const text = (one: T | undefined) => JSON.stringify(one) ?? "nothing";
  const at = expected.findIndex((one, i) => text(one) !== text(found[i]));
  if (at === -1 && found.length === expected.length) return;
  const input = inputs[at] ?? inputs.at(-1)!;
  tally.differ(`${text(expected[at])} expected, COPY reads ${text(found[at])} of ${shown(input)}`);
}

/** Reports what was rejected though COPY reads it: `readable` says whether it does. */
function judge(
  bad: readonly { value: Uint8Array; why: string }[],
  readable: (index: number) => boolean,
  tally: Tally,
): void {
  for (const [i, { value, why }] of bad.entries()) {
    if (!readable(i)) continue;
    if (stricter.test(why)) {
      tally.note(`read by COPY, and rejected because the value ${why.slice(10)}`);
    } else tally.differ(`rejected (${why}), and COPY reads it: ${shown(value)}`);
  }
}

/** One text of CSV as its only field would be. */
const unquoted = (text: string) =>
  splitFields(text.replaceAll(",", "\x02"))[0]?.replaceAll("\x02", ",") ?? "";

/** Rows of different numbers of fields are read by one COPY, with fields after their last one. */
const WIDEST = 64;

function padding(row: Uint8Array, fields: number, { delimiter }: CsvDialect): Uint8Array {
  return Buffer.concat([row, Buffer.from(delimiter.repeat(WIDEST - fields))]);
}

/** The fields that were there before. */
const cut = <T>(rows: T[][], like: readonly unknown[][]) =>
  rows.map((row, i) => row.slice(0, like[i]?.length));

async function withCopies(use: (copies: Copies) => Promise<void>): Promise<void> {
  // Not that of DATABASE_URL: it must read files of this machine.
  await using pg = await startPostgres({ release: 18 });
  await using copies = await Copies.open(pg);
  await use(copies);
}

/** `--value row`: a value is one row. */
export async function rowGuard({ values, seed }: Size): Promise<Tally> {
  const tally = new Tally();
  const random = new RandomValues(new Random(seed), standardCsv);
  await withCopies(async (copies) => {
    for (const count of pieces(values, AT_ONCE)) {
      const some = Array.from({ length: count }, () => random.next());
      const { bytes, good, bad } = make(some, {}, tally);
      if (Buffer.compare(bytes, lined(good.map(trimmed))) !== 0) {
        tally.differ("rows are not values");
      }
      const texts = good.map((value) => utf8.decode(trimmed(value)));
      await same(() => copies.lines(bytes), texts.map(unquoted), good, tally);
      const fields = texts.map(splitFields);
      const padded = good.map((value, i) => padding(trimmed(value), fields[i].length, standardCsv));
      const read = () => copies.rows(lined(padded), WIDEST);
      await same(async () => cut(await read(), fields), fields, good, tally);
      const found = await copies.between(bad.map(({ value }) => trimmed(value)), standardCsv);
      judge(bad, (i) => found[i]?.length === 1, tally);
    }
  });
  return tally;
}

/** `--value rows`: a value is rows that end with LF or CRLF. */
export async function rowsGuard({ values, seed }: Size): Promise<Tally> {
  const tally = new Tally();
  const random = new RandomValues(new Random(seed), standardCsv);
  await withCopies(async (copies) => {
    for (const count of pieces(values, AT_ONCE)) {
      const some = Array.from({ length: count }, () => random.next());
      const { bytes, good, bad } = make(some, { value: "rows" }, tally);
      const rows = good.flatMap((value) =>
        splitRows(`${utf8.decode(withLines(trimmed(value)))}\n`)
      );
      if (`${rows.join("\n")}\n` !== utf8.decode(bytes) && rows.length > 0) {
        tally.differ("rows are not those of the values");
      }
      await same(() => copies.lines(bytes), rows.map(unquoted), good, tally);
      const normal = bad.map(({ value }) => withLines(trimmed(value)));
      const found = await copies.between(normal, standardCsv);
      judge(bad, (i) => found[i] !== null, tally);
    }
  });
  return tally;
}

/** With LF for each CRLF outside of quotes: one COPY knows one of them. */
function withLines(value: Uint8Array): Uint8Array {
  let quoted = false;
  return value.filter((byte, i) => {
    if (byte === 0x22) quoted = !quoted;
    return quoted || byte !== 13 || value[i + 1] !== 10;
  });
}

/** `--value field`: a value is the text of one field. */
export async function fieldGuard({ values, seed }: Size): Promise<Tally> {
  const tally = new Tally();
  const random = new RandomValues(new Random(seed), standardCsv);
  await withCopies(async (copies) => {
    for (const count of pieces(values, AT_ONCE)) {
      const some = Array.from({ length: count }, () => random.next());
      const { bytes, good, bad } = make(some, { value: "field", columns: ["partition"] }, tally);
      const expected = good.map((value) => ["7", utf8.decode(value)]);
      await same(() => copies.rows(bytes, 2), expected, good, tally);
      const found = await copies.between(bad.map(({ value }) => quoted(value)), standardCsv);
      judge(bad, (i) => found[i]?.length === 1, tally);
    }
  });
  return tally;
}

/** The value as a quoted field. */
function quoted(value: Uint8Array): Uint8Array {
  const text = Buffer.from(value).toString("latin1");
  return Buffer.from(`"${text.replaceAll('"', '""')}"`, "latin1");
}

/** `--csv`: a row of a random dialect is the row that COPY reads by its options. */
export async function dialects({ values, seed }: Size): Promise<Tally> {
  const tally = new Tally();
  const random = new Random(seed);
  const each = Math.max(250, Math.ceil(values / 100));
  await withCopies(async (copies) => {
    for (const count of pieces(values, each)) {
      await dialect(randomDialect(random), count, random, copies, tally);
    }
  });
  return tally;
}

async function dialect(
  csv: CsvDialect,
  count: number,
  random: Random,
  copies: Copies,
  tally: Tally,
): Promise<void> {
  const values = new RandomValues(random, csv);
  const some = Array.from({ length: count }, () => values.next());
  const { bytes, good, bad } = make(some, { csv }, tally);
  // Each row for itself: they are told apart by the ends that COPY itself sees.
  const rows = splitRows(utf8.decode(bytes));
  if (rows.length !== good.length) {
    tally.differ(`${good.length} values are ${rows.length} rows in ${JSON.stringify(csv)}`);
    return;
  }
  const fields = rows.map(splitFields);
  const padded = good.map((value, i) => padding(trimmed(value), fields[i].length, csv));
  const ours = rows.map((row, i) => padding(Buffer.from(row), fields[i].length, standardCsv));
  const theirs = await copies.rows(lined(padded), WIDEST, csv).catch((error) => {
    tally.differ(`COPY by ${JSON.stringify(csv)} rejects one of seed ${count}: ${error}`);
    return null;
  });
  if (theirs !== null) {
    const read = () => copies.rows(lined(ours), WIDEST);
    await same(async () => cut(await read(), fields), cut(theirs, fields), good, tally);
  }
  const found = await copies.between(bad.map(({ value }) => trimmed(value)), csv);
  judge(bad, (i) => found[i]?.length === 1, tally);
}
