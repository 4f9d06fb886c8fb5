import { Failure } from "../failure.ts";
import { parseAvroSchema } from "../records/avro_schema.ts";
import { describeAvro } from "../records/avro_described.ts";
import type { Described } from "../records/described.ts";
import { describeProtobufFile } from "../records/protobuf_described.ts";
import type { SchemaFile } from "../records/schema_form.ts";
import { Registry } from "../registry/registry.ts";
import { subjectOf, versionsOf } from "../registry/subject.ts";
import type { Console } from "./console.ts";
import { env } from "./environment.ts";
import type { Given } from "./flags.ts";
import { readProperties } from "./flags/connection.ts";
import { registryOptions, schemaFile } from "./flags/registry.ts";

/** What is known of the values of a topic from their schemas. */
export interface DescribedSchema {
  /** The newest first. */
  versions: Described[];
  what: string;
  comment: string | null;
  /** Of a .proto file: its message. */
  message: string | null;
}

type Form = "avro" | "protobuf";

const names: Record<Form, string> = { avro: "Avro", protobuf: "Protobuf" };

/** A version in which a message is not: its values have none of the fields. */
const NOTHING: Described = { type: "jsonb", nullable: true, comment: "", fields: () => [] };

/**
 * Describes a topic's values by the file of --schema, else by the versions of its subject in the
 * schema registry. Throws Failure (usage) if there is no such schema, or it cannot be read.
 */
export async function describedSchema(
  form: Form,
  topic: string,
  given: Given,
  console: Console,
): Promise<DescribedSchema> {
  // What --message says without a file is about the registry's schemas.
  const file = given.has("schema") ? schemaFile(given) : null;
  if (file !== null) return fromFile(form, file);
  const properties = await readProperties(given, env, console);
  const config = await registryOptions(given, env, console, properties);
  if (config === null) {
    throw new Failure("usage", `--value ${form} requires --registry URL or --schema FILE`);
  }
  const registry = new Registry(config);
  try {
    return await fromRegistry(form, topic, given.get("message") ?? null, registry, console);
  } finally {
    registry.close();
  }
}

function fromFile(form: Form, file: SchemaFile): DescribedSchema {
  if (file.kind !== form) {
    throw new Failure(
      "usage",
      `--schema: ${file.name} is not ${names[form]} — use --value ${file.kind}`,
    );
  }
  const { name, text, imported, message } = file;
  const one = read(
    `--schema: ${form === "avro" ? `cannot read ${name}: ` : ""}`,
    () =>
      form === "avro"
        ? avro(text, [])
        : describeProtobufFile({ name, text, imports: imported }, message),
  );
  const said = found([one], `${names[form]}, ${one.name} of ${name}`);
  return { ...said, message: form === "protobuf" ? one.name : null };
}

async function fromRegistry(
  form: Form,
  topic: string,
  message: string | null,
  registry: Registry,
  console: Console,
): Promise<DescribedSchema> {
  const subject = subjectOf(topic, "value");
  const versions: { name: string; value: Described }[] = [];
  let newest = 0;
  for await (const { version, kind, text, references } of versionsOf(registry, subject)) {
    const what = `version ${version} of subject "${subject}"`;
    if (kind !== form) {
      if (newest !== 0) continue;
      const known = kind === "avro" || kind === "protobuf" || kind === "json";
      throw new Failure(
        "usage",
        `${what} is ${kind}, not ${form}${known ? ` — use --value ${kind}` : ""}`,
      );
    }
    try {
      versions.push(
        form === "avro" ? avro(text, references.map(({ text }) => text)) : describeProtobufFile(
          {
            text,
            name: what,
            imports: new Map(references.map(({ name, text }) => [name, text])),
          },
          // All versions of one message.
          versions[0]?.name ?? message,
        ),
      );
      if (newest === 0) newest = version;
    } catch (error) {
      if (newest === 0) throw new Failure("usage", `${what}: ${(error as Error).message}`);
      console.debug(`${what}: ${(error as Error).message}`);
      versions.push({ name: "", value: NOTHING });
    }
  }
  if (newest === 0) {
    throw new Failure(
      "usage",
      `the registry has no subject "${subject}" — check the topic and the URL, or use --schema FILE`,
    );
  }
  const older = versions.length > 1 ? `, and ${versions.length - 1} older` : "";
  return found(
    versions,
    `${names[form]}, ${versions[0].name}: version ${newest} of subject "${subject}"${older}`,
  );
}

function found(
  versions: readonly { name: string; value: Described }[],
  what: string,
): DescribedSchema {
  const [{ value: { comment } }] = versions;
  return { versions: versions.map(({ value }) => value), what, comment, message: null };
}

function avro(text: string, references: string[]): { name: string; value: Described } {
  const type = parseAvroSchema(text, references);
  return { name: "name" in type ? type.name : type.type, value: describeAvro(type) };
}

function read<T>(before: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Failure("usage", `${before}${(error as Error).message}`);
  }
}
