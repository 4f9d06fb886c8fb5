import { Failure, systemReason } from "../../failure.ts";
import type { Properties } from "../../properties/properties.ts";
import type { RegistryConfig } from "../../registry/config.ts";
import type { SchemaFile } from "../../records/schema_form.ts";
import { shownPath } from "../../secret.ts";
import type { Flag, Given } from "../flags.ts";
import type { Console } from "../console.ts";
import { parseDuration } from "../values.ts";

/** The flags of what reads or writes values with a schema. */
export const registryFlags = [
  {
    name: "registry",
    value: "URL,…",
    many: true,
    help: "the schema registry, all URLs of one cluster (else schema.registry.url)",
  },
  {
    name: "schema",
    value: "FILE",
    help: "an Avro (.avsc) or Protobuf (.proto) schema, for values without a registry's frame",
  },
  {
    name: "message",
    value: "NAME",
    help: "the message of that .proto file, such as shop.Order (its only one)",
  },
] as const satisfies readonly Flag[];

/** The largest schema file that is read, bytes. */
const LARGEST = 16 * 1024 * 1024;

/**
 * How to reach the schema registry; null if neither a flag nor a property names one. Throws Failure
 * (usage).
 */
export async function registryOptions(
  given: Given,
  env: (name: string) => string | undefined,
  console: Console,
  properties: Properties,
): Promise<RegistryConfig | null> {
  // Loaded only if it is used: a start without it stays quick.
  if (!given.has("registry") && !properties.get("schema.registry.url")) return null;
  const { registryConfig } = await import("../../registry/settings.ts");
  return await registryConfig({
    urls: given.all("registry"),
    properties,
    env,
    timeout: parseDuration("--timeout", given.get("timeout") ?? "30s"),
    debug: console.debug,
  });
}

/** The schema of --schema; null without that flag. Throws Failure (usage). */
export function schemaFile(given: Given): SchemaFile | null {
  const path = given.get("schema");
  const message = given.get("message") ?? null;
  if (path === undefined) {
    if (message !== null) throw new Failure("usage", "--message requires --schema FILE.proto");
    return null;
  }
  const [, name] = /\.(avsc|proto)$/i.exec(path) ?? [];
  if (name === undefined) {
    throw new Failure("usage", `--schema: ${shownPath(path)} is neither a .avsc nor a .proto file`);
  }
  const kind = name.toLowerCase() === "proto" ? "protobuf" : "avro";
  if (kind === "avro" && message !== null) {
    throw new Failure("usage", "--message is for .proto files: an .avsc file has one schema");
  }
  const slash = path.lastIndexOf("/");
  const folder = slash === -1 ? "." : path.slice(0, slash);
  return {
    kind,
    name: path.slice(slash + 1),
    text: readText(path),
    message,
    imported: (name) => {
      try {
        return readText(`${folder}/${name}`);
      } catch {
        // Named by who reads the schema: which file imports it.
        return undefined;
      }
    },
  };
}

/** Throws Failure (usage) if a file cannot be read, or is not text of some size. */
function readText(path: string): string {
  const failed = (why: string) => new Failure("usage", `--schema: ${shownPath(path)} ${why}`);
  try {
    const { size } = Deno.statSync(path);
    if (size > LARGEST) throw failed(`is larger than ${LARGEST / 1024 ** 2} MiB`);
    return new TextDecoder("utf-8", { fatal: true }).decode(Deno.readFileSync(path));
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (error instanceof TypeError) throw failed("is not UTF-8 text");
    throw failed(`cannot be read: ${systemReason(error)}`);
  }
}
