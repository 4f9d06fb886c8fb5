import { Failure } from "../failure.ts";
import type { AvroType, Logical, RecordType } from "../records/avro_types.ts";
import { suggestion } from "../text.ts";
import type { Item, Items } from "./items.ts";
import type { ProduceOptions } from "./options.ts";

/** Types of items in the kernel (avro_text.as.ts). */
const Kind = {
  boolean: 16,
  int: 17,
  long: 18,
  float: 19,
  double: 20,
  string: 21,
  bytes: 22,
  decimal: 23,
  date: 24,
  timestampMillis: 25,
  timestampMicros: 26,
  localMillis: 27,
  localMicros: 28,
  timeMillis: 29,
  timeMicros: 30,
  enum: 31,
  fixed: 32,
} as const;

const logicals: Partial<Record<Logical, number>> = {
  "date": Kind.date,
  "time-millis": Kind.timeMillis,
  "time-micros": Kind.timeMicros,
  "timestamp-millis": Kind.timestampMillis,
  "timestamp-micros": Kind.timestampMicros,
  "local-timestamp-millis": Kind.localMillis,
  "local-timestamp-micros": Kind.localMicros,
  "uuid": Kind.string,
};

/** Room for a decimal: its number, and its bytes (avro_text.as.ts). */
const DECIMAL_ROOM = 1024;
/** The kernel has 16 bits for it, and never makes more digits than 1,000. */
const MOST_PRECISION = 0xffff;

/**
 * A record of this schema, made of the columns that have the names of its fields: `kept` are those
 * that are part of the value, by their numbers from 0. `id`: what the frame before it names; null for
 * none. Throws Failure (usage) if a field cannot be written, or a column has no field.
 */
export function avroItems(
  record: RecordType,
  id: number | null,
  columns: ProduceOptions["columns"],
  kept: readonly number[],
): Items {
  const names = record.fields.map(({ name }) => name);
  const stranger = kept.find((column) => !names.includes(columns[column].name));
  if (stranger !== undefined) {
    const { name } = columns[stranger];
    throw new Failure(
      "usage",
      `--columns: the schema has no field "${name}"${
        suggestion(name, names, ` — it has ${names.join(", ")}`)
      }`,
    );
  }
  const lead = id === null ? [] : [0, id >>> 24, id >>> 16 & 255, id >>> 8 & 255, id & 255];
  const items: Item[] = [];
  let text: number[] = [];
  for (const { name, type } of record.fields) {
    const column = kept.find((column) => columns[column].name === name);
    const item = itemOf(type, name);
    if (column !== undefined) {
      items.push({ ...item, column, text: Uint8Array.from(text) });
      text = [];
    } else if (item.nullable === 0) {
      throw new Failure("usage", `--columns: the schema's field "${name}" is not among them`);
    } else text.push(item.nullable === 1 ? 0 : 2);
  }
  return { lead: Uint8Array.from(lead), items, trail: Uint8Array.from(text) };
}

type Written = Omit<Item, "column" | "text"> & { nullable: number };

function itemOf(type: AvroType, name: string): Written {
  if (type.type === "union") {
    const index = type.branches.findIndex((branch) => branch.type === "null");
    if (type.branches.length !== 2 || index === -1) {
      throw unwritable(name, "a union that is not of null and one type");
    }
    const branch = itemOf(type.branches[1 - index], name);
    return { ...branch, nullable: index + 1 };
  }
  const plain = (kind: number, more: Partial<Written> = {}) => ({
    type: kind,
    nullable: 0,
    ...more,
  });
  if (type.type === "enum") return plain(Kind.enum, { symbols: type.symbols });
  if (type.type === "fixed") {
    if (type.logical) throw unwritable(name, `a fixed that is a ${type.logical}`);
    return plain(Kind.fixed, { argument: type.size });
  }
  if (type.type === "record" || type.type === "array" || type.type === "map") {
    throw unwritable(name, `of type ${type.type}`);
  }
  if (type.type === "null") throw unwritable(name, "of type null");
  if ("logical" in type && type.logical !== undefined) {
    if (type.logical === "decimal") {
      const { scale = 0, precision = MOST_PRECISION } = type;
      const argument = scale | Math.min(precision, MOST_PRECISION) << 16;
      return plain(Kind.decimal, { argument: argument >>> 0, room: DECIMAL_ROOM });
    }
    const kind = logicals[type.logical];
    if (kind === undefined) throw unwritable(name, `a ${type.logical}`);
    return plain(kind);
  }
  return plain(Kind[type.type]);
}

function unwritable(name: string, what: string): Failure {
  return new Failure(
    "usage",
    `--schema: the field "${name}" is ${what}, which a CSV field cannot be`,
  );
}
