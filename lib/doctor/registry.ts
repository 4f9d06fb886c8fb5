import { openStructure } from "../consume/structure.ts";
import type { RegistryConfig } from "../registry/config.ts";
import { Registry } from "../registry/registry.ts";
import { subjectOf } from "../registry/subject.ts";
import type { Say } from "./findings.ts";
import type { RowOptions } from "./rows.ts";

/** Each call may take this part of a check's time, so that it can say why it failed. */
const INNER = 0.3;

/** Whether keys or values are in frames whose schemas are in a registry. */
export function needsRegistry({ key, value, schema }: RowOptions): boolean {
  const isFramed = (form: string | null) => form === "avro" || form === "protobuf";
  return isFramed(key) || (isFramed(value) && schema === null);
}

/**
 * Asks the schema registry for the subjects of a topic, and compares the paths with their schemas, as a
 * run does before its first row. Returns how to reach it; null if no rows can be made with it.
 */
export async function checkRegistry(
  say: Say,
  topic: string,
  rows: RowOptions,
  given: RegistryConfig | null,
): Promise<RegistryConfig | null> {
  if (given === null) {
    say(
      "fail",
      "the schemas of the frames are in a registry, and none is named",
      "use --registry URL, or schema.registry.url in a file of properties (--config)",
    );
    return null;
  }
  const config = { ...given, timeout: INNER * given.timeout };
  const subjects = [
    ...(rows.key === "avro" || rows.key === "protobuf" ? [subjectOf(topic, "key")] : []),
    ...(needsRegistry({ ...rows, key: null }) ? [subjectOf(topic, "value")] : []),
  ];
  const registry = new Registry(config);
  let compared = true;
  try {
    for (const subject of subjects) {
      const found = await checkSubject(say, registry, config, subject);
      compared &&= found && config.namedByTopic;
    }
  } finally {
    registry.close();
  }
  // Throws what a run would throw: a path that no version has, a schema of another kind.
  const opened = await openStructure({ topics: [topic], ...rows, registry: config }, () => {});
  opened.registry?.close();
  if (compared) say("ok", "all paths are in the registry's schemas");
  return given;
}

/** Returns whether the registry has the subject. */
async function checkSubject(
  say: Say,
  registry: Registry,
  { urls, namedByTopic }: RegistryConfig,
  subject: string,
): Promise<boolean> {
  const where = urls.map(({ base }) => base).join(", ");
  const versions = await registry.versions(subject);
  if (versions === null || versions.length === 0) {
    if (!namedByTopic) say("ok", `${where} answers; paths are not compared with its schemas`);
    else {
      say(
        "warn",
        `${where} answers, and has no subject "${subject}": paths are not compared with its schemas`,
        "check the topic and the URL; other subject name strategies have other names",
      );
    }
    return false;
  }
  const schema = await registry.version(subject, Math.max(...versions));
  const newest = "missing" in schema
    ? schema.missing
    : `the newest is ${schema.kind} schema ${schema.id}`;
  say("ok", `${where} answers; subject "${subject}" has ${versions.length} versions, ${newest}`);
  return true;
}
