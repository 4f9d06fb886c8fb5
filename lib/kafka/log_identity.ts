import { offsetForLeaderEpoch } from "../protocol/messages/offset_for_leader_epoch.ts";
import type { Cluster } from "./cluster.ts";
import { askLeaders } from "./leaders.ts";
import type { TopicPartition } from "./partitions.ts";

/**
 * What identifies a topic among those of its name. An offset alone names no record: the topic may
 * have been deleted and created again, or the brokers may be another cluster's. Null is not known.
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
 * item's epoch is not known; 0 if the log knows no epoch at or after it, so that all of it is
 * another's. Asks the leaders, and again if they moved, until the timeout. Of a broker that does not
 * accept the question nothing is known. Throws Failure.
 */
export async function sharedEnds(
  cluster: Cluster,
  items: readonly EpochOffset[],
): Promise<number[]> {
  const known = items.filter(({ leaderEpoch }) => leaderEpoch >= 0);
  const ends = await askLeaders(cluster, known, {
    what: "compare the log of",
    ask: async (connection, topics) => {
      if (connection.accepts(offsetForLeaderEpoch)) {
        return await connection.call(offsetForLeaderEpoch, { topics });
      }
      const { debug } = cluster.config;
      debug(`${connection.name} does not accept OffsetForLeaderEpoch: its log is not compared`);
      const unknown = { errorCode: 0, leaderEpoch: -1, endOffset: Infinity };
      return {
        topics: topics.map(({ topic, partitions }) => ({
          topic,
          partitions: partitions.map(({ partition }) => ({ partition, ...unknown })),
        })),
      };
    },
    result: ({ endOffset }) => Math.max(endOffset, 0),
  });
  const found = new Map(known.map((item, i) => [item, ends[i]]));
  return items.map((item) => found.get(item) ?? Infinity);
}
