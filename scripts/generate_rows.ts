import { parseArgs } from "node:util";
import { Failure } from "../lib/failure.ts";
import { formatRow } from "./crimes/row.ts";

/** What to generate. Same options, same bytes, on every machine and version of Deno. */
export interface GenerateOptions {
  /** How many rows. */
  rows: number;
  /** Chooses the contents; 1 unless given. */
  seed?: number;
  /** The first row's ID; 1 unless given. IDs rise by one, so two files need not overlap. */
  start?: number;
  /** Puts a newline inside quotes into about one row of fifty. Off unless given: a producer that
   * splits its input at every newline would cut such a row in two. */
  newlines?: boolean;
  /** Chunks grow to about this many bytes; 1 MiB unless given. */
  chunkSize?: number;
}

/** The ID column is a 32-bit integer. */
const MAX_ID = 2 ** 31 - 1;

/** No row is longer (300 bytes are rare); a chunk is given out when less room than this is left. */
const MAX_ROW = 1024;

/** This many rows are joined as one string before they are encoded: fewer, longer calls. */
const ROWS_PER_STRING = 64;

/**
 * Yields rows of the Chicago crimes table (`sql/crimes`) as CSV: 22 columns, one record a row, each
 * ended by a newline, no header. About 249 bytes a row, as in the real data. Some rows hold quoted
 * commas, doubled quotes, empty fields (NULL) and quoted empty fields (an empty string).
 *
 * A row depends on `seed` and its ID only: `{ rows: 10, start: 91 }` are the last ten rows of
 * `{ rows: 100 }`. Chunks end where a row ends, and are never written to again.
 *
 * @throws {Failure} `usage` when a number is out of its range.
 */
export function* generateRows(options: GenerateOptions): Generator<Uint8Array<ArrayBuffer>> {
  const { rows, seed = 1, start = 1, newlines = false, chunkSize = 1 << 20 } = options;
  checkInteger("rows", rows, 0, MAX_ID);
  checkInteger("seed", seed, 0, 2 ** 32 - 1);
  checkInteger("start", start, 1, MAX_ID);
  checkInteger("chunkSize", chunkSize, 1, 2 ** 30);
  const end = start + rows;
  if (end - 1 > MAX_ID) {
    throw new Failure("usage", `Cannot generate rows: the last ID ${end - 1} is over ${MAX_ID}`);
  }

  const encoder = new TextEncoder();
  const size = chunkSize + ROWS_PER_STRING * MAX_ROW;
  let chunk = new Uint8Array(size);
  let length = 0;
  for (let id = start; id < end;) {
    const stop = Math.min(end, id + ROWS_PER_STRING);
    let text = "";
    for (; id < stop; id++) text += formatRow(seed, id, newlines) + "\n";
    length += encoder.encodeInto(text, chunk.subarray(length)).written;
    if (length >= chunkSize) {
      yield chunk.subarray(0, length);
      chunk = new Uint8Array(size);
      length = 0;
    }
  }
  if (length > 0) yield chunk.subarray(0, length);
}

function checkInteger(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new Failure(
      "usage",
      `Cannot generate rows: "${name}" must be a whole number from ${min} to ${max}: got ${value}`,
    );
  }
}

const USAGE = `Usage: deno run -A scripts/generate_rows.ts --rows N [OPTIONS] > rows.csv

Writes N rows of the Chicago crimes table as CSV, without a header, to standard output.

  --rows N     how many rows
  --seed N     same seed, same bytes (1)
  --start N    the first row's ID (1)
  --newlines   put a quoted newline into some rows
  --help       show this text`;

/** Reads the command line; undefined when help was asked for. */
function parseCommandLine(args: string[]): GenerateOptions | undefined {
  const string = { type: "string" } as const;
  const boolean = { type: "boolean", default: false } as const;
  let values;
  try {
    const options = { rows: string, seed: string, start: string, newlines: boolean, help: boolean };
    values = parseArgs({ args, options }).values;
  } catch (error) {
    throw new Failure("usage", error instanceof Error ? error.message : String(error));
  }
  if (values.help) return undefined;
  if (values.rows === undefined) throw new Failure("usage", "Cannot generate rows: use --rows N");
  return {
    rows: parseNumber(values.rows),
    seed: parseNumber(values.seed ?? "1"),
    start: parseNumber(values.start ?? "1"),
    newlines: values.newlines,
  };
}

/** NaN for anything but digits, so that the range check names the flag; `Number("")` would be 0. */
function parseNumber(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : NaN;
}

function main(args: string[]): number {
  try {
    const options = parseCommandLine(args);
    if (options === undefined) {
      console.log(USAGE);
      return 0;
    }
    for (const chunk of generateRows(options)) {
      for (let done = 0; done < chunk.length;) {
        done += Deno.stdout.writeSync(chunk.subarray(done));
      }
    }
    return 0;
  } catch (error) {
    // The reader has what it wanted, as in `… | head`.
    if (error instanceof Deno.errors.BrokenPipe) return 0;
    if (!(error instanceof Failure)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    return 64;
  }
}

if (import.meta.main) Deno.exit(main(Deno.args));
