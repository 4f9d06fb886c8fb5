import {
  type BadRecordAction,
  type ColumnName,
  type ConsumeOptions,
  isStructured,
  structuredForms,
} from "../../consume/options.ts";
import { Failure } from "../../failure.ts";
import { parsePaths } from "../../records/paths.ts";
import type { Flag, Given } from "../flags.ts";
import { checkTopic } from "../values.ts";
import { csvOption } from "./csv.ts";
import { registryFlags, schemaFile } from "./registry.ts";

/** The flags that say what the consumer's rows are made of. */
export const rowFlags: readonly Flag[] = [
  {
    name: "bad-record",
    value: "HOW",
    help: "if a record is not a valid row: fail, skip, pass or dead-letter=TOPIC (fail)",
  },
  {
    name: "value",
    value: "FORM",
    help:
      "row: write the value as it is; rows: the rows it holds; field: it as a quoted CSV field; " +
      "hex: it as \\x and digits; json, avro, protobuf: its --fields (row)",
  },
  {
    name: "csv",
    value: "KEY=C,…",
    help: "rewrite rows of another CSV: delimiter=;,quote=',escape=\\,null=\\N,encoding=latin1 " +
      "(what differs)",
  },
  {
    name: "fields",
    value: "PATHS",
    help: "the fields of a json, avro or protobuf value, such as id,customer.name,items[0].sku; " +
      "a lone dot is the whole value",
  },
  { name: "key", value: "FORM", help: "what keys are: json, avro or protobuf, with --key-fields" },
  { name: "key-fields", value: "PATHS", help: "fields of the key, before those of the value" },
  ...registryFlags,
  {
    name: "columns",
    value: "LIST",
    mayBeEmpty: true,
    help:
      "fields before the value: topic, partition, offset, timestamp, key, key:hex, header:NAME, " +
      "headers (as JSON), tombstone (t or f), schema (the registry's id)",
  },
  {
    name: "tombstones",
    value: "HOW",
    help: "null values: skip; empty, row: write a row, its fields of the value empty (skip)",
  },
];

type RowOptions = Pick<
  ConsumeOptions,
  | "badRecord"
  | "value"
  | "csv"
  | "fields"
  | "key"
  | "keyFields"
  | "registry"
  | "schema"
  | "columns"
  | "tombstones"
>;

/** What these flags say; the registry is to be added. Throws Failure (usage) naming the wrong flag. */
export function rowOptions(given: Given): RowOptions {
  return {
    badRecord: parseBadRecord(given),
    ...structured(given),
    registry: null,
    schema: schemaFile(given),
    columns: parseColumns(given.get("columns") ?? ""),
    tombstones: given.choice("tombstones", ["skip", "empty", "row"], "skip"),
  };
}

function parseBadRecord(given: Given): BadRecordAction {
  const [, deadLetter] = /^dead-letter=(.*)$/.exec(given.get("bad-record") ?? "") ?? [];
  if (deadLetter === undefined) {
    return given.choice<"fail" | "skip" | "pass">("bad-record", ["fail", "skip", "pass"], "fail");
  }
  return { deadLetter: checkTopic("--bad-record dead-letter", deadLetter) };
}

const columnNames = [
  ...["topic", "partition", "offset", "timestamp", "key", "key:hex"] as const,
  ...["headers", "tombstone", "schema"] as const,
];

function parseColumns(text: string): ColumnName[] {
  return text.split(",").map((part) => part.trim()).filter((part) => part !== "").map((name) => {
    const [, header] = /^header:(.+)$/.exec(name) ?? [];
    if (header !== undefined) return { header };
    const known = columnNames.find((column) => column === name);
    if (known !== undefined) return known;
    throw new Failure(
      "usage",
      `--columns: "${name}" is not one of ${columnNames.join(", ")}, header:NAME`,
    );
  });
}

/** What keys and values are, and their fields. */
function structured(
  given: Given,
): Pick<ConsumeOptions, "value" | "csv" | "fields" | "key" | "keyFields"> {
  const value = given.choice("value", ["row", "rows", "field", "hex", ...structuredForms], "row");
  const csv = csvOption(given, value);
  const hasFields = isStructured(value);
  const key = given.has("key") ? given.choice("key", structuredForms, "json") : null;
  const [one, other] = ["--fields", "--value json, avro or protobuf"];
  if (given.has("fields") !== hasFields) {
    throw new Failure(
      "usage",
      hasFields ? `--value ${value} requires ${one} PATHS` : `${one} requires ${other}`,
    );
  }
  if (given.has("key-fields") !== (key !== null)) {
    throw new Failure(
      "usage",
      key !== null
        ? `--key ${key} requires --key-fields PATHS`
        : "--key-fields requires --key json, avro or protobuf",
    );
  }
  if ((hasFields || key !== null) && given.get("bad-record") === "pass") {
    const form = hasFields ? `--value ${value}` : `--key ${key}`;
    throw new Failure(
      "usage",
      `--bad-record pass: with ${form} a bad record has no fields — use skip or dead-letter=TOPIC`,
    );
  }
  checkSchemaFlags(given, value, key);
  return {
    value,
    csv,
    fields: hasFields ? parsePaths(one, given.get("fields")!) : [],
    key,
    keyFields: key !== null ? parsePaths("--key-fields", given.get("key-fields")!) : [],
  };
}

/** Flags about schemas where nothing has one. */
function checkSchemaFlags(given: Given, value: string, key: string | null): void {
  const hasSchema = (form: string | null) => form === "avro" || form === "protobuf";
  if (given.has("schema") && !hasSchema(value)) {
    throw new Failure("usage", "--schema requires --value avro or protobuf");
  }
  if (given.has("registry") && !hasSchema(key) && (!hasSchema(value) || given.has("schema"))) {
    throw new Failure(
      "usage",
      given.has("schema")
        ? "--registry and --schema exclude each other, unless --key is avro or protobuf"
        : "--registry requires --value or --key avro or protobuf",
    );
  }
}
