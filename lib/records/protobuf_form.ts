import {
  addProtobuf,
  missingProtobufPaths,
  ProtobufError,
  type ProtobufMessage,
  type ProtobufSchema,
  readMessageIndexes,
  readProtobuf,
} from "./protobuf.ts";
import type { SchemaForm, SchemaText } from "./schema_form.ts";

const ID = 4;

function schemaOf({ text, references }: SchemaText): ProtobufSchema {
  return readProtobuf({ text, imports: new Map(references.map(({ name, text }) => [name, text])) });
}

/** Protobuf, by the schema and message that a value was written with. */
export const protobufForm: SchemaForm<ProtobufMessage> = {
  kind: "protobuf",
  name: "Protobuf",
  keySize: (bytes) => {
    const indexes = bytes.length < ID ? undefined : readMessageIndexes(bytes.subarray(ID));
    return indexes && ID + indexes.size;
  },
  read: (schema, key) => {
    const { indexes } = readMessageIndexes(key.subarray(ID))!;
    return schemaOf(schema).messageAt(indexes);
  },
  readFile: ({ text, name, imported, message }) => {
    const schema = readProtobuf({ text, name, imports: imported });
    if (message !== null) return schema.message(message);
    const { names } = schema;
    if (names.length === 1) return schema.message(names[0]);
    const some = names.slice(0, 20).join(", ") + (names.length > 20 ? ", …" : "");
    throw new ProtobufError(
      names.length === 0
        ? `${name} has no message`
        : `${name} has several messages — use --message NAME with one of ${some}`,
    );
  },
  readAll: (text) => {
    const schema = schemaOf(text);
    return schema.names.map((name) => schema.message(name));
  },
  add: (writer, { framed, bare }, paths, first, part) => {
    const messages = framed.map(({ key, schema }) => ({ key, message: schema }));
    return addProtobuf(writer, { framed: messages, bare }, paths, first, part);
  },
  lacking: (messages, paths) =>
    missingProtobufPaths(messages.toReversed(), paths).map(({ path, hint }) => ({
      path,
      why: hint,
    })),
};
