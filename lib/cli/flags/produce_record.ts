import { Failure } from "../../failure.ts";
import { type ColumnType, columnTypes, type ProduceOptions } from "../../produce/options.ts";
import { cutColumns } from "../../produce/shape.ts";
import type { Flag, Given } from "../flags.ts";
import { registryFlags } from "./registry.ts";
import { suggestion } from "../../text.ts";
import { parseCount } from "../values.ts";

/** The producer's flags that say what of a row is key, headers and value. */
export const produceRecordFlags: readonly Flag[] = [
  {
    name: "key-delim",
    short: "K",
    value: "C",
    help: "the text before the first C in a row is its key",
  },
  { name: "key-column", value: "N", help: "CSV field N of a row is its key; the first is 1" },
  { name: "key-cut", help: "leave that field out of the value" },
  {
    name: "header-column",
    value: "NAME=N",
    many: true,
    help: "CSV field N is the header NAME instead of part of the value; repeatable",
  },
  {
    name: "tombstone",
    help: "an empty value is a null one (a tombstone), if its record has a key",
  },
  {
    name: "value",
    value: "FORM",
    help:
      "row: the row as it is; field: the text of its one field, without CSV quotes; hex: the bytes of \\x and digits; json: an object; avro: a record of the schema (row)",
  },
  {
    name: "columns",
    value: "LIST",
    help: `the names of a row's fields, for --value json and avro; in JSON NAME:TYPE becomes: ${
      columnTypes.join(", ")
    } (text)`,
  },
  ...registryFlags.filter(({ name }) => name === "registry"),
  {
    name: "schema",
    value: "FILE",
    help:
      "the Avro schema (.avsc) of the values; it is registered unless it is (the topic's newest one)",
  },
];

type RecordOptions = Pick<
  ProduceOptions,
  "key" | "headerColumns" | "tombstones" | "value" | "columns" | "schema"
>;

/** Those flags. Throws Failure (usage) naming the flag that is wrong. */
export function recordOptions(given: Given): RecordOptions {
  const value = given.choice("value", ["row", "field", "hex", "json", "avro"], "row");
  const key = parseKey(given);
  const headerColumns = given.all("header-column").map(parseHeader);
  const named = value === "json" || value === "avro";
  if (named && !given.has("columns")) {
    const example = value === "json" ? "id,amount:number" : "id,amount";
    throw new Failure(
      "usage",
      `--value ${value} requires --columns: the names of a row's fields, such as ${example}`,
    );
  }
  if (!named && given.has("columns")) {
    throw new Failure("usage", "--columns requires --value json or avro");
  }
  for (const flag of ["registry", "schema"]) {
    if (given.has(flag) && value !== "avro") {
      throw new Failure("usage", `--${flag} requires --value avro`);
    }
  }
  const columns = named ? parseColumns(given.get("columns")!) : [];
  const typed = value === "avro" ? columns.find(({ type }) => type !== "text") : undefined;
  if (typed) {
    throw new Failure(
      "usage",
      `--columns: "${typed.name}:${typed.type}": with --value avro the schema has the types`,
    );
  }
  const tombstones = given.has("tombstone");
  const options = { key, headerColumns, tombstones, value, columns, schema: null };
  checkTombstones(options);
  checkNumbers(options);
  return options;
}

/** An empty value needs a key of its own to be null. */
function checkTombstones({ tombstones, key }: RecordOptions): void {
  if (!tombstones) return;
  if (key === null) throw new Failure("usage", "--tombstone requires --key-column or --key-delim");
  if ("column" in key && !key.cut) {
    throw new Failure(
      "usage",
      "--tombstone requires --key-cut: with the key in it no value is empty",
    );
  }
}

/** Key and headers must be fields that a row has, with one left for the value. */
function checkNumbers(options: RecordOptions): void {
  const { key, headerColumns, value, columns } = options;
  if (value === "row") return;
  const count = columns.length > 0 ? columns.length : cutColumns(options).size + 1;
  const has = columns.length > 0
    ? `--columns has ${columns.length}`
    : `with --value ${value} a row has ${count}: one for the value, the others for key and headers`;
  if (key !== null && "column" in key && key.column > count) {
    throw new Failure("usage", `--key-column: field ${key.column} does not exist, ${has}`);
  }
  const header = headerColumns.find(({ column }) => column > count);
  if (header) {
    throw new Failure("usage", `--header-column: field ${header.column} does not exist, ${has}`);
  }
}

function parseKey(given: Given): ProduceOptions["key"] {
  given.excludes("key-delim", ["key-column", "key-cut", "header-column", "value"]);
  if (given.has("key-column")) {
    const column = parseCount("--key-column", given.get("key-column")!, 1);
    return { column: within("--key-column", column), cut: given.has("key-cut") };
  }
  if (given.has("key-cut")) throw new Failure("usage", "--key-cut requires --key-column");
  const text = given.get("key-delim");
  if (text === undefined) return null;
  const char = text === "\\t" ? "\t" : text;
  const code = char.charCodeAt(0);
  if (char.length !== 1 || code === 0 || code > 127 || char === "\n") {
    throw new Failure("usage", `--key-delim: "${text}" is not one ASCII character, or \\t`);
  }
  return { delimiter: code };
}

/** The most fields that a row can be looked at for. */
const MOST_COLUMNS = 10_000;

function within(flag: string, column: number): number {
  if (column <= MOST_COLUMNS) return column;
  throw new Failure("usage", `${flag}: ${column} is more than ${MOST_COLUMNS}`);
}

/** `NAME=N`; the name may have `=` in it. */
function parseHeader(text: string): { name: string; column: number } {
  const [, name, number] = /^(.+)=(\d{1,9})$/s.exec(text) ?? [];
  if (name === undefined || Number(number) === 0) {
    throw new Failure(
      "usage",
      `--header-column: "${text}" is not NAME=N such as trace=3; the first field is 1`,
    );
  }
  return { name, column: within("--header-column", Number(number)) };
}

/** `id,amount:number,"a,b":text`: a name between quotes may hold anything, a quote twice. */
function parseColumns(list: string): ProduceOptions["columns"] {
  const columns: { name: string; type: ColumnType }[] = [];
  const column = /\s*(?:"((?:[^"]|"")*)"|([^",:]*))\s*(?::\s*([^",:]*?)\s*)?(,|$)/gy;
  for (let more = true; more;) {
    const from = column.lastIndex;
    const found = column.exec(list);
    if (found === null) {
      throw new Failure(
        "usage",
        `--columns: "${list.slice(from)}" does not begin with NAME or NAME:TYPE — ` +
          "put a name with a comma, colon or quote in it between double quotes",
      );
    }
    const [, quoted, plain, type = "text", comma] = found;
    const name = quoted?.replaceAll('""', '"') ?? plain.trim();
    if (name === "") throw new Failure("usage", `--columns: name ${columns.length + 1} is empty`);
    if (columns.some((column) => column.name === name)) {
      throw new Failure("usage", `--columns: "${name}" is given twice`);
    }
    if (!isColumnType(type)) {
      const otherwise = ` — it is one of ${columnTypes.join(", ")}`;
      const hint = suggestion(type, columnTypes, otherwise);
      throw new Failure("usage", `--columns: "${name}" has the unknown type "${type}"${hint}`);
    }
    columns.push({ name, type });
    more = comma === ",";
  }
  if (columns.length > MOST_COLUMNS) {
    throw new Failure("usage", `--columns: more than ${MOST_COLUMNS} names`);
  }
  return columns;
}

function isColumnType(text: string): text is ColumnType {
  return columnTypes.some((type) => type === text);
}
