import type { Cluster } from "../kafka/cluster.ts";
import type { LogIdentity } from "../kafka/log_identity.ts";
import type { TopicPartition } from "../kafka/partitions.ts";

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
  for (const name of names) {
    const { partitions, topicId } = await cluster.topic(name);
    topics.push({
      topic: name,
      partitions: partitions.map(({ partition }) => partition).sort((a, b) => a - b),
      identity: { clusterId: cluster.clusterId, topicId },
    });
  }
  return topics;
}

/** All their partitions, the first ones of all topics first. */
export function partitionsOf(topics: readonly Topic[]): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition }))
  ).sort((a, b) => a.partition - b.partition);
}
