/** Random .proto files, as text and as descriptors of protobuf-es. */
import { create, createFileRegistry, type DescMessage } from "@bufbuild/protobuf";
import {
  DescriptorProtoSchema,
  EnumDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FieldDescriptorProtoSchema,
  file_google_protobuf_duration,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import type { Random } from "../support/random.ts";

interface Field {
  name: string;
  number: number;
  /** A scalar type, a message M0 to M2, enum E, or one of google.protobuf. */
  type: string;
  label: "" | "optional" | "repeated";
  /** The type of its keys, if it is a map. */
  key: string | null;
  /** Whether it is in the message's oneof. */
  isChoice: boolean;
  /** How a repeated one is written; null: as the syntax has it. */
  packed: boolean | null;
  /** As .proto files have it. */
  default: string | null;
}

export const SYMBOLS = { ZERO: 0, ONE: 1, BIG: 2147483647, LESS: -7 };

const integers = [
  ...["int32", "sint32", "sfixed32", "int64", "sint64", "sfixed64"],
  ...["uint32", "fixed32", "uint64", "fixed64"],
];
const scalars = [...integers, "float", "double", "bool", "string", "bytes"];
const keys = [...integers, "bool", "string"];
const known = [
  ...["Timestamp", "Duration", "StringValue", "BytesValue", "Int64Value", "UInt32Value"],
  ...["BoolValue", "DoubleValue", "FloatValue"],
].map((name) => `google.protobuf.${name}`);

const imports = [
  file_google_protobuf_timestamp,
  file_google_protobuf_duration,
  file_google_protobuf_wrappers,
];

export class ProtoFile {
  readonly #messages: { name: string; fields: Field[] }[];
  readonly #syntax: "proto2" | "proto3";

  constructor(random: Random) {
    this.#syntax = random.int(0, 3) === 0 ? "proto2" : "proto3";
    const names = ["M0", "M1", "M2"];
    this.#messages = names.map((name) => ({ name, fields: this.#fields(random, names) }));
  }

  #fields(random: Random, messages: readonly string[]): Field[] {
    const one = <T>(of: readonly T[]) => of[random.int(0, of.length - 1)];
    const numbers = random.shuffle([
      ...[1, 2, 3, 4, 5, 6, 7, 8, 14, 15, 16, 17, 100, 2047, 2048, 18999, 20000, 262143, 262144],
      ...[33554431, 33554432, 536870911],
    ]);
    return Array.from({ length: random.int(1, 9) }, (_, i): Field => {
      const kind = random.int(0, 9);
      const type = kind < 5 ? one(scalars) : kind < 7 ? one(messages) : kind < 9 ? one(known) : "E";
      const isScalar = kind < 5 || kind === 9;
      const shape = random.int(0, 9);
      const label = shape < 3
        ? "repeated"
        : this.#syntax === "proto3"
        ? one(["", "optional"] as const)
        : "optional";
      const isChoice = label !== "repeated" && shape === 3;
      const key = shape === 4 ? one(keys) : null;
      const canPack = label === "repeated" && isScalar && !["string", "bytes"].includes(type);
      const mayDefault = this.#syntax === "proto2" && label === "optional" && !isChoice &&
        key === null;
      return {
        ...{ name: `f${i}`, number: numbers[i], type, key, isChoice },
        label: isChoice || key !== null ? "" : label,
        packed: canPack && random.int(0, 1) === 1 ? random.int(0, 1) === 1 : null,
        default: mayDefault && integers.includes(type) && random.int(0, 1) === 1 ? "7" : null,
      };
    });
  }

  /** As a .proto file. */
  get text(): string {
    const messages = this.#messages.map(({ name, fields }) => {
      const texts = (isChoice: boolean) =>
        fields.filter((field) => field.isChoice === isChoice).map((field) => this.#line(field));
      const choices = texts(true);
      const oneof = choices.length > 0 ? [`oneof choice {`, ...choices, "}"] : [];
      return [`message ${name} {`, ...texts(false), ...oneof, "}"].join("\n");
    });
    const symbols = Object.entries(SYMBOLS).map(([name, number]) => `${name} = ${number};`);
    return [
      `syntax = "${this.#syntax}";`,
      ...imports.map(({ proto }) => `import "${proto.name}";`),
      `enum E { ${symbols.join(" ")} }`,
      ...messages,
    ].join("\n");
  }

  #line({ name, number, type, label, key, packed, default: preset }: Field): string {
    const whole = key === null ? type : `map<${key}, ${type}>`;
    const options = [
      ...(packed === null ? [] : [`packed = ${packed}`]),
      ...(preset === null ? [] : [`default = ${preset}`]),
    ];
    const list = options.length > 0 ? ` [${options.join(", ")}]` : "";
    return `${label} ${whole} ${name} = ${number}${list};`.trim();
  }

  /** The first message in protobuf-es; `flipped`: of a writer that packs what others do not. */
  descriptor(flipped: boolean): DescMessage {
    const file = create(FileDescriptorProtoSchema, {
      name: "random.proto",
      syntax: this.#syntax === "proto3" ? "proto3" : "",
      dependency: imports.map(({ proto }) => proto.name),
      enumType: [create(EnumDescriptorProtoSchema, {
        name: "E",
        value: Object.entries(SYMBOLS).map(([name, number]) => ({ name, number })),
      })],
      messageType: this.#messages.map(({ name, fields }) => this.#message(name, fields, flipped)),
    });
    const registry = createFileRegistry(
      file,
      (name) => imports.find(({ proto }) => proto.name === name),
    );
    return registry.getMessage("M0")!;
  }

  #message(name: string, fields: readonly Field[], flipped: boolean) {
    const optional = fields.filter(({ label }) =>
      label === "optional" && this.#syntax === "proto3"
    );
    const hasChoice = fields.some(({ isChoice }) => isChoice);
    const oneofs = [...(hasChoice ? ["choice"] : []), ...optional.map(({ name }) => `_${name}`)];
    return create(DescriptorProtoSchema, {
      name,
      oneofDecl: oneofs.map((name) => ({ name })),
      nestedType: fields.filter(({ key }) => key !== null).map((field) =>
        create(DescriptorProtoSchema, {
          name: entryOf(field),
          options: { mapEntry: true },
          field: [
            create(FieldDescriptorProtoSchema, { ...typed(field.key!), name: "key", number: 1 }),
            create(FieldDescriptorProtoSchema, { ...typed(field.type), name: "value", number: 2 }),
          ],
        })
      ),
      field: fields.map((field) => {
        const { number, key, label, isChoice, packed, default: preset } = field;
        const oneof = isChoice ? 0 : oneofs.indexOf(`_${field.name}`);
        const isList = label === "repeated" || key !== null;
        return create(FieldDescriptorProtoSchema, {
          ...(key === null
            ? typed(field.type)
            : { type: Type.MESSAGE, typeName: `.${name}.${entryOf(field)}` }),
          ...{ name: field.name, number, label: isList ? Label.REPEATED : Label.OPTIONAL },
          ...(oneof >= 0 ? { oneofIndex: oneof } : {}),
          ...(optional.includes(field) ? { proto3Optional: true } : {}),
          ...(packed === null ? {} : { options: { packed: packed !== flipped } }),
          ...(preset === null ? {} : { defaultValue: preset }),
        });
      }),
    });
  }
}

const entryOf = ({ name }: Field) => `${name.toUpperCase()}Entry`;

function typed(type: string) {
  const scalar = Type[type.toUpperCase() as keyof typeof Type];
  if (scalars.includes(type)) return { type: scalar, label: Label.OPTIONAL };
  return {
    ...{ type: type === "E" ? Type.ENUM : Type.MESSAGE, typeName: `.${type}` },
    label: Label.OPTIONAL,
  };
}
