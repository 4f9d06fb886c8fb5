import type { TopicMetadata } from "../protocol/messages/metadata.ts";
import type { Cluster } from "./cluster.ts";
import { identityChange, identityOf, sharedEnds } from "./log_identity.ts";
import type { Commit } from "./offsets.ts";

/** What became of a partition's log since an offset of it was stored. */
export interface LogChange {
  /** Why it is another log than the one the offset is of, in words; null if nothing says so. */
  readonly other: string | null;
  /** Up to which offset it is still that log; Infinity if nothing says that it was cut. */
  readonly shared: number;
}

export const UNCHANGED: LogChange = { other: null, shared: Infinity };

/**
 * Compares what a group has stored with the logs there are, in the items' order. Nothing is seen
 * of offsets that other programs committed without a leader epoch. Throws Failure if a topic cannot
 * be read.
 */
export async function logChanges(
  cluster: Cluster,
  stored: readonly Commit[],
): Promise<LogChange[]> {
  const names = [...new Set(stored.map(({ topic }) => topic))];
  const topics = new Map<string, TopicMetadata>();
  for (const name of names) topics.set(name, await cluster.topic(name));
  const changes = new Map<Commit, LogChange>();
  const asked = stored.filter((item) => {
    const { topicId } = topics.get(item.topic)!;
    const identity = { clusterId: cluster.clusterId, topicId };
    const other = identityChange(identityOf(item.metadata ?? null), identity);
    if (other !== null) changes.set(item, { other, shared: Infinity });
    return other === null && cluster.leader(item.topic, item.partition) !== -1;
  });
  const ends = await sharedEnds(
    cluster,
    asked.map((item) => ({ ...item, leaderEpoch: item.leaderEpoch ?? -1 })),
  );
  for (const [i, item] of asked.entries()) {
    if (ends[i] < item.offset) changes.set(item, { other: null, shared: ends[i] });
  }
  return stored.map((item) => changes.get(item) ?? UNCHANGED);
}
