import type { Cluster } from "../kafka/cluster.ts";
import { check } from "../kafka/errors.ts";
import { NO_LEADER, type PartitionLog } from "../kafka/logs.ts";
import { noLeader, partitionName } from "../kafka/partitions.ts";
import { retry } from "../kafka/retry.ts";
import type { TopicConfig } from "../protocol/messages/describe_topic_configs.ts";
import type { PartitionMetadata, TopicMetadata } from "../protocol/messages/metadata.ts";
import { endColumns } from "./end_columns.ts";
import { type Cell, counted, table } from "./table.ts";

/** All topics that this client may see, by their names. Throws Failure. */
export async function allTopics(cluster: Cluster): Promise<TopicMetadata[]> {
  const { topics } = await retry(cluster.config, () => cluster.refresh(null));
  return topics.sort((a, b) => a.topic < b.topic ? -1 : 1);
}

/** How many brokers are up. Throws Failure if none can be reached. */
export async function countBrokers(cluster: Cluster): Promise<number> {
  return (await retry(cluster.config, () => cluster.refresh([]))).brokers.length;
}

/**
 * A topic that was just created, when each of its partitions has a leader. Throws Failure where
 * that takes longer than the timeout.
 */
export async function withLeaders(cluster: Cluster, topic: string): Promise<TopicMetadata> {
  return await retry(cluster.config, async () => {
    const [found] = (await cluster.refresh([topic])).topics;
    check(`cannot read topic "${topic}"`, found.errorCode);
    const without = found.partitions.find(({ leader }) => leader === -1);
    if (without) throw noLeader(`cannot use ${partitionName({ topic, ...without })}`);
    return found;
  });
}

/** How many copies a topic's partitions have: the fewest, where they differ. */
export function replication({ partitions }: TopicMetadata): number {
  return Math.min(...partitions.map(({ replicas }) => replicas.length));
}

/** A line for each topic. */
export function topicTable(topics: readonly TopicMetadata[]): string {
  const rows = topics.map((topic): Cell[] => {
    const { partitions } = topic;
    const leaderless = partitions.filter(({ leader }) => leader === -1).length;
    const behind = partitions.filter(isBehind).length;
    const notes = [
      ...(topic.isInternal ? ["internal"] : []),
      ...(leaderless > 0 ? [`${leaderless} without a leader`] : []),
      ...(behind > 0 ? [`${behind} under-replicated`] : []),
    ];
    return [topic.topic, partitions.length, replication(topic), notes.join(", ")];
  });
  return table(["TOPIC", "PARTITIONS", "REPLICATION", ""], rows);
}

/** A topic's partitions with their logs, and its configs: those set for the topic first. */
export function topicText(
  topic: TopicMetadata,
  logs: readonly PartitionLog[],
  configs: readonly TopicConfig[],
): string {
  const partitions = topic.partitions.toSorted((a, b) => a.partition - b.partition);
  const ends = endColumns(logs);
  const rows = partitions.map((p, i): Cell[] => [
    p.partition,
    p.leader === -1 ? "none" : p.leader,
    p.replicas.join(","),
    p.inSyncReplicas.join(",") + (isBehind(p) ? " (under-replicated)" : ""),
    ...(logs[i] === NO_LEADER
      ? ends.header.concat("").map(() => null)
      : [logs[i].start, ...ends.cells(logs[i])]),
  ]);
  const sorted = [...configs.filter(({ own }) => own), ...configs.filter(({ own }) => !own)];
  const settings = sorted.map(({ name, value, own }): Cell[] => [
    name,
    value === "" ? '""' : value,
    own ? "topic" : "default",
  ]);
  return `${topic.topic}: ${counted(partitions.length, "partition")}, replication ${
    replication(topic)
  }\n\n` +
    table(["PARTITION", "LEADER", "REPLICAS", "IN-SYNC", "START", ...ends.header], rows) + "\n" +
    table(["CONFIG", "VALUE", "SET BY"], settings);
}

function isBehind({ replicas, inSyncReplicas }: PartitionMetadata): boolean {
  return inSyncReplicas.length < replicas.length;
}
