import type { Cluster } from "../kafka/cluster.ts";
import { lookUpOffsets } from "../kafka/offsets.ts";
import { partitionName, type TopicPartition } from "../kafka/partitions.ts";
import { type Isolation, LATEST } from "../protocol/messages/list_offsets.ts";
import type { Span } from "./span.ts";

/**
 * For how long a partition is read from its leader after its follower failed, milliseconds: until
 * the cluster has noticed, too, and the leader names another one or none. By default a broker that
 * is silent for 9 s counts as dead (broker.session.timeout.ms).
 */
const STAY = 10_000;

/** A follower that is read from. */
interface Followed {
  /** Its broker id. */
  id: number;
  /** When the leader is to be asked again, performance.now(); 0: at once. */
  until: number;
}

/** What it needs of a run's options. */
export interface ReadReplicaOptions {
  rack: string;
  isolation: Isolation;
  /** For how long a leader's choice holds, milliseconds; Java's client has the same rule. */
  metadataMaxAge: number;
}

/**
 * Which broker each partition is read from: the leader, or a follower that the leader names because
 * it is in the client's rack (KIP-392). A follower is left for the leader at every error of its
 * own, when it seems to have less than the leader, and when the leader's choice is too old. So
 * nothing is decided by a follower alone: neither that an offset is lost, nor where a log ends.
 */
export class ReadReplicas {
  readonly #cluster: Cluster;
  readonly #options: ReadReplicaOptions;
  readonly #followed = new Map<Span, Followed>();
  /** Until when a partition is not to be read from a follower, performance.now(). */
  readonly #stays = new Map<Span, number>();
  /** Since when nothing had come as {@link areAtEnd} found that there is no more. */
  atEndSince: number | null = null;
  /** Whether the leaders are being asked for that. */
  areAsked = false;

  constructor(cluster: Cluster, options: ReadReplicaOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /** The id of the broker to read a partition from now; -1 if no leader is known. */
  of(span: Span): number {
    const followed = this.#followed.get(span);
    if (followed && performance.now() < followed.until) return followed.id;
    this.#followed.delete(span);
    return this.#leader(span);
  }

  /** Whether a partition that broker `id` was asked for is to be read from another one now. */
  isElsewhere(span: Span, id: number): boolean {
    const followed = this.#followed.get(span);
    return followed !== undefined && (followed.id !== id || performance.now() >= followed.until);
  }

  /** Whether broker `id` is asked for a partition as a follower. */
  isFollower(span: Span, id: number): boolean {
    return this.#followed.get(span)?.id === id;
  }

  /** Whether any partition is read from a follower. */
  get areAny(): boolean {
    return this.#followed.size > 0;
  }

  /** The rack to send with a request for these partitions; empty where leaders are to answer. */
  rackFor(spans: readonly Span[]): string {
    if (this.#stays.size === 0) return this.#options.rack;
    const now = performance.now();
    for (const [span, until] of this.#stays) if (now >= until) this.#stays.delete(span);
    return spans.some((span) => this.#stays.has(span)) ? "" : this.#options.rack;
  }

  /**
   * The leader epoch to send, so that a follower does not answer for another log than the leader's
   * that is known. Leaders are asked without one: they answer as leaders or not at all.
   */
  epochFor(span: Span, id: number): number | undefined {
    const { topic, partition } = span;
    return this.isFollower(span, id) ? this.#cluster.leaderEpoch(topic, partition) : undefined;
  }

  /**
   * Broker `id` named a replica to read a partition from. Returns whether it is read from another
   * broker now.
   */
  prefer(span: Span, replica: number, id: number): boolean {
    if (this.isFollower(span, id)) {
      this.leave(span, `broker ${id} follows, and sends its readers to broker ${replica}`);
      return true;
    }
    if (replica === id || this.#stays.has(span)) return false;
    const until = performance.now() + this.#options.metadataMaxAge;
    this.#followed.set(span, { id: replica, until });
    this.#debug(span, `is read from broker ${replica}, as its leader ${id} proposes`);
    return true;
  }

  /** Reads a partition from its leader from now on, for a while. */
  leave(span: Span, why: string): void {
    const followed = this.#followed.get(span);
    if (followed === undefined || followed.until === 0) return;
    followed.until = 0;
    span.empty = 0; // It is how many answers of the follower were empty, not of the leader.
    this.#stays.set(span, performance.now() + STAY);
    this.#debug(span, `is read from its leader for ${STAY / 1000} s: ${why}`);
  }

  /**
   * Whether the followers have sent all that the leaders have, by asking the leaders: one that is
   * late, or cut off from its leader, is silent as if there were nothing more. Those that have not
   * are left. Nothing has come since `since`. Throws Failure.
   */
  async areAtEnd(since: number): Promise<boolean> {
    this.areAsked = true;
    try {
      const areAtEnd = await this.#areAtEnd();
      if (areAtEnd) this.atEndSince = since;
      return areAtEnd;
    } finally {
      this.areAsked = false;
    }
  }

  async #areAtEnd(): Promise<boolean> {
    const spans = [...this.#followed].filter(([, { until }]) => until > 0).map(([span]) => span);
    const { isolation } = this.#options;
    const ends = await lookUpOffsets(
      this.#cluster,
      isolation,
      spans.map(({ topic, partition }) => ({ topic, partition, timestamp: LATEST })),
    );
    const late = spans.filter((span, i) => span.fetched < Math.min(ends[i], span.end));
    for (const span of late) this.leave(span, "its follower has less than it");
    return late.length === 0;
  }

  #leader({ topic, partition }: TopicPartition): number {
    return this.#cluster.leader(topic, partition);
  }

  #debug(span: Span, what: string): void {
    this.#cluster.config.debug(`${partitionName(span)} ${what}`);
  }
}
