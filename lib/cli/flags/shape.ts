import { Failure } from "../../failure.ts";
import type { Column } from "../../greenplum/source.ts";
import type { Flag, Given } from "../flags.ts";
import { splitList } from "./field_list.ts";

/** Flags of `gpdb-kafka sql source` that say how a record becomes a row of the target. */
export const shapeFlags: readonly Flag[] = [
  {
    name: "fields",
    value: "LIST",
    help:
      "the fields of a record: NAME=PATH, PATH or NAME:TYPE=PATH; of CSV rows their names in order (the table's columns)",
  },
  { name: "key-fields", value: "LIST", help: "the same of the record's key; they come first" },
  {
    name: "select",
    value: "COLUMN=SQL",
    many: true,
    help: "a column of the table is this expression over the fields; repeatable",
  },
  { name: "where", value: "SQL", help: "leave out rows for which this is not true" },
  {
    name: "merge",
    value: "COLUMN,…",
    help: "one row for each key: the last record of a key replaces the table's row",
  },
  {
    name: "merge-order",
    value: "FIELD",
    help: "of several records of a key in one load, the one with the largest FIELD is the last",
  },
  { name: "delete-when", value: "SQL", help: "rows for which this is true delete their key" },
  {
    name: "envelope",
    value: "NAME",
    help: "debezium: the fields are those of after (of a delete: before), and op deletes",
  },
];

/** Formats whose fields have paths. */
export const structured = ["json", "avro", "protobuf"];

/** Whether a flag asks for more than to insert the reader's columns as they come. */
export function isShaped(given: Given): boolean {
  return shapeFlags.some(({ name }) => given.has(name)) || given.get("tombstones") === "delete" ||
    structured.includes(given.get("value") ?? "");
}

/** Throws Failure (usage) if flags are given that mean nothing together. */
export function checkShapeFlags(given: Given): void {
  const value = given.get("value") ?? "row";
  const requires = (flag: string, other: string) => {
    if (given.has(flag) && !given.has(other)) {
      throw new Failure("usage", `--${flag}: use --${other} too`);
    }
  };
  requires("merge-order", "merge");
  requires("delete-when", "merge");
  requires("envelope", "merge");
  requires("key-fields", "key");
  if (given.has("fields") && given.has("column")) {
    throw new Failure("usage", "--fields and --column both name the fields — use --fields");
  }
  if (given.has("envelope")) {
    given.choice("envelope", ["debezium"], "debezium");
    if (value !== "json" && value !== "avro") {
      throw new Failure("usage", "--envelope debezium: use --value json or --value avro");
    }
  }
  if (given.get("tombstones") !== "delete") return;
  requires("tombstones", "merge");
  if (!structured.includes(value)) {
    throw new Failure(
      "usage",
      `--tombstones delete: a tombstone of --value ${value} has no fields to find its key by — ` +
        "use --value json, avro or protobuf, with --key-fields or --columns key",
    );
  }
  if (
    !given.has("key-fields") &&
    !splitList(given.get("columns") ?? "").some((item) => /(^|=)\s*key\b/.test(item))
  ) {
    throw new Failure(
      "usage",
      "--tombstones delete: nothing is read of the record's key, which is all that a tombstone has — use --key-fields, or --columns key",
    );
  }
}

export function parseSelect(text: string): { column: string; expression: string } {
  const match = /^\s*("(?:[^"]|"")+"|[^\s="]+)\s*=(?!=)\s*(\S[^]*)$/.exec(text);
  if (!match) throw new Failure("usage", `--select: "${text}" is not COLUMN=EXPRESSION`);
  const [, name, expression] = match;
  return {
    column: name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name,
    expression,
  };
}

/** What names can be wrong is found here, before the database is asked. */
export function checkNames(
  given: Given,
  fields: readonly string[],
  selects: readonly { column: string }[],
  merge: readonly string[] | null,
  target: readonly Column[] | null,
): void {
  const known = [...fields, ...selects.map(({ column }) => column)];
  const wrong = merge?.find((name) => !known.includes(name));
  const list = `the fields are ${fields.join(", ")}`;
  if (wrong !== undefined) {
    throw new Failure(
      "usage",
      `--merge: "${wrong}" is not one of the fields, and no --select computes it — ${list}`,
    );
  }
  const order = given.get("merge-order");
  if (order !== undefined && !fields.includes(order)) {
    throw new Failure("usage", `--merge-order: "${order}" is not one of the fields — ${list}`);
  }
  if (target === null) return;
  const has = (name: string) => target.some((column) => column.name === name);
  const columns = `its columns are ${target.map(({ name }) => name).join(", ")}`;
  const select = selects.find(({ column }) => !has(column));
  if (select) {
    throw new Failure("usage", `--select: the table has no column "${select.column}" — ${columns}`);
  }
  const key = merge?.find((name) => !has(name));
  if (key !== undefined) {
    throw new Failure("usage", `--merge: the table has no column "${key}" — ${columns}`);
  }
  if (!known.some(has)) {
    throw new Failure(
      "usage",
      `--fields: no field has the name of a column of the table — ${columns}`,
    );
  }
}
