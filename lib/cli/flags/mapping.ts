import { Failure } from "../../failure.ts";
import type { Column } from "../../greenplum/source.ts";
import {
  OFFSET,
  PARTITION,
  plainField,
  type Shape,
  TOMBSTONE,
  TOPIC,
} from "../../greenplum/shape.ts";
import { parsePaths } from "../../records/paths.ts";
import type { Given } from "../flags.ts";
import { debezium } from "./debezium.ts";
import { type ListedField, parseFields, quotedStep, splitList } from "./field_list.ts";
import { checkNames, checkShapeFlags, parseSelect, structured } from "./shape.ts";

/** What the reader prints and the database makes of it. */
export interface Mapping {
  /** In the order of the CSV fields. */
  columns: readonly Column[];
  shape: Shape | null;
  /** Flags of the consumer. */
  readerFlags: string[];
}

/** Types of `--columns` that the table does not have. */
const builtIn = new Map([
  ["partition", "integer"],
  ["offset", "bigint"],
  ["timestamp", "timestamp with time zone"],
  ["tombstone", "boolean"],
  ["schema", "integer"],
]);

/**
 * What the flags say of a record. `target` are the table's columns, null if they are not known;
 * `named` those of `--column`. `rejects`: the database finds the values that do not fit.
 * `severalTopics`: of which topic a record is matters, too. Throws Failure (usage).
 */
export function mappingOf(
  given: Given,
  target: readonly Column[] | null,
  named: readonly Column[] | null,
  rejects: boolean,
  severalTopics: boolean,
): Mapping {
  checkShapeFlags(given);
  const value = given.get("value") ?? "row";
  const envelope = given.has("envelope");
  const read = listed(given, target, named);
  const wanted = [...read.columns, ...read.keys, ...read.fields];
  const twice = wanted.find(({ name }, i) => wanted.findIndex((one) => one.name === name) !== i);
  if (twice) throw new Failure("usage", `--fields: "${twice.name}" is given twice`);
  const reserved = wanted.find(({ name }) => name.startsWith("kafka$"));
  if (reserved) {
    throw new Failure(
      "usage",
      `--fields: "${reserved.name}" — names that begin with kafka$ are taken`,
    );
  }
  const typed = (field: ListedField): Column => typedField(field, target);
  const selects = given.all("select").map(parseSelect);
  const merge = given.has("merge")
    ? given.get("merge")!.split(",").map((name) => name.trim())
    : null;
  if (severalTopics) checkTopicOrder(given, read.columns, merge);
  checkNames(given, wanted.map(({ name }) => name), selects, merge, target);

  if (value === "rows" && (merge !== null || rejects)) {
    const flag = merge === null ? "--reject-limit" : "--merge";
    throw new Failure(
      "usage",
      `${flag}: a record of --value rows may be several rows, of which none is the last — produce a record for each row`,
    );
  }
  const deletes = given.get("tombstones") === "delete";
  const plain = !envelope && !deletes && !rejects && merge === null && selects.length === 0 &&
    !given.has("where") && !given.has("delete-when") &&
    wanted.every(({ name, type }) =>
      type === "" && (target === null || target.some((column) => column.name === name))
    );
  const system: Column[] = plain ? [] : [
    { name: PARTITION, type: "integer" },
    { name: OFFSET, type: "bigint" },
    ...(severalTopics ? [{ name: TOPIC, type: "text" }] : []),
    ...(deletes ? [{ name: TOMBSTONE, type: "boolean" }] : []),
  ];
  const columns = read.columns.map(typed);
  const keys = read.keys.map(typed);
  const values = envelope ? debezium(read.fields, typed, merge ?? [], value) : {
    columns: read.fields.map(typed),
    fields: read.fields.map(typed).map(plainField),
    paths: read.fields.map(({ path }) => path),
  };
  const items = [
    ...system.map(({ name }) => name.slice("kafka$".length)),
    ...read.columns.map(({ path }) => path),
  ];
  if (structured.includes(value)) parsePaths("--fields", values.paths.join(", "));
  if (keys.length > 0) parsePaths("--key-fields", read.keys.map(({ path }) => path).join(", "));
  const readerFlags = [
    ...(items.length > 0 ? ["--columns", items.join(",")] : []),
    ...(keys.length > 0 ? ["--key-fields", read.keys.map(({ path }) => path).join(", ")] : []),
    ...(structured.includes(value) ? ["--fields", values.paths.join(", ")] : []),
    ...tombstones(given, value),
  ];
  const readerColumns = [...system, ...columns, ...keys, ...values.columns];
  if (plain) return { columns: readerColumns, shape: null, readerFlags };
  checkOrder(given, envelope || deletes, read.fields.map(({ name }) => name));
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
      fields: [...[...columns, ...keys].map(plainField), ...values.fields],
      selects,
      where: all(conditions, "AND"),
      merge,
      mergeOrder: given.get("merge-order") ?? null,
      deleteWhen: all(deleting, "OR"),
    },
  };
}

/** A delete without a value has no field of the value: by such an order it would come first. */
function checkOrder(given: Given, deletesLackValues: boolean, ofValue: readonly string[]): void {
  const order = given.get("merge-order");
  if (order === undefined || !deletesLackValues || !ofValue.includes(order)) return;
  const flag = given.has("envelope") ? "--envelope" : "--tombstones delete";
  throw new Failure(
    "usage",
    `--merge-order: "${order}" is a field of the value, which deletes of ${flag} do not have — ` +
      "use a field of --columns or --key-fields, or leave --merge-order out",
  );
}

/** Offsets of two topics say nothing of each other: which record of a key is the last one? */
function checkTopicOrder(
  given: Given,
  columns: readonly ListedField[],
  merge: readonly string[] | null,
): void {
  if (merge === null || given.has("merge-order")) return;
  if (columns.some(({ name, path }) => path === "topic" && merge.includes(name))) return;
  throw new Failure(
    "usage",
    "--merge: offsets of several topics have no order — use --merge-order FIELD (with --columns " +
      "'at=timestamp' it can be at), or make the topic a part of the key (--columns topic)",
  );
}

/** With its type: the one given, else the table's, else what is read of a record is a text. */
function typedField(field: ListedField, target: readonly Column[] | null): Column {
  const { name } = field;
  const type = field.type || target?.find((column) => column.name === name)?.type || field.usual;
  if (type === undefined && target === null) {
    throw new Failure("usage", `--fields: "${name}" has no type — use ${name}:TYPE, or --dsn`);
  }
  return { name, type: type ?? "text" };
}

/** One condition of several. Each stands on lines of its own, so that a comment in it ends there. */
function all(conditions: readonly string[], word: "AND" | "OR"): string | null {
  if (conditions.length < 2) return conditions[0] ?? null;
  return conditions.map((condition) => `(${condition}\n)`).join(` ${word} `);
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
    if (fields.length > 1 && (value === "field" || value === "hex")) {
      throw new Failure(
        "usage",
        `--fields: --value ${value} makes one field, not ${fields.length}`,
      );
    }
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
  return { name, type: "", usual: builtIn.get(path) ?? "text", path, mapped: equals !== -1 };
}

/** What the reader does with tombstones. */
function tombstones(given: Given, value: string): string[] {
  const how = given.get("tombstones");
  if (how === undefined) return [];
  if (how === "delete") return ["--tombstones", structured.includes(value) ? "row" : "empty"];
  return ["--tombstones", how];
}
