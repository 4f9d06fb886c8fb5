import { Failure } from "../failure.ts";
import type { Cluster } from "../kafka/cluster.ts";
import { groupOffsets, type StoredOffset } from "../kafka/groups.ts";
import { identityText } from "../kafka/log_identity.ts";
import { type Commit, lookUpOffsets, lookUpPositions } from "../kafka/offsets.ts";
import { readLogs } from "../kafka/logs.ts";
import { allPartitions, partitionName, type TopicPartition } from "../kafka/partitions.ts";
import { LATEST } from "../protocol/messages/list_offsets.ts";
import { type Move, planMoves, type Target, targetOffset } from "./moves.ts";

/** Which partitions a reset is about. */
export interface Selection {
  /** Empty: those in which the group has stored an offset. */
  topics: readonly string[];
  /** Of one topic; null: all. */
  partitions: readonly number[] | null;
}

/** What storing these offsets would change. Throws Failure if one can't be stored. */
export async function planImport(
  cluster: Cluster,
  group: string,
  offsets: readonly StoredOffset[],
  clamp: boolean,
): Promise<Move[]> {
  const topics = [...new Set(offsets.map(({ topic }) => topic))];
  checkExist(await allPartitions(cluster, topics), offsets);
  const [stored, logs] = await Promise.all([
    groupOffsets(cluster, group),
    readLogs(cluster, offsets),
  ]);
  const wanted = offsets.map((item) => ({ ...item, old: storedIn(stored, item) }));
  return planMoves(wanted, logs, clamp);
}

/** What a reset would change. Throws Failure if it can't be done. */
export async function planReset(
  cluster: Cluster,
  group: string,
  selection: Selection,
  target: Target,
  clamp: boolean,
): Promise<Move[]> {
  const stored = await groupOffsets(cluster, group);
  const items = await select(cluster, group, selection, stored);
  const time = target.at === "time" ? target.time : null;
  const [logs, times] = await Promise.all([
    readLogs(cluster, items),
    time === null ? null : lookUpOffsets(
      cluster,
      "read_committed",
      items.map((item) => ({ ...item, timestamp: time })),
    ),
  ]);
  const wanted = items.map((item, i) => {
    const old = storedIn(stored, item);
    return { ...item, old, offset: targetOffset(target, item, old, logs[i], times?.[i] ?? -1) };
  });
  return planMoves(wanted, logs, clamp);
}

/**
 * The offsets to store, each with what tells the log it is of from another one: so a reset is also
 * how a group accepts the log that is there now. Throws Failure.
 */
export async function commitsOf(cluster: Cluster, moves: readonly Move[]): Promise<Commit[]> {
  const items = moves.map(({ topic, partition }) => ({ topic, partition, timestamp: LATEST }));
  const positions = await lookUpPositions(cluster, "read_committed", items);
  const texts = new Map<string, string>();
  for (const topic of new Set(moves.map(({ topic }) => topic))) {
    const { topicId } = await cluster.topic(topic);
    texts.set(topic, identityText({ clusterId: cluster.clusterId, topicId }));
  }
  return moves.map(({ topic, partition, offset }, i) => {
    const { leaderEpoch } = positions[i];
    return { topic, partition, offset, leaderEpoch, metadata: texts.get(topic) };
  });
}

/** Throws Failure (record) saying that a group has stored nothing: a wrong name looks like that. */
export function nothingStored(group: string): Failure {
  return new Failure("record", `group "${group}" has no stored offsets — check its name`);
}

async function select(
  cluster: Cluster,
  group: string,
  { topics, partitions }: Selection,
  stored: readonly StoredOffset[],
): Promise<TopicPartition[]> {
  if (topics.length === 0) {
    if (stored.length === 0) throw nothingStored(group);
    checkExist(
      await allPartitions(cluster, [...new Set(stored.map(({ topic }) => topic))]),
      stored,
    );
    return stored.map(({ topic, partition }) => ({ topic, partition }));
  }
  const all = await allPartitions(cluster, topics);
  if (partitions === null) return all;
  const wanted = partitions.toSorted((a, b) => a - b)
    .map((partition) => ({ topic: topics[0], partition }));
  checkExist(all, wanted);
  return wanted;
}

function checkExist(all: readonly TopicPartition[], items: readonly TopicPartition[]): void {
  for (const { topic, partition } of items) {
    const its = all.filter((item) => item.topic === topic);
    if (its.some((item) => item.partition === partition)) continue;
    throw new Failure(
      "record",
      `${partitionName({ topic, partition })} does not exist: the topic has 0 to ${its.length - 1}`,
    );
  }
}

function storedIn(stored: readonly StoredOffset[], item: TopicPartition): number | null {
  const found = stored.find(({ topic, partition }) =>
    topic === item.topic && partition === item.partition
  );
  return found?.offset ?? null;
}
