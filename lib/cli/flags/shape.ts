import { Failure } from "../../failure.ts";
import { quoteIdent } from "../../greenplum/quote.ts";
import type { Column } from "../../greenplum/source.ts";
import {
  type Field,
  OFFSET,
  PARTITION,
  plainField,
  type Shape,
  TOMBSTONE,
} from "../../greenplum/shape.ts";
import type { Flag, Given } from "../flags.ts";
import { type ListedField, parseFields, splitList } from "./field_list.ts";

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

/** What the reader prints and the database makes of it. */
export interface Mapping {
  /** In the order of the CSV fields. */
  columns: readonly Column[];
  shape: Shape | null;
  /** Flags of the consumer. */
  readerFlags: string[];
}

const builtIn: Record<string, string> = {
  partition: "integer",
  offset: "bigint",
  timestamp: "timestamp with time zone",
  tombstone: "boolean",
  schema: "integer",
};

/** Formats whose fields have paths. */
const structured = ["json", "avro", "protobuf"];

/** Whether a flag asks for more than to insert the reader's columns as they come. */
export function isShaped(given: Given): boolean {
  return shapeFlags.some(({ name }) => given.has(name)) || given.get("tombstones") === "delete" ||
    structured.includes(given.get("value") ?? "");
}

/**
 * What the flags say of a record. `target` are the table's columns, null if they are not known;
 * `named` those of `--column`. `rejects`: the database finds the values that do not fit. Throws
 * Failure (usage).
 */
export function mappingOf(
  given: Given,
  target: readonly Column[] | null,
  named: readonly Column[] | null,
  rejects: boolean,
): Mapping {
  checkFlags(given);
  const value = given.get("value") ?? "row";
  const envelope = given.has("envelope");
  const given_ = listed(given, target, named);
  const wanted = [...given_.columns, ...given_.keys, ...given_.fields];
  const twice = wanted.find(({ name }, i) => wanted.findIndex((one) => one.name === name) !== i);
  if (twice) throw new Failure("usage", `--fields: "${twice.name}" is given twice`);
  const reserved = wanted.find(({ name }) => name.startsWith("kafka$"));
  if (reserved) {
    throw new Failure(
      "usage",
      `--fields: "${reserved.name}" — names that begin with kafka$ are taken`,
    );
  }
  const typed = (field: ListedField): Column => ({
    name: field.name,
    type: field.type || target?.find(({ name }) => name === field.name)?.type || "text",
  });
  const selects = given.all("select").map(parseSelect);
  const merge = given.has("merge")
    ? given.get("merge")!.split(",").map((name) => name.trim())
    : null;
  check(given, wanted.map(({ name }) => name), selects, merge, target);

  const deletes = given.get("tombstones") === "delete";
  const plain = !envelope && !deletes && !rejects && merge === null && selects.length === 0 &&
    !given.has("where") && !given.has("delete-when") &&
    wanted.every(({ name, type }) =>
      type === "" && (target === null || target.some((column) => column.name === name))
    );
  const system: Column[] = plain ? [] : [
    { name: PARTITION, type: "integer" },
    { name: OFFSET, type: "bigint" },
    ...(deletes ? [{ name: TOMBSTONE, type: "boolean" }] : []),
  ];
  const columns = given_.columns.map(typed);
  const keys = given_.keys.map(typed);
  const read = envelope ? debezium(given_.fields, typed, merge ?? [], value) : {
    columns: given_.fields.map(typed),
    fields: given_.fields.map(typed).map(plainField),
    paths: null,
  };
  const items = [
    ...system.map(({ name }) => name.slice("kafka$".length)),
    ...given_.columns.map(({ path }) => path),
  ];
  const paths = read.paths ?? given_.fields.map(({ path }) => path);
  const readerFlags = [
    ...(items.length > 0 ? ["--columns", items.join(",")] : []),
    ...(keys.length > 0 ? ["--key-fields", given_.keys.map(({ path }) => path).join(", ")] : []),
    ...(structured.includes(value) ? ["--fields", paths.join(", ")] : []),
    ...tombstones(given, value),
  ];
  const readerColumns = [...system, ...columns, ...keys, ...read.columns];
  if (plain) return { columns: readerColumns, shape: null, readerFlags };
  const conditions = [
    ...(envelope ? [`"kafka$op" IS DISTINCT FROM 'm'`] : []),
    ...(given.has("where") ? [given.get("where")!] : []),
  ];
  const deleting = [
    ...(envelope ? [`"kafka$op" = 'd'`] : []),
    ...(given.has("delete-when") ? [given.get("delete-when")!] : []),
  ];
  return {
    columns: readerColumns,
    readerFlags,
    shape: {
      readerColumns,
      fields: [...[...columns, ...keys].map(plainField), ...read.fields],
      selects,
      where: all(conditions, "AND"),
      merge,
      mergeOrder: given.get("merge-order") ?? null,
      deleteWhen: all(deleting, "OR"),
    },
  };
}

/** One condition of several. Each stands on lines of its own, so that a comment in it ends there. */
function all(conditions: readonly string[], word: "AND" | "OR"): string | null {
  if (conditions.length < 2) return conditions[0] ?? null;
  return conditions.map((condition) => `(${condition}\n)`).join(` ${word} `);
}

/** Throws Failure (usage) if flags are given that mean nothing together. */
function checkFlags(given: Given): void {
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

/** The fields that are read, with their names, by where they come from. */
function listed(
  given: Given,
  target: readonly Column[] | null,
  named: readonly Column[] | null,
): { columns: ListedField[]; keys: ListedField[]; fields: ListedField[] } {
  const value = given.get("value") ?? "row";
  const columns = given.has("columns") && given.get("columns") !== ""
    ? splitList(given.get("columns")!).map(parseColumnItem)
    : [];
  const keys = given.has("key-fields") ? parseFields("--key-fields", given.get("key-fields")!) : [];
  if (given.has("fields")) {
    const fields = parseFields("--fields", given.get("fields")!);
    const mapped = structured.includes(value) ? undefined : fields.find((field) => field.mapped);
    if (mapped) {
      throw new Failure(
        "usage",
        `--fields: "${mapped.name}=${mapped.path}" — a value read with --value ${value} has no paths: name its fields in their order`,
      );
    }
    return { columns, keys, fields };
  }
  const known = named ?? target;
  if (known === null) {
    throw new Failure(
      "usage",
      "the fields must be known: use --fields, or --dsn for the table's columns",
    );
  }
  const whole = known.map(({ name, type }): ListedField => ({
    name,
    type: named === null ? "" : type,
    path: quotedStep(name),
    mapped: false,
  }));
  if (structured.includes(value)) {
    const rest = whole.filter(({ name }) =>
      ![...columns, ...keys].some((one) => one.name === name)
    );
    return { columns, keys, fields: rest };
  }
  // As without any of these flags: the table's first columns are those of --columns.
  const fronts = columns.map((column, i) => ({ ...whole[i] ?? column, path: column.path }));
  return { columns: fronts, keys, fields: whole.slice(columns.length) };
}

/** A column's name as one step of a path. */
function quotedStep(name: string): string {
  return /^[\w-]+$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** `timestamp`, `at=timestamp`, `header:trace`. */
function parseColumnItem(item: string): ListedField {
  const equals = item.indexOf("=");
  const path = (equals === -1 ? item : item.slice(equals + 1)).trim();
  const name = equals === -1
    ? path.replace(/^header:/, "").replace(/^key:.*$/, "key")
    : item.slice(0, equals).trim();
  if (name === "" || path === "") {
    throw new Failure("usage", `--columns: "${item}" is neither a column nor NAME=COLUMN`);
  }
  return { name, type: builtIn[path] ?? "", path, mapped: equals !== -1 };
}

function parseSelect(text: string): { column: string; expression: string } {
  const match = /^\s*("(?:[^"]|"")+"|[^\s="]+)\s*=(?!=)\s*(\S[^]*)$/.exec(text);
  if (!match) throw new Failure("usage", `--select: "${text}" is not COLUMN=EXPRESSION`);
  const [, name, expression] = match;
  return {
    column: name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name,
    expression,
  };
}

/** What names can be wrong is found here, before the database is asked. */
function check(
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

/** What the reader does with tombstones. */
function tombstones(given: Given, value: string): string[] {
  const how = given.get("tombstones");
  if (how === undefined) return [];
  if (how === "delete") return ["--tombstones", structured.includes(value) ? "row" : "empty"];
  return ["--tombstones", how];
}

/**
 * The fields of a change event. JSON may have the whole event in `payload`, beside its schema; so
 * each field is read at both places, and a key also of the row before a delete.
 */
function debezium(
  fields: readonly ListedField[],
  typed: (field: ListedField) => Column,
  keys: readonly string[],
  value: string,
): { columns: Column[]; fields: Field[]; paths: string[] } {
  const roots = value === "json" ? ["", "payload."] : [""];
  const columns: Column[] = [];
  const paths: string[] = [];
  const origin = (name: string, type: string, places: readonly string[]) => {
    const names = places.map((place, i) => {
      const column = i === 0 ? name : `kafka$${name}$${i}`;
      columns.push({ name: column, type });
      paths.push(place);
      return quoteIdent(column);
    });
    return names.length === 1 ? names[0] : `coalesce(${names.join(", ")})`;
  };
  const made = fields.map((field): Field => {
    const { name, type } = typed(field);
    const sides = keys.includes(name) ? ["after.", "before."] : ["after."];
    const places = sides.flatMap((side) => roots.map((root) => `${root}${side}${field.path}`));
    return { name, type, origin: origin(name, type, places) };
  });
  const op = { name: "kafka$op", type: "text" };
  made.push({ ...op, origin: origin(op.name, op.type, roots.map((root) => `${root}op`)) });
  return { columns, fields: made, paths };
}
