import { Failure } from "../failure.ts";
import type { Added } from "../records/json.ts";
import type { Path } from "../records/paths.ts";
import type { ProgramWriter } from "../records/program.ts";
import type { SchemaFile, SchemaForm } from "../records/schema_form.ts";
import type { RegistryConfig } from "../registry/config.ts";
import type { Registry } from "../registry/registry.ts";
import { isStructured, type StructuredForm } from "./options.ts";
import { Schemas } from "./schemas.ts";

/** How the keys or the values of a run are taken apart. */
export interface Part {
  /** Grows when something was learned: then programs are made again. */
  readonly version: number;
  /** Adds the walk to a program, with slots from `first` on. */
  add(writer: ProgramWriter, first: number): Added;
  /** See {@link Schemas}. */
  reject(frame: Uint8Array): string | null;
  learn(frame: Uint8Array): Promise<void>;
  /** The path of what is at a byte of such bytes that were rejected; "" if it is not known. */
  placeOf?(bytes: Uint8Array, at: number): string;
}

/** Keys and values of a run, null where they are not taken apart. */
export interface Structure {
  key: Part | null;
  value: Part | null;
}

/** The first bytes of a key or value whose schema the kernel's program does not have. */
export interface UnknownFrame {
  part: "key" | "value";
  frame: Uint8Array;
}

/** What of the options this is about. */
export interface StructureOptions {
  topics: readonly string[];
  key: StructuredForm | null;
  keyFields: readonly Path[];
  value: string;
  fields: readonly Path[];
  registry: RegistryConfig | null;
  schema: SchemaFile | null;
}

/**
 * Makes ready how keys and values are taken apart; paths are checked where there is a schema. The
 * registry is to be closed by the caller. Throws Failure.
 */
export async function openStructure(
  options: StructureOptions,
  debug: (line: string) => void,
): Promise<{ structure: Structure; registry: Registry | null }> {
  const { key, keyFields, value, fields, schema } = options;
  const valueForm = isStructured(value) ? value : null;
  const framed = [key, schema ? null : valueForm].some((form) => form !== null && form !== "json");
  let registry: Registry | null = null;
  if (framed) {
    if (options.registry === null) {
      const flag = key !== null && key !== "json" ? `--key ${key}` : `--value ${valueForm}`;
      throw new Failure("usage", `${flag} requires --registry URL, or for values --schema FILE`);
    }
    // Loaded only where it is used, as the formats are.
    registry = new (await import("../registry/registry.ts")).Registry(options.registry);
  }
  const check = options.registry?.namedByTopic ?? true;
  const open = async (
    part: "key" | "value",
    form: StructuredForm | null,
    paths: readonly Path[],
  ) => {
    if (form === null) return null;
    if (form === "json") return await jsonPart(paths);
    const from = part === "value" && schema ? { file: schema } : registry!;
    return form === "avro"
      ? await schemaPart((await import("../records/avro_form.ts")).avroForm, part, paths, from)
      : await schemaPart(
        (await import("../records/protobuf_form.ts")).protobufForm,
        part,
        paths,
        from,
      );
  };
  const schemaPart = async <T>(
    form: SchemaForm<T>,
    part: "key" | "value",
    paths: readonly Path[],
    from: Registry | { file: SchemaFile },
  ): Promise<Part> => {
    const source = "file" in from ? { file: readFile(form, from.file) } : from;
    const schemas = new Schemas(form, part, paths, source, debug);
    const flag = part === "key" ? "--key-fields" : "--fields";
    if (check || "file" in source) await schemas.check(options.topics, flag);
    return schemas;
  };
  try {
    const structure = {
      key: await open("key", key, keyFields),
      value: await open("value", valueForm, fields),
    };
    return { structure, registry };
  } catch (error) {
    registry?.close();
    throw error;
  }
}

async function jsonPart(paths: readonly Path[]): Promise<Part> {
  const { addJson } = await import("../records/json.ts");
  const { jsonPlace } = await import("../records/json_place.ts");
  return {
    version: 0,
    add: (writer, first) => addJson(writer, paths, first),
    reject: () => null,
    learn: () => Promise.resolve(),
    placeOf: jsonPlace,
  };
}

function readFile<T>(form: SchemaForm<T>, file: SchemaFile): T {
  if (file.kind !== form.kind) {
    throw new Failure(
      "usage",
      `--schema: ${file.name} is not ${form.name} — use --value ${file.kind}`,
    );
  }
  try {
    return form.readFile(file);
  } catch (error) {
    throw new Failure("usage", `--schema: ${(error as Error).message}`);
  }
}
