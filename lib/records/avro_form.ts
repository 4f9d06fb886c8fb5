import { addAvro, type AvroType, missingAvroPaths, parseAvroSchema, SchemaError } from "./avro.ts";
import type { SchemaForm } from "./schema_form.ts";

const ID = 4;

function read({ text, references }: Parameters<SchemaForm<AvroType>["readAll"]>[0]): AvroType {
  return parseAvroSchema(text, references.map(({ text }) => text));
}

/** Avro, by the schema that a value was written with. */
export const avroForm: SchemaForm<AvroType> = {
  kind: "avro",
  name: "Avro",
  keySize: (bytes) => bytes.length < ID ? undefined : ID,
  read,
  readFile: ({ text, name }) => {
    try {
      return parseAvroSchema(text);
    } catch (error) {
      if (error instanceof SchemaError) {
        throw new SchemaError(`cannot read ${name}: ${error.message}`);
      }
      throw error;
    }
  },
  readAll: (schema) => [read(schema)],
  add: (writer, { framed, bare }, paths, first) => {
    const byId = new Map(framed.map(({ key, schema }) => [idOf(key), schema]));
    return addAvro(writer, { byId, bare }, paths, first);
  },
  lacking: (schemas, paths) =>
    missingAvroPaths(schemas, paths).map(({ path, hint }) => ({ path, why: hint })),
};

function idOf(key: Uint8Array): number {
  return new DataView(key.buffer, key.byteOffset).getUint32(0);
}
