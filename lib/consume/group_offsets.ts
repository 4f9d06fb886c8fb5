import type { Cluster } from "../kafka/cluster.ts";
import { identityChange, identityOf, identityText, sharedEnds } from "../kafka/log_identity.ts";
import { storedPositions } from "../kafka/offsets.ts";
import { partitionName, type TopicPartition } from "../kafka/partitions.ts";
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
  /** By topic: when the group began to read it, and how many partitions it had then. */
  readonly #first = new Map<string, FirstRun>();

  private constructor() {}

  /**
   * Asks for the offsets of all partitions of the topics: those of others show what one without an
   * offset is, too. Only those of `wanted` are compared with their logs. `before` is what this
   * process has read, and may not have committed yet. `together`: the topics are those of one
   * pattern, so a topic without offsets joins those that the group has read before. Throws Failure.
   */
  static async read(
    cluster: Cluster,
    group: string,
    topics: readonly Topic[],
    wanted: readonly TopicPartition[],
    before: readonly Span[],
    together: boolean,
  ): Promise<GroupOffsets> {
    const all = partitionsOf(topics);
    const positions = (await storedPositions(cluster, group, all))
      .map((position, i) => further({ ...all[i], ...position }, before))
      .filter(({ offset }) => offset !== -1);
    const found = new GroupOffsets();
    const ours = new Set(wanted.map(partitionName));
    const checked: (TopicPartition & Stored)[] = [];
    for (const { topic, partition, metadata, offset, leaderEpoch } of positions) {
      const { identity } = topics.find((described) => described.topic === topic)!;
      const change = identityChange(identityOf(metadata), identity);
      const first = change === null ? firstRunOf(metadata) : LONG_AGO;
      const known = found.#first.get(topic);
      if (!known || first.began < known.began) found.#first.set(topic, first);
      const name = partitionName({ topic, partition });
      if (!ours.has(name)) continue;
      const stored = { topic, partition, offset, leaderEpoch, change, shared: Infinity };
      found.#stored.set(name, stored);
      // Epochs of another log say nothing of this one.
      if (change === null) checked.push(stored);
    }
    const shared = await sharedEnds(cluster, checked);
    for (const [i, stored] of checked.entries()) stored.shared = shared[i];
    const began = [...found.#first.values()].map(({ began }) => began);
    const first = together ? Math.min(Date.now(), ...began) : Date.now();
    for (const { topic, partitions } of topics) {
      if (found.#first.has(topic)) continue;
      found.#first.set(topic, { began: first, partitions: partitions.length });
    }
    return found;
  }

  /** Where the group stands in a partition; null if it has stored nothing. */
  of(partition: TopicPartition): Stored | null {
    return this.#stored.get(partitionName(partition)) ?? null;
  }

  /**
   * Whether a partition without an offset was added after the group's first run, which is what a
   * fallback is for, maybe with its topic. An offset of another partition would show it, if processes that run at the
   * same time, each with its share, did not commit their first ones one after the other.
   */
  isLater({ topic, partition }: TopicPartition): boolean {
    const { began, partitions } = this.#first.get(topic)!;
    return partition >= partitions || Date.now() - began > FIRST_RUN;
  }

  /** The text to commit with the offsets of a topic. */
  text({ topic, identity }: Topic): string {
    const { began, partitions } = this.#first.get(topic)!;
    return `${identityText(identity)} began=${began} partitions=${partitions}`;
  }
}

/**
 * How long those that run at the same time may take to begin, one after the other, milliseconds.
 */
const FIRST_RUN = 5 * 60_000;

interface FirstRun {
  /** Epoch milliseconds. */
  began: number;
  partitions: number;
}

const LONG_AGO: FirstRun = { began: 0, partitions: 0 };

/** The first run in a text that {@link GroupOffsets.text} made; with any other it was long ago. */
function firstRunOf(text: string | null): FirstRun {
  const [, began, partitions] = / began=(\d+) partitions=(\d+)$/.exec(text ?? "") ?? [];
  return began === undefined ? LONG_AGO : { began: Number(began), partitions: Number(partitions) };
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
