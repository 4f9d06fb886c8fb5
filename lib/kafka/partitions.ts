import { LEADER_NOT_AVAILABLE } from "../protocol/error_codes.ts";
import type { TopicMetadata } from "../protocol/messages/metadata.ts";
import type { Cluster } from "./cluster.ts";
import { BrokerError } from "./errors.ts";

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** `topic "x" partition 3`: how every message names a partition. */
export function partitionName({ topic, partition }: TopicPartition): string {
  return `topic "${topic}" partition ${partition}`;
}

/** `topic "x" partitions 0, 3; topic "y" partitions 1`: several of them in a line. */
export function partitionNames(items: readonly TopicPartition[]): string {
  return byTopic(items).map(({ topic, partitions }) =>
    `topic "${topic}" partitions ${partitions.map(({ partition }) => partition).join(", ")}`
  ).join("; ");
}

/** All partitions of a topic, in order. */
export function partitionsOf({ topic, partitions }: TopicMetadata): TopicPartition[] {
  return partitions.map(({ partition }) => ({ topic, partition }))
    .sort((a, b) => a.partition - b.partition);
}

/**
 * All partitions of these topics, in order. Throws Failure if a topic can't be read, naming it.
 */
export async function allPartitions(
  cluster: Cluster,
  topics: readonly string[],
): Promise<TopicPartition[]> {
  const found = await Promise.all(topics.toSorted().map((topic) => cluster.topic(topic)));
  return found.flatMap(partitionsOf);
}

/** The items by topic, as requests want them. */
export function byTopic<T extends TopicPartition>(
  items: readonly T[],
): { topic: string; partitions: T[] }[] {
  const topics = new Map<string, T[]>();
  for (const item of items) {
    const known = topics.get(item.topic);
    if (known) known.push(item);
    else topics.set(item.topic, [item]);
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }));
}

/** The items by their leader, as last reported to the cluster. -1: none is known. */
export function byLeader<T extends TopicPartition>(
  cluster: Cluster,
  items: readonly T[],
): Map<number, T[]> {
  const leaders = new Map<number, T[]>();
  for (const item of items) {
    const id = cluster.leader(item.topic, item.partition);
    const known = leaders.get(id);
    if (known) known.push(item);
    else leaders.set(id, [item]);
  }
  return leaders;
}

/** Throws the passing error that stands for a partition without a leader. */
export function noLeader(failed: string): BrokerError {
  return new BrokerError(failed, LEADER_NOT_AVAILABLE);
}
