import type { RegistrySchema } from "./config.ts";
import type { Registry } from "./registry.ts";

/** Versions that are looked at, the newest ones. */
const MOST_VERSIONS = 100;

/** The subject that a topic's keys or values have under Confluent's TopicNameStrategy, the default. */
export function subjectOf(topic: string, part: "key" | "value"): string {
  return `${topic}-${part}`;
}

/**
 * A subject's versions, the newest first, 100 at most; nothing if the registry has no such subject.
 * Each is fetched when it is asked for: a caller that finds all in the newest one asks no further.
 */
export async function* versionsOf(
  registry: Registry,
  subject: string,
  most = MOST_VERSIONS,
): AsyncGenerator<RegistrySchema & { version: number }> {
  const versions = await registry.versions(subject) ?? [];
  for (const version of versions.toSorted((a, b) => b - a).slice(0, most)) {
    const schema = await registry.version(subject, version);
    // Deleted since they were listed, or what it refers to was: records of it are judged by themselves.
    if (!("missing" in schema)) yield { ...schema, version };
  }
}
