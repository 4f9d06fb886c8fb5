import { type Isolation, listOffsets } from "../protocol/messages/list_offsets.ts";
import { type GroupMember, offsetCommit } from "../protocol/messages/offset_commit.ts";
import { offsetFetch } from "../protocol/messages/offset_fetch.ts";
import {
  LEADER_NOT_AVAILABLE,
  OFFSET_METADATA_TOO_LARGE,
  UNKNOWN_MEMBER_ID,
} from "../protocol/error_codes.ts";
import { Failure } from "../failure.ts";
import type { Cluster } from "./cluster.ts";
import { answered, leftOut } from "./answers.ts";
import { BrokerError, check } from "./errors.ts";
import { Backoff, retry } from "./retry.ts";

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

/** The items by their leader, as last told to the cluster. -1: none is known. */
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

/** The offsets alone that {@link lookUpPositions} finds. */
export async function lookUpOffsets(
  cluster: Cluster,
  isolation: Isolation,
  items: readonly (TopicPartition & { timestamp: number })[],
): Promise<number[]> {
  return (await lookUpPositions(cluster, isolation, items)).map(({ offset }) => offset);
}

/** An offset, and the leader epoch it was found under (KIP-320); -1 if that is not known. */
export interface Position {
  readonly offset: number;
  readonly leaderEpoch: number;
}

/**
 * Where each item's timestamp (or LATEST, EARLIEST) is, in the items' order; offset -1 if no record
 * is at or after it. Under LATEST the epoch is the leader's own. Asks the leaders, and asks again
 * if they moved, until the timeout.
 */
export async function lookUpPositions(
  cluster: Cluster,
  isolation: Isolation,
  items: readonly (TopicPartition & { timestamp: number })[],
): Promise<Position[]> {
  const offsets = new Map<TopicPartition, Position>();
  const backoff = new Backoff(cluster.config);
  while (true) {
    const missing = items.filter((item) => !offsets.has(item));
    if (missing.length === 0) return items.map((item) => offsets.get(item)!);
    const asked = [...byLeader(cluster, missing)].map(([id, wanted]) =>
      askLeader(cluster, isolation, id, wanted, offsets)
    );
    const errors = (await Promise.allSettled(asked)).filter((r) => r.status === "rejected");
    if (errors.length > 0) {
      await backoff.next(errors[0].reason);
      await cluster.refresh([...new Set(missing.map((item) => item.topic))]).catch(() => {});
    }
  }
}

async function askLeader(
  cluster: Cluster,
  isolation: Isolation,
  id: number,
  wanted: readonly (TopicPartition & { timestamp: number })[],
  offsets: Map<TopicPartition, Position>,
): Promise<void> {
  const failed = (item: TopicPartition) => `cannot list the offsets of ${partitionName(item)}`;
  if (id === -1) throw noLeader(failed(wanted[0]));
  const connection = await cluster.broker(id);
  const answer = await connection.call(listOffsets, { isolation, topics: byTopic(wanted) });
  const find = answered(answer.topics);
  let error: unknown;
  for (const item of wanted) {
    const found = find(item);
    if (!found) error ??= leftOut(failed(item), connection, item);
    else if (found.errorCode !== 0) error ??= new BrokerError(failed(item), found.errorCode);
    else offsets.set(item, { offset: found.offset, leaderEpoch: found.leaderEpoch });
  }
  if (error) throw error;
}

/** Where a group stands in a partition, as it was committed. */
export interface StoredPosition extends Position {
  /** The text that was committed with it. */
  readonly metadata: string | null;
}

/** The offsets alone that {@link storedPositions} finds. */
export async function storedOffsets(
  cluster: Cluster,
  group: string,
  items: readonly TopicPartition[],
): Promise<number[]> {
  return (await storedPositions(cluster, group, items)).map(({ offset }) => offset);
}

/** What a group has stored, in the items' order; offset -1 if it has stored none. */
export async function storedPositions(
  cluster: Cluster,
  group: string,
  items: readonly TopicPartition[],
): Promise<StoredPosition[]> {
  return await retry(cluster.config, async () => {
    const failed = `cannot read the offsets of group "${group}"`;
    const connection = await cluster.coordinator(group);
    const topics = byTopic(items).map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map((p) => p.partition),
    }));
    const answer = await connection.call(offsetFetch, { group, topics });
    check(failed, answer.errorCode);
    const find = answered(answer.topics);
    return items.map((item) => {
      const of = `${failed} for ${partitionName(item)}`;
      const found = find(item);
      if (!found) throw leftOut(of, connection, item);
      check(of, found.errorCode);
      const { offset, leaderEpoch, metadata } = found;
      return { offset, leaderEpoch, metadata };
    });
  });
}

/** What is committed for a partition: the next offset to read, and what tells which log it is of. */
export interface Commit extends TopicPartition {
  readonly offset: number;
  /** Of the last record read (KIP-320). */
  readonly leaderEpoch?: number;
  /** Any text; {@link StoredPosition} has it again. */
  readonly metadata?: string | null;
}

/**
 * Stores offsets (the next ones to read) for a group: as one of its members, or without joining
 * it. Throws Failure; where the group has live members and this is none of them, too: then they
 * own its offsets.
 *
 * Where the broker allows no text as long (offset.metadata.max.bytes), the offsets go without it.
 */
export async function commitOffsets(
  cluster: Cluster,
  group: string,
  items: readonly Commit[],
  member?: GroupMember,
): Promise<void> {
  if (items.length === 0) return;
  try {
    await commitAll(cluster, group, items, member);
  } catch (error) {
    const cause = error instanceof Failure ? error.cause : null;
    if (!(cause instanceof BrokerError && cause.code === OFFSET_METADATA_TOO_LARGE)) throw error;
    cluster.config.debug(`${cause.message}; committing without metadata`);
    const bare = items.map((item) => ({ ...item, metadata: null }));
    await commitAll(cluster, group, bare, member);
  }
}

async function commitAll(
  cluster: Cluster,
  group: string,
  items: readonly Commit[],
  member?: GroupMember,
): Promise<void> {
  await retry(cluster.config, async () => {
    const connection = await cluster.coordinator(group);
    const answer = await connection.call(offsetCommit, { group, member, topics: byTopic(items) });
    const find = answered(answer.topics);
    for (const item of items) {
      const failed = `cannot commit for group "${group}" ${partitionName(item)}`;
      const found = find(item);
      if (!found) throw leftOut(failed, connection, item);
      if (found.errorCode === UNKNOWN_MEMBER_ID && !member) {
        throw new Failure("broker", `${failed}: the group has live members, use another group`);
      }
      check(failed, found.errorCode);
    }
  });
}
