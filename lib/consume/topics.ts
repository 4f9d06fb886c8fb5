import type { Cluster } from "../kafka/cluster.ts";
import type { LogIdentity } from "../kafka/log_identity.ts";
import type { TopicPartition } from "../kafka/partitions.ts";
import type { TopicMetadata } from "../protocol/messages/metadata.ts";
import type { ConsumeOptions } from "./options.ts";

/** A topic as the brokers describe it. */
export interface Topic {
  topic: string;
  partitions: number[];
  /** What identifies it among topics of its name. */
  identity: LogIdentity;
}

/** Asks for the topics. Throws Failure if one does not exist, or no broker answers. */
export async function describeTopics(
  cluster: Cluster,
  names: readonly string[],
): Promise<Topic[]> {
  const topics: Topic[] = [];
  for (const name of names) topics.push(described(cluster, await cluster.topic(name)));
  return topics;
}

function described(cluster: Cluster, { topic, partitions, topicId }: TopicMetadata): Topic {
  return {
    topic,
    partitions: partitions.map(({ partition }) => partition).sort((a, b) => a - b),
    identity: { clusterId: cluster.clusterId, topicId },
  };
}

/** The names of the topics to read. Throws Failure if the pattern matches none. */
export async function topicNames(
  cluster: Cluster,
  { topics, topicPattern }: ConsumeOptions,
): Promise<string[]> {
  if (topicPattern === undefined) return topics;
  // Loaded only for a pattern.
  const { someMatchingTopics } = await import("../kafka/matching_topics.ts");
  const found = await someMatchingTopics(cluster, "--topic-pattern", topicPattern);
  return found.map(({ topic }) => topic);
}

/**
 * The topics as they are by now: those of a pattern that were created meanwhile, too. One that was
 * deleted stays: that it cannot be read is found by its readers.
 */
export async function describeAgain(
  cluster: Cluster,
  topicPattern: RegExp | undefined,
  known: readonly Topic[],
): Promise<Topic[]> {
  if (topicPattern === undefined) {
    return await describeTopics(cluster, known.map(({ topic }) => topic));
  }
  const { matchingTopics } = await import("../kafka/matching_topics.ts");
  const found = new Map(
    (await matchingTopics(cluster, topicPattern)).map((one) => [
      one.topic,
      described(cluster, one),
    ]),
  );
  const before = known.map((topic) => found.get(topic.topic) ?? topic);
  for (const { topic } of known) found.delete(topic);
  return [...before, ...found.values()];
}

/** Whether topics have more partitions than before, or there are more topics. */
export function haveGrown(before: readonly Topic[], now: readonly Topic[]): boolean {
  const counts = new Map(before.map(({ topic, partitions }) => [topic, partitions.length]));
  return now.some(({ topic, partitions }) => partitions.length > (counts.get(topic) ?? 0));
}

/** All their partitions, the first ones of all topics first. */
export function partitionsOf(topics: readonly Topic[]): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition }))
  ).sort((a, b) => a.partition - b.partition);
}
