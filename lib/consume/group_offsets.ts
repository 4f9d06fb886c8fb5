import type { Cluster } from "../kafka/cluster.ts";
import { identityChange, identityOf, identityText, sharedEnds } from "../kafka/log_identity.ts";
import { partitionName, storedPositions, type TopicPartition } from "../kafka/offsets.ts";
import type { Wanted } from "./lost.ts";
import type { Span } from "./span.ts";
import { partitionsOf, type Topic } from "./topics.ts";

/** Where a group stands in one partition. */
export interface Stored extends Wanted {
  leaderEpoch: number;
}

/** What a group has stored of some topics, and whether that is still of their logs. */
export class GroupOffsets {
  readonly #stored = new Map<string, Stored>();
  /** By topic: how many partitions it had when the group began to read it. */
  readonly #first = new Map<string, number>();

  private constructor() {}

  /**
   * Asks for the offsets of all partitions of the topics: those of others tell what one without an
   * offset is, too. `before` is what this process has read, and may not have committed yet. Throws
   * Failure.
   */
  static async read(
    cluster: Cluster,
    group: string,
    topics: readonly Topic[],
    before: readonly Span[],
  ): Promise<GroupOffsets> {
    const all = partitionsOf(topics);
    const positions = (await storedPositions(cluster, group, all))
      .map((position, i) => further({ ...all[i], ...position }, before))
      .filter(({ offset }) => offset !== -1);
    const shared = await sharedEnds(cluster, positions);
    const found = new GroupOffsets();
    for (const [i, { metadata, offset, leaderEpoch, ...partition }] of positions.entries()) {
      const { topic, identity } = topics.find(({ topic }) => topic === partition.topic)!;
      const change = identityChange(identityOf(metadata), identity);
      // Epochs of another log say nothing of this one.
      const wanted = {
        offset,
        leaderEpoch,
        change,
        shared: change === null ? shared[i] : Infinity,
      };
      found.#stored.set(partitionName(partition), wanted);
      const first = change === null ? firstPartitions(metadata) : 0;
      found.#first.set(topic, Math.min(found.#first.get(topic) ?? Infinity, first));
    }
    for (const { topic, partitions } of topics) {
      if (!found.#first.has(topic)) found.#first.set(topic, partitions.length);
    }
    return found;
  }

  /** Where the group stands in a partition; null if it has stored nothing. */
  of(partition: TopicPartition): Stored | null {
    return this.#stored.get(partitionName(partition)) ?? null;
  }

  /**
   * Whether a partition without an offset was added after the group's first run, which is what a
   * fallback is for. It would be enough to see an offset of another partition, if those that run at
   * the same time, each with its share, did not commit their first ones one after the other.
   */
  isLater({ topic, partition }: TopicPartition): boolean {
    return partition >= this.#first.get(topic)!;
  }

  /** The text to commit with the offsets of a topic. */
  text({ topic, identity }: Topic): string {
    return `${identityText(identity)} ${FIRST}${this.#first.get(topic)}`;
  }
}

/** What is stored of a partition, or what was read of it since. */
function further<T extends TopicPartition & { offset: number }>(
  stored: T,
  before: readonly Span[],
) {
  const name = partitionName(stored);
  const span = before.find((span) => partitionName(span) === name);
  if (span === undefined || span.written <= stored.offset) return stored;
  const { written, leaderEpoch, notes } = span;
  return { ...stored, offset: written, leaderEpoch, metadata: notes.metadata ?? null };
}

const FIRST = "first-partitions=";

/** The count in a text that {@link GroupOffsets.text} made; 0 in any other: all others came later. */
function firstPartitions(text: string | null): number {
  const word = (text ?? "").split(" ").find((word) => word.startsWith(FIRST));
  return Number(word?.slice(FIRST.length) ?? 0) || 0;
}
