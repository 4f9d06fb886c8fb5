import { Failure } from "../failure.ts";
import { inLine } from "../kafka/fetching.ts";
import type { Reference } from "./config.ts";

/** A schema as a registry's answer describes it, before what it refers to is fetched. */
export interface Described {
  kind: string;
  text: string;
  references: readonly Reference[];
}

/** More references than any schema has. */
export const MOST_REFERENCES = 1000;
const LONGEST_NAME = 1000;

/**
 * Reads what GET /schemas/ids/{id} and GET /subjects/{subject}/versions/{version} have in common
 * (https://docs.confluent.io/platform/current/schema-registry/develop/api.html). Throws Failure
 * (broker) at an answer of another form; `failed` is what could not be done.
 */
export function readSchema(body: unknown, failed: string): Described {
  const { schema, schemaType = "AVRO", references } = fields(body, failed);
  return {
    kind: inLine(string(schemaType, "schemaType", failed)).toLowerCase(),
    text: string(schema, "schema", failed, Infinity),
    references: list(references ?? [], "references", failed).map((reference) => {
      const { name, subject, version } = fields(reference, failed);
      return {
        name: string(name, "name", failed),
        subject: string(subject, "subject", failed),
        version: whole(version, "version", failed),
      };
    }),
  };
}

/** A member of an answer that is a whole number, such as `id`. */
export function readNumber(body: unknown, name: "id" | "version", failed: string): number {
  return whole(fields(body, failed)[name], name, failed);
}

/** The numbers of a subject's versions. */
export function readVersions(body: unknown, failed: string): number[] {
  return list(body, "versions", failed, 1_000_000).map((one) => whole(one, "version", failed));
}

function fields(value: unknown, failed: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  throw wrong(failed, "it is not a JSON object");
}

function string(value: unknown, name: string, failed: string, longest = LONGEST_NAME): string {
  if (typeof value === "string" && value.length <= longest) return value;
  throw wrong(failed, `its "${name}" is not a text`);
}

/** Ids and versions are Java's int. */
function whole(value: unknown, name: string, failed: string): number {
  const fits = Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31;
  if (fits) return value as number;
  throw wrong(failed, `its "${name}" is not a whole number`);
}

function list(value: unknown, name: string, failed: string, most = MOST_REFERENCES): unknown[] {
  if (Array.isArray(value) && value.length <= most) return value;
  throw wrong(failed, `its "${name}" is not a list of at most ${most}`);
}

function wrong(failed: string, why: string): Failure {
  return new Failure("broker", `${failed}: the registry's answer is not valid: ${why}`);
}
