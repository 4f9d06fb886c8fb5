/** Avro's types, their names resolved: https://avro.apache.org/docs/1.12.0/specification/ */

/** What a value of 64 bits, of bytes or of text stands for. A logical type that the spec calls invalid is ignored. */
export type Logical =
  | "date"
  | "time-millis"
  | "time-micros"
  | "timestamp-millis"
  | "timestamp-micros"
  | "timestamp-nanos"
  | "local-timestamp-millis"
  | "local-timestamp-micros"
  | "local-timestamp-nanos"
  | "uuid"
  | "duration"
  | "decimal"
  | "big-decimal";

export type PrimitiveName =
  | "null"
  | "boolean"
  | "int"
  | "long"
  | "float"
  | "double"
  | "bytes"
  | "string";

export interface Primitive {
  type: PrimitiveName;
  logical?: Logical;
  /** Of a decimal. */
  scale?: number;
  precision?: number;
}

export interface Fixed {
  type: "fixed";
  name: string;
  size: number;
  logical?: Logical;
  scale?: number;
  precision?: number;
}

export interface Enum {
  type: "enum";
  name: string;
  symbols: string[];
}

export interface RecordType {
  type: "record";
  /** With its namespace. */
  name: string;
  /** What it says of itself, if it does. */
  doc?: string;
  /** A field's type may be the record itself: schemas are recursive. */
  fields: { name: string; type: AvroType; doc?: string }[];
}

export type AvroType =
  | Primitive
  | Fixed
  | Enum
  | RecordType
  | { type: "array"; items: AvroType }
  | { type: "map"; values: AvroType }
  | { type: "union"; branches: AvroType[] };
