/** What an Avro schema says of its values, for the columns of a table. */
import { nullable } from "./avro_kinds.ts";
import type { AvroType, Fixed, Logical, Primitive, RecordType } from "./avro_types.ts";
import { atFirst, type Described } from "./described.ts";

const logical: Record<Exclude<Logical, "decimal">, string> = {
  "date": "date",
  "time-millis": "time",
  "time-micros": "time",
  "timestamp-millis": "timestamptz",
  "timestamp-micros": "timestamptz",
  "timestamp-nanos": "timestamptz",
  "local-timestamp-millis": "timestamp",
  "local-timestamp-micros": "timestamp",
  "local-timestamp-nanos": "timestamp",
  "uuid": "uuid",
  "duration": "interval",
  "big-decimal": "numeric",
};

const plain: Record<Primitive["type"] | "fixed", string> = {
  null: "text",
  boolean: "boolean",
  int: "integer",
  long: "bigint",
  float: "real",
  double: "double precision",
  bytes: "bytea",
  string: "text",
  fixed: "bytea",
};

/** PostgreSQL's largest precision of numeric(P,S). */
const MOST_PRECISION = 1000;
/** Symbols of an enum that a comment lists. */
const SYMBOLS_SHOWN = 20;

/** Describes values of this type; `around` are the records that it is in. */
export function describeAvro(type: AvroType, around: readonly RecordType[] = []): Described {
  const option = nullable(type);
  if (option) return { ...describeAvro(option.branch, around), nullable: true };
  switch (type.type) {
    case "record":
      return {
        ...json(type.doc ?? `Avro record ${type.name}`),
        // One that holds itself has no end.
        ...(around.includes(type)
          ? {}
          : { fields: atFirst(() => members(type, [...around, type])) }),
      };
    case "array":
    case "map":
      return json(`Avro ${type.type}`);
    case "union":
      return {
        ...json("Avro union"),
        nullable: type.branches.some((branch) => branch.type === "null"),
      };
    case "enum": {
      const some = type.symbols.slice(0, SYMBOLS_SHOWN).join(", ");
      const more = type.symbols.length > SYMBOLS_SHOWN ? ", …" : "";
      return { type: "text", nullable: false, comment: `Avro enum: ${some}${more}` };
    }
  }
  return {
    type: columnType(type),
    nullable: type.type === "null",
    comment: `Avro ${type.logical ?? type.type}`,
  };
}

function json(comment: string): Described {
  return { type: "jsonb", nullable: false, comment };
}

function members(type: RecordType, around: readonly RecordType[]) {
  return type.fields.map((field) => {
    const value = describeAvro(field.type, around);
    return { name: field.name, value: { ...value, comment: field.doc ?? value.comment } };
  });
}

function columnType(type: Primitive | Fixed): string {
  if (type.logical === undefined) return plain[type.type];
  if (type.logical !== "decimal") return logical[type.logical];
  const { precision = 0, scale = 0 } = type;
  return precision <= MOST_PRECISION ? `numeric(${precision},${scale})` : "numeric";
}
