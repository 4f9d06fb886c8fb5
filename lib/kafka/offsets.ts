import { type Isolation, listOffsets } from "../protocol/messages/list_offsets.ts";
import { type GroupMember, offsetCommit } from "../protocol/messages/offset_commit.ts";
import { offsetFetch } from "../protocol/messages/offset_fetch.ts";
import { OFFSET_METADATA_TOO_LARGE, UNKNOWN_MEMBER_ID } from "../protocol/error_codes.ts";
import { Failure } from "../failure.ts";
import type { Cluster } from "./cluster.ts";
import { answered, leftOut } from "./answers.ts";
import { BrokerError, check } from "./errors.ts";
import { askLeaders } from "./leaders.ts";
import { byTopic, partitionName, type TopicPartition } from "./partitions.ts";
import { retry } from "./retry.ts";

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
  return await askLeaders(cluster, items, {
    what: "list the offsets of",
    ask: (connection, topics) => connection.call(listOffsets, { isolation, topics }),
    result: ({ offset, leaderEpoch }) => ({ offset, leaderEpoch }),
  });
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

/** What is committed for a partition: the next offset to read, and what identifies its log. */
export interface Commit extends TopicPartition {
  readonly offset: number;
  /** Of the last record read (KIP-320). */
  readonly leaderEpoch?: number;
  /** Any text; {@link StoredPosition} has it again. */
  readonly metadata?: string | null;
}

/**
 * Stores offsets (the next ones to read) for a group: as one of its members, or without joining
 * it. Throws Failure; also if the group has live members and this is not one of them: then they
 * own its offsets.
 *
 * If the broker does not allow a text of this length (offset.metadata.max.bytes), the offsets go
 * without it.
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
        throw new Failure("broker", `${failed}: the group has live members — use another group`);
      }
      check(failed, found.errorCode);
    }
  });
}
