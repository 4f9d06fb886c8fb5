import type { ProgramWriter } from "./program.ts";

/** A dialect of CSV, as PostgreSQL's COPY describes it; characters are ASCII. */
export interface CsvDialect {
  readonly delimiter: string;
  /** Null: nothing quotes a field. */
  readonly quote: string | null;
  /** What takes the meaning from a quote, or from itself, inside of quotes. */
  readonly escape: string | null;
  /** What a field without quotes is that is NULL. */
  readonly null: string;
  readonly encoding: "utf8" | "latin1";
}

/** PostgreSQL's, and what the rows become. */
export const standardCsv: CsvDialect = {
  delimiter: ",",
  quote: '"',
  escape: '"',
  null: "",
  encoding: "utf8",
};

/** Classes of bytes in the kernel (dialect.as.ts). */
const Class = { plain: 0, delimiter: 1, quote: 2, escape: 3, special: 4, high: 5 } as const;
const HEAD = 24;

/** Describes the dialect in a program; returns where. */
export function writeDialect(writer: ProgramWriter, dialect: CsvDialect): number {
  const { delimiter, quote, escape, encoding } = dialect;
  const text = writer.add(new TextEncoder().encode(dialect.null));
  const at = writer.reserve(HEAD + 256);
  const byteOf = (char: string | null) => char === null ? 0xffffffff : char.charCodeAt(0);
  writer.u32(at, byteOf(delimiter), byteOf(quote), byteOf(escape), encoding === "latin1" ? 1 : 0);
  writer.u32(at + 16, text, dialect.null.length);
  const classes = new Uint8Array(256);
  if (encoding === "latin1") classes.fill(Class.high, 128);
  for (const char of ',"\r\n') classes[byteOf(char)] = Class.special;
  if (escape !== null) classes[byteOf(escape)] = Class.escape;
  if (quote !== null) classes[byteOf(quote)] = Class.quote;
  classes[byteOf(delimiter)] = Class.delimiter;
  writer.bytes(at + HEAD, classes);
  return at;
}
