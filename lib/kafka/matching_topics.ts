import { Failure } from "../failure.ts";
import { UNKNOWN_TOPIC_OR_PARTITION } from "../protocol/error_codes.ts";
import type { TopicMetadata } from "../protocol/messages/metadata.ts";
import { similar } from "../text.ts";
import type { Cluster } from "./cluster.ts";
import { check } from "./errors.ts";
import { retry } from "./retry.ts";
import { matches } from "./topic_pattern.ts";

/** The topics that a pattern matches, by name; maybe none. Throws Failure. */
export async function matchingTopics(
  cluster: Cluster,
  pattern: RegExp,
): Promise<TopicMetadata[]> {
  return (await listTopics(cluster)).filter(({ topic }) => matches(pattern, topic));
}

/**
 * The same, one or more. Throws Failure, also if there is none: it says which topics exist, and
 * that `flag` does not match them.
 */
export async function someMatchingTopics(
  cluster: Cluster,
  flag: string,
  pattern: RegExp,
): Promise<TopicMetadata[]> {
  const all = await listTopics(cluster);
  const found = all.filter(({ topic }) => matches(pattern, topic));
  if (found.length > 0) return found;
  throw noMatch(flag, pattern, all.map(({ topic }) => topic));
}

/** All topics that this user may describe, without Kafka's own, by name. */
async function listTopics(cluster: Cluster): Promise<TopicMetadata[]> {
  return await retry(cluster.config, async () => {
    const topics = (await cluster.refresh(null)).topics.filter(({ topic, isInternal, errorCode }) =>
      !isInternal && !topic.startsWith("__") && errorCode !== UNKNOWN_TOPIC_OR_PARTITION
    );
    for (const { topic, errorCode } of topics) check(`cannot read topic "${topic}"`, errorCode);
    return topics.sort((a, b) => a.topic < b.topic ? -1 : 1);
  });
}

/** Names that a message has room for. */
const SHOWN = 5;

function noMatch(flag: string, pattern: RegExp, names: readonly string[]): Failure {
  const why = `${flag}: no topic matches "${pattern.source}"`;
  const todo = "check the pattern, create the topic, or get the right to describe it";
  if (names.length === 0) return new Failure("broker", `${why}: no topic is visible — ${todo}`);
  const near = similar(pattern.source.replaceAll(/[^\w-]/g, ""), names);
  const shown = (near.length > 0 ? near : names).slice(0, SHOWN).map((name) => `"${name}"`);
  const which = near.length > 0 ? "the nearest are" : "they are";
  const more = near.length === 0 && names.length > SHOWN ? ", …" : "";
  return new Failure(
    "broker",
    `${why}: ${names.length} topics are visible, ${which} ${shown.join(", ")}${more} — ${todo}`,
  );
}
