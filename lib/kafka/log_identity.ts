import { offsetForLeaderEpoch } from "../protocol/messages/offset_for_leader_epoch.ts";
import { answered, leftOut } from "./answers.ts";
import type { Cluster } from "./cluster.ts";
import { BrokerError } from "./errors.ts";
import { byLeader, byTopic, noLeader, partitionName, type TopicPartition } from "./offsets.ts";
import { Backoff } from "./retry.ts";

/**
 * What tells a topic from others of its name. An offset alone names no record: the topic may have
 * been deleted and created again, or the brokers may be another cluster's. Null is not known.
 */
export interface LogIdentity {
  readonly clusterId: string | null;
  /** Null from brokers before Kafka 2.8, which have no topic ids (KIP-516). */
  readonly topicId: string | null;
}

/** An offset to check: the next one to read, and the leader epoch it was stored with. */
export interface EpochOffset extends TopicPartition {
  readonly offset: number;
  /** -1 if it is not known: then there is nothing to compare. */
  readonly leaderEpoch: number;
}

/**
 * The difference between the log an offset was stored for and the log there is, in words; null if
 * there is none, or none that can be seen.
 */
export function identityChange(stored: LogIdentity, found: LogIdentity): string | null {
  if (differ(stored.clusterId, found.clusterId)) {
    return `the offsets are of cluster ${stored.clusterId}, the brokers are of cluster ` +
      `${found.clusterId}`;
  }
  if (differ(stored.topicId, found.topicId)) {
    return `the topic was recreated: the offsets are of topic id ${stored.topicId}, ` +
      `its topic id is ${found.topicId}`;
  }
  return null;
}

/** The identity as text, to be kept beside a group's offsets; {@link identityOf} reads it again. */
export function identityText({ clusterId, topicId }: LogIdentity): string {
  const words = ["gpdb-kafka"];
  if (clusterId !== null) words.push(`cluster=${clusterId}`);
  if (topicId !== null) words.push(`topic=${topicId}`);
  return words.join(" ");
}

/** The identity in a text that {@link identityText} made; of any other text nothing is known. */
export function identityOf(text: string | null): LogIdentity {
  const [first, ...words] = (text ?? "").split(" ");
  const value = (name: string) =>
    first !== "gpdb-kafka"
      ? null
      : words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? null;
  return { clusterId: value("cluster"), topicId: value("topic") };
}

function differ(stored: string | null, found: string | null): boolean {
  return stored !== null && found !== null && stored !== found;
}

/**
 * For each item, the offset up to which its log is still the one it was stored for (KIP-320): less
 * than the item's own offset if an unclean leader election has cut the log since. Infinity if the
 * item's epoch is not known; 0 if the log knows no epoch at or after it, so that all of it is another's.
 * Asks the leaders, and again if they moved, until the timeout. The cluster must have been opened
 * with offsetForLeaderEpoch. Throws Failure.
 */
export async function sharedEnds(
  cluster: Cluster,
  items: readonly EpochOffset[],
): Promise<number[]> {
  const ends = new Map<EpochOffset, number>();
  for (const item of items) if (item.leaderEpoch < 0) ends.set(item, Infinity);
  const backoff = new Backoff(cluster.config);
  while (true) {
    const missing = items.filter((item) => !ends.has(item));
    if (missing.length === 0) return items.map((item) => ends.get(item)!);
    const asked = [...byLeader(cluster, missing)].map(([id, wanted]) =>
      askLeader(cluster, id, wanted, ends)
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
  id: number,
  wanted: readonly EpochOffset[],
  ends: Map<EpochOffset, number>,
): Promise<void> {
  const failed = (item: TopicPartition) => `cannot compare the log of ${partitionName(item)}`;
  if (id === -1) throw noLeader(failed(wanted[0]));
  const connection = await cluster.broker(id);
  const answer = await connection.call(offsetForLeaderEpoch, { topics: byTopic(wanted) });
  const find = answered(answer.topics);
  let error: unknown;
  for (const item of wanted) {
    const end = find(item);
    if (end === undefined) error ??= leftOut(failed(item), connection, item);
    else if (end.errorCode !== 0) error ??= new BrokerError(failed(item), end.errorCode);
    else ends.set(item, Math.max(end.endOffset, 0));
  }
  if (error) throw error;
}
