import { Failure } from "../failure.ts";
import { parseAvroSchema, SchemaError } from "../records/avro_schema.ts";
import type { AvroType, RecordType } from "../records/avro_types.ts";
import type { SchemaFile } from "../records/schema_form.ts";
import type { RegistryConfig } from "../registry/config.ts";
import { subjectOf } from "../registry/subject.ts";

/** What values are written by: a schema, and its id in the registry; null if they have no frame. */
export interface WrittenSchema {
  record: RecordType;
  id: number | null;
}

export interface SchemaOptions {
  topic: string;
  /** Null: the newest version of the topic's subject. */
  file: SchemaFile | null;
  registry: RegistryConfig | null;
  /** Whether a schema that the registry does not have is registered; else that is an error. */
  register: boolean;
  dryRun: boolean;
  /** Throws Failure if values cannot be written by this schema: before it is registered. */
  check(record: RecordType): void;
}

/**
 * The schema of the values of a run, which the registry has then. A dry run registers nothing. Throws
 * Failure.
 */
export async function openSchema(options: SchemaOptions): Promise<WrittenSchema> {
  const { topic, file, registry: config, register, dryRun, check } = options;
  if (file !== null && file.kind !== "avro") {
    throw new Failure("usage", `--schema: ${file.name} is not an Avro schema (.avsc)`);
  }
  const record = file === null ? null : recordOf(file.text, [], `--schema: ${file.name}`);
  if (record !== null) check(record);
  if (config === null) {
    if (record !== null) return { record, id: null };
    throw new Failure(
      "usage",
      "--value avro requires --registry URL, or --schema FILE for values without a frame",
    );
  }
  if (record !== null && dryRun) return { record, id: 0 };
  // Loaded only if it is used.
  const { Registry } = await import("../registry/registry.ts");
  const registry = new Registry(config);
  const subject = subjectOf(topic, "value");
  try {
    if (record !== null) {
      const schema = { kind: "avro", text: file!.text };
      if (register) return { record, id: await registry.register(subject, schema) };
      const known = await registry.lookUp(subject, schema);
      if (known !== null) return { record, id: known.id };
      throw new Failure(
        "usage",
        `--schema: subject "${subject}" does not have the schema of ${file!.name}, ` +
          "and auto.register.schemas is false",
      );
    }
    const newest = await registry.version(subject, "latest");
    if ("missing" in newest) {
      throw new Failure("usage", `${newest.missing} — use --schema FILE to register one`);
    }
    const what = `version "latest" of subject "${subject}"`;
    if (newest.kind !== "avro") throw new Failure("usage", `${what} is not Avro: ${newest.kind}`);
    const references = newest.references.map(({ text }) => text);
    return { record: recordOf(newest.text, references, what), id: newest.id };
  } finally {
    registry.close();
  }
}

function recordOf(text: string, references: readonly string[], what: string): RecordType {
  let type: AvroType;
  try {
    type = parseAvroSchema(text, references);
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    throw new Failure("usage", `${what}: ${error.message}`);
  }
  if (type.type === "record") return type;
  throw new Failure("usage", `${what}: the type is ${type.type}, not a record of fields`);
}
