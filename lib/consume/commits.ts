import type { Cluster } from "../kafka/cluster.ts";
import { BrokerError } from "../kafka/errors.ts";
import { type Commit, commitOffsets } from "../kafka/offsets.ts";
import {
  ILLEGAL_GENERATION,
  REBALANCE_IN_PROGRESS,
  UNKNOWN_MEMBER_ID,
} from "../protocol/error_codes.ts";
import type { GroupMember } from "../protocol/messages/offset_commit.ts";
import type { ConsumeOptions } from "./options.ts";
import type { Span } from "./span.ts";

/** How often a run without an end commits, milliseconds. */
const EVERY = 5000;

/** A group's answers to a process that is not a member any more, or not of this generation. */
const refusals = [ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS];

/** Commits what the output has accepted: at a run's end, and in between if the run has no end. */
export class Commits {
  readonly #cluster: Cluster;
  readonly #options: ConsumeOptions;
  readonly #spans: readonly Span[];
  readonly #member: GroupMember | undefined;
  #since = performance.now();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    cluster: Cluster,
    options: ConsumeOptions,
    spans: readonly Span[],
    member?: GroupMember,
  ) {
    this.#cluster = cluster;
    this.#options = options;
    this.#spans = spans;
    this.#member = member;
  }

  /**
   * Commits where the fallback lets a first run start, before anything is read: if the run fails,
   * the next one starts there too, and not at an end that has moved on.
   */
  async commitStarts(): Promise<void> {
    const { commit, fallback } = this.#options;
    if (!commit || fallback !== "latest") return;
    await this.#inTurn(this.#spans.filter(({ notes }) => notes.isFallback));
  }

  /** Commits if it is time to. A run with an end is all or nothing: it waits for the end. */
  async commitIfDue(): Promise<void> {
    if (this.#options.until === "end" || performance.now() - this.#since < EVERY) return;
    this.#since = performance.now();
    await this.commit();
  }

  /**
   * Commits. Offsets that did not move too: one that is not renewed expires in the end. Returns
   * false if the group has given the member's partitions to others. Throws Failure.
   */
  async commit(): Promise<boolean> {
    return !this.#options.commit || await this.#inTurn(this.#spans);
  }

  /**
   * One commit at a time, and each of what is written when its turn comes: several leaders' readers
   * commit, and an older offset must not arrive after a newer one.
   */
  #inTurn(spans: readonly Span[]): Promise<boolean> {
    const committed = this.#turn.then(() => this.#commit(spans));
    this.#turn = committed.catch(() => {});
    return committed;
  }

  async #commit(spans: readonly Span[]): Promise<boolean> {
    try {
      const { group } = this.#options;
      await commitOffsets(this.#cluster, group, await this.#offsets(spans), this.#member);
      return true;
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      if (this.#member && cause instanceof BrokerError && refusals.includes(cause.code)) {
        this.#cluster.config.debug(cause.message);
        return false;
      }
      throw error;
    }
  }

  async #offsets(spans: readonly Span[]): Promise<Commit[]> {
    const known = ({ topic, partition }: Span) => this.#cluster.leaderEpoch(topic, partition);
    const topics = new Set(
      spans.filter((span) => span.leaderEpoch > known(span)).map(({ topic }) => topic),
    );
    // A batch's epoch is not in its checksum: one that is newer than what is known may be wrong.
    if (topics.size > 0) await this.#cluster.refresh([...topics]).catch(() => {});
    return spans.map((span) => ({
      topic: span.topic,
      partition: span.partition,
      offset: span.written,
      leaderEpoch: span.leaderEpoch <= known(span) ? span.leaderEpoch : -1,
      metadata: span.notes.metadata,
    }));
  }
}
