import { Failure } from "../../failure.ts";
import { type CsvDialect, standardCsv } from "../../records/dialect.ts";
import { suggestion } from "../../text.ts";
import type { ConsumeOptions } from "../../consume/options.ts";
import type { Given } from "../flags.ts";

/** The dialect of --csv, null without it. Rows of another form are made by looking at each one. */
export function csvOption(given: Given, value: ConsumeOptions["value"]): CsvDialect | null {
  const csv = given.has("csv") ? parseCsv(given.get("csv")!) : null;
  if (csv !== null && value !== "row" && value !== "rows") {
    throw new Failure("usage", `--csv requires --value row or rows, not ${value}`);
  }
  if (given.get("bad-record") === "pass" && (csv !== null || value === "rows")) {
    throw new Failure(
      "usage",
      `--bad-record pass: with ${csv === null ? "--value rows" : "--csv"} every row is checked`,
    );
  }
  return csv;
}

const names = ["delimiter", "quote", "escape", "null", "encoding"] as const;
type Name = typeof names[number];

const encodings: Readonly<Record<string, CsvDialect["encoding"]>> = {
  "utf8": "utf8",
  "utf-8": "utf8",
  "latin1": "latin1",
  "iso-8859-1": "latin1",
};

/**
 * Reads `delimiter=;,quote=',null=\N,encoding=latin1,escape=\`. A value goes on until a comma with
 * another name and `=` after it, so it may be a comma. Throws Failure (usage) naming what is wrong.
 */
export function parseCsv(text: string): CsvDialect {
  const given = new Map<Name, string>();
  const part = /([^=,]*)(?:=(.*?))?(?=,\s*[a-z]+=|$)(?:,|$)/gsy;
  while (part.lastIndex < text.length) {
    const rest = text.slice(part.lastIndex);
    const [, word, value] = part.exec(text) ?? [];
    if (word === undefined) throw wrong(`"${rest}" is not NAME=VALUE,…`);
    const name = names.find((name) => name === word.trim());
    if (name === undefined) {
      const hint = suggestion(word.trim(), names, ` — it is one of ${names.join(", ")}`);
      throw wrong(`"${word.trim()}" is unknown${hint}`);
    }
    if (value === undefined) throw wrong(`${name} has no value: ${name}=…`);
    if (given.has(name)) throw wrong(`${name} is given twice`);
    given.set(name, value);
  }
  const encoding = given.get("encoding") ?? "utf8";
  if (!Object.hasOwn(encodings, encoding.toLowerCase())) {
    throw wrong(`encoding "${encoding}" is not one of utf8, latin1`);
  }
  const quote = given.get("quote") === "none"
    ? null
    : character("quote", given.get("quote") ?? '"');
  if (quote === null && given.has("escape")) throw wrong("escape requires a quote");
  const dialect: CsvDialect = {
    delimiter: character("delimiter", given.get("delimiter") ?? standardCsv.delimiter),
    quote,
    escape: given.has("escape") ? character("escape", given.get("escape")!) : quote,
    null: given.get("null") ?? standardCsv.null,
    encoding: encodings[encoding.toLowerCase()],
  };
  return checked(dialect);
}

/** Throws Failure (usage) if the parts contradict each other. */
function checked(dialect: CsvDialect): CsvDialect {
  const { delimiter, quote, escape } = dialect;
  if (delimiter === quote) throw wrong("delimiter and quote are the same");
  if (delimiter === escape) throw wrong("delimiter and escape are the same");
  if (!/^[\x20-\x7e\t]*$/.test(dialect.null)) throw wrong("null is not printable ASCII");
  for (const char of [delimiter, ...(quote === null ? [] : [quote])]) {
    if (dialect.null.includes(char)) throw wrong(`null "${dialect.null}" holds ${char}`);
  }
  return dialect;
}

function character(name: Name, text: string): string {
  const char = text === "\\t" ? "\t" : text;
  const code = char.charCodeAt(0);
  if (char.length === 1 && code < 127 && (code >= 32 || char === "\t")) return char;
  throw wrong(`${name} "${text}" is not one ASCII character, or \\t`);
}

function wrong(what: string): Failure {
  return new Failure("usage", `--csv: ${what}`);
}
