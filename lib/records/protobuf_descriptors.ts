/**
 * What the kernel knows of messages and enums to write them as JSON (proto_json.as.ts), and of its tables
 * (proto_wire.as.ts).
 */
import protobuf from "protobufjs";
import type { ProgramWriter } from "./program.ts";
import { fieldName, oneofsOf } from "./protobuf_paths.ts";
import { fullName } from "./protobuf_schema.ts";

/** Types of fields as the kernel numbers them. */
export const ops: Readonly<Record<string, number>> = {
  int32: 1,
  int64: 2,
  uint32: 3,
  uint64: 4,
  sint32: 5,
  sint64: 6,
  bool: 7,
  enum: 8,
  fixed32: 9,
  sfixed32: 10,
  float: 11,
  fixed64: 12,
  sfixed64: 13,
  double: 14,
  string: 15,
  bytes: 16,
  message: 17,
  group: 18,
};

/** Messages with a JSON of their own (proto_json_known.as.ts). */
export const knownKinds: Readonly<Record<string, number>> = {
  "google.protobuf.Timestamp": 1,
  "google.protobuf.Duration": 2,
  "google.protobuf.DoubleValue": 3,
  "google.protobuf.FloatValue": 3,
  "google.protobuf.Int64Value": 3,
  "google.protobuf.UInt64Value": 3,
  "google.protobuf.Int32Value": 3,
  "google.protobuf.UInt32Value": 3,
  "google.protobuf.BoolValue": 3,
  "google.protobuf.StringValue": 3,
  "google.protobuf.BytesValue": 3,
  "google.protobuf.Struct": 4,
  "google.protobuf.Value": 5,
  "google.protobuf.ListValue": 6,
  "google.protobuf.FieldMask": 7,
  "confluent.type.Decimal": 8,
};
export const TIMESTAMP = 1, DURATION = 2, WRAPPER = 3, DECIMAL = 8;

const REPEATED = 1, MAP = 2, IMPLICIT = 4;
const MESSAGE_SIZE = 32, FIELD_SIZE = 40, ENUM_SIZE = 24;
/** Fields with smaller numbers are found by their number, others by search. */
const DENSE = 1024;
const utf8 = new TextEncoder();

/** The kernel's number of a field's type; of a map's values. */
export function opOf(field: protobuf.FieldBase): number {
  const { resolvedType, type } = field;
  if (resolvedType instanceof protobuf.Enum) return ops.enum;
  if (!resolvedType) return ops[type];
  return field instanceof protobuf.Field && field.delimited ? ops.group : ops.message;
}

/** Whether a field that is not on the wire has its default, and not nothing. */
export function isImplicit(field: protobuf.Field): boolean {
  if (field.repeated || field instanceof protobuf.MapField) return false;
  if (field.resolvedType instanceof protobuf.Type) return false;
  return !field.hasPresence;
}

/** Writes an entry's offset for each number, where the node at `at` begins. */
export function writeTable(
  program: ProgramWriter,
  at: number,
  entries: readonly (readonly [number: number, entry: number])[],
): void {
  const numbers = entries.map(([number]) => number).filter((number) => number < DENSE);
  const count = numbers.length === 0 ? 0 : Math.max(...numbers) + 1;
  const dense = program.reserve(4 * count);
  const others = entries.filter(([number]) => number >= DENSE).sort(([a], [b]) => a - b);
  const sparse = program.reserve(8 * others.length);
  for (const [number, entry] of entries) {
    if (number < DENSE) program.u32(dense + 4 * number, entry);
  }
  for (const [index, pair] of others.entries()) program.u32(sparse + 8 * index, ...pair);
  program.u32(at, dense, count, sparse, others.length);
}

/** Descriptors of one program, each written once. */
export class Descriptors {
  readonly #program: ProgramWriter;
  readonly #messages = new Map<protobuf.Type, number>();
  readonly #enums = new Map<protobuf.Enum, number>();
  readonly #fields = new Map<protobuf.Field, number>();
  /** The most fields of a message. */
  widest = 0;

  constructor(program: ProgramWriter) {
    this.#program = program;
  }

  /** The offset of a message's descriptor. */
  message(type: protobuf.Type): number {
    const known = this.#messages.get(type);
    if (known !== undefined) return known;
    const at = this.#program.reserve(MESSAGE_SIZE);
    this.#messages.set(type, at);
    const fields = type.fieldsArray.slice().sort((a, b) => a.id - b.id);
    const first = this.#fieldsOf(at, fields.length, knownKinds[fullName(type)] ?? 0);
    const offsets = new Map(fields.map((field, index) => [field, first + FIELD_SIZE * index]));
    for (const [index, field] of fields.entries()) {
      this.#field(first + FIELD_SIZE * index, field, index);
    }
    for (const { fieldsArray } of oneofsOf(type)) {
      const [first] = fieldsArray;
      for (const field of fieldsArray) {
        this.#program.u32(offsets.get(field)! + 24, offsets.get(first)!);
      }
    }
    writeTable(this.#program, at, fields.map((field) => [field.id, offsets.get(field)!]));
    return at;
  }

  /** The part of a message's descriptor that says where its fields are; returns that. */
  #fieldsOf(at: number, count: number, kind: number): number {
    const first = this.#program.reserve(FIELD_SIZE * count);
    this.#program.u32(at + 16, kind, first, count);
    this.widest = Math.max(this.widest, count);
    return first;
  }

  /** The offset of the descriptor of a field: of all its values. */
  field(field: protobuf.Field): number {
    let at = this.#fields.get(field);
    if (at === undefined) {
      this.#fields.set(field, at = this.#program.reserve(FIELD_SIZE));
      this.#field(at, field, 0);
    }
    return at;
  }

  #field(at: number, field: protobuf.Field, index: number): void {
    const map = field instanceof protobuf.MapField;
    // CSV doubles the quotes.
    const name = utf8.encode(`""${fieldName(field)}"":`);
    const flags = (field.repeated ? REPEATED : 0) | (map ? MAP : 0) |
      (isImplicit(field) ? IMPLICIT : 0);
    // deno-fmt-ignore
    this.#program.u32(at, field.id, map ? ops.message : opOf(field), flags,
      map ? this.#entry(field) : this.reference(field), this.#program.add(name), name.length, 0, index);
  }

  /** The message that one entry of a map is: a key and a value. */
  #entry(map: protobuf.MapField): number {
    const at = this.#program.reserve(MESSAGE_SIZE);
    const first = this.#fieldsOf(at, 2, 0);
    this.#program.u32(first, 1, ops[map.keyType], 0, 0, 0, 0, 0, 0);
    this.#program.u32(first + FIELD_SIZE, 2, opOf(map), 0, this.reference(map), 0, 0, 0, 1);
    writeTable(this.#program, at, [[1, first], [2, first + FIELD_SIZE]]);
    return at;
  }

  /** The descriptor of what a field's values are; 0: they are numbers or text. */
  reference({ resolvedType }: protobuf.FieldBase): number {
    if (resolvedType instanceof protobuf.Enum) return this.enum(resolvedType);
    return resolvedType ? this.message(resolvedType) : 0;
  }

  /** The offset of an enum's table. */
  enum(type: protobuf.Enum): number {
    const known = this.#enums.get(type);
    if (known !== undefined) return known;
    const at = this.#program.reserve(ENUM_SIZE);
    this.#enums.set(type, at);
    /** Of several names of a number the first is the one that is written. */
    const names = new Map<number, string>();
    for (const [name, number] of Object.entries(type.values)) {
      if (!names.has(number)) names.set(number, name);
    }
    const numbers = [...names.keys()].sort((a, b) => a - b);
    const small = numbers.filter((number) => number >= 0 && number < DENSE);
    const others = numbers.filter((number) => number < 0 || number >= DENSE);
    const count = small.length === 0 ? 0 : small.at(-1)! + 1;
    const dense = this.#program.reserve(8 * count);
    const sparse = this.#program.reserve(12 * others.length);
    const name = (number: number): [number, number] => {
      const bytes = utf8.encode(names.get(number)!);
      return [this.#program.add(bytes), bytes.length];
    };
    for (const number of small) this.#program.u32(dense + 8 * number, ...name(number));
    for (const [index, number] of others.entries()) {
      this.#program.u32(sparse + 12 * index, number >>> 0, ...name(number));
    }
    const first = Object.values(type.values)[0] ?? 0;
    const isNull = fullName(type) === "google.protobuf.NullValue" ? 1 : 0;
    this.#program.u32(at, dense, count, sparse, others.length, first >>> 0, isNull);
    return at;
  }
}
