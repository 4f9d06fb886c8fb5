/** What a Protobuf message says of its values, for the columns of a table. */
import protobuf from "protobufjs";
import { atFirst, type Described } from "./described.ts";
import { isImplicit, knownKinds, WRAPPER } from "./protobuf_descriptors.ts";
import { fieldName, oneofsOf } from "./protobuf_paths.ts";
import { fullName, ProtobufError, readProtobuf } from "./protobuf_schema.ts";
import type { ProtobufFile, ProtobufSchema } from "./protobuf_schema.ts";

const scalars: Readonly<Record<string, string>> = {
  bool: "boolean",
  int32: "integer",
  sint32: "integer",
  sfixed32: "integer",
  uint32: "bigint",
  fixed32: "bigint",
  int64: "bigint",
  sint64: "bigint",
  sfixed64: "bigint",
  uint64: "numeric",
  fixed64: "numeric",
  float: "real",
  double: "double precision",
  string: "text",
  bytes: "bytea",
};

/** Messages that are one value; the wrappers are as the value that they hold. */
const known: Readonly<Record<string, string>> = {
  "google.protobuf.Timestamp": "timestamptz",
  "google.protobuf.Duration": "interval",
  "google.protobuf.Any": "jsonb",
  "confluent.type.Decimal": "numeric",
};

/**
 * A .proto file's message of this name; without one the only message that no other one has as a
 * field's type.
 *
 * @throws {ProtobufError} The text cannot be read, or a name is needed.
 */
export function describeProtobufFile(
  file: ProtobufFile,
  message: string | null,
): { name: string; value: Described } {
  const schema = readProtobuf({ ...file, comments: true });
  const type = schema.message(message ?? mainMessage(schema, file.name ?? "the schema"));
  return { name: fullName(type), value: describeProtobuf(type) };
}

function mainMessage(schema: ProtobufSchema, file: string): string {
  const { names } = schema;
  const types = names.map((name) => schema.message(name));
  const used = new Set(
    types.flatMap(({ fieldsArray }) => fieldsArray.map(({ resolvedType }) => resolvedType)),
  );
  const free = types.filter((type) => !used.has(type) && !(type.parent instanceof protobuf.Type));
  if (free.length === 1) return fullName(free[0]);
  if (names.length === 0) throw new ProtobufError(`${file} has no message`);
  const some = names.slice(0, 20).join(", ") + (names.length > 20 ? ", …" : "");
  throw new ProtobufError(`${file} has several messages — use --message NAME with one of ${some}`);
}

/** Describes a message; `around` are those that it is in. */
function describeProtobuf(
  type: protobuf.Type,
  around: readonly protobuf.Type[] = [],
): Described {
  return {
    type: "jsonb",
    nullable: false,
    comment: type.comment ?? `Protobuf ${fullName(type)}`,
    // One that holds itself has no end.
    ...(around.includes(type) ? {} : { fields: atFirst(() => members(type, [...around, type])) }),
  };
}

function members(type: protobuf.Type, around: readonly protobuf.Type[]) {
  const inOneof = new Set(oneofsOf(type).flatMap(({ fieldsArray }) => fieldsArray));
  return type.fieldsArray.map((field) => {
    const value = describeField(field, around);
    // A field that is not there has its default, unless the schema can tell that it is not there.
    const always = field.required || field.repeated || field instanceof protobuf.MapField ||
      isImplicit(field);
    const nullable = !always || inOneof.has(field);
    return {
      name: fieldName(field),
      value: { ...value, nullable, comment: field.comment ?? value.comment },
    };
  });
}

/** Without what the field itself says of null. */
function describeField(field: protobuf.Field, around: readonly protobuf.Type[]): Described {
  const { resolvedType } = field;
  const of = (type: string, comment: string): Described => ({
    ...{ type, nullable: false },
    comment: `Protobuf ${comment}`,
  });
  const name = resolvedType ? fullName(resolvedType) : field.type;
  if (field instanceof protobuf.MapField) return of("jsonb", `map<${field.keyType}, ${name}>`);
  if (field.repeated) return of("jsonb", `repeated ${name}`);
  if (resolvedType instanceof protobuf.Enum) return of("text", `enum ${name}`);
  if (!resolvedType) return of(scalars[field.type] ?? "text", name);
  if (Object.hasOwn(known, name)) return of(known[name], name);
  const kind = Object.hasOwn(knownKinds, name) ? knownKinds[name] : 0;
  if (kind === WRAPPER) return of(scalars[resolvedType.fields.value.type], name);
  return kind === 0 ? describeProtobuf(resolvedType, around) : of("jsonb", name);
}
