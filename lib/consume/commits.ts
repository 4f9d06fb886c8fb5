import type { Cluster } from "../kafka/cluster.ts";
import { BrokerError } from "../kafka/errors.ts";
import { commitOffsets } from "../kafka/offsets.ts";
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

/** A group's answers to a member that is none any more, or not of this generation. */
const refusals = [ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS];

/** Commits what the output took: at a run's end, and in between where it has none. */
export class Commits {
  readonly #cluster: Cluster;
  readonly #options: ConsumeOptions;
  readonly #spans: readonly Span[];
  readonly #member: GroupMember | undefined;
  #since = performance.now();

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

  /** Commits where it is time to. A run with an end is all or nothing: it waits for the end. */
  async inPassing(): Promise<void> {
    if (this.#options.until === "end" || performance.now() - this.#since < EVERY) return;
    this.#since = performance.now();
    await this.last();
  }

  /**
   * Commits. Offsets that did not move too: one that is not renewed expires in the end. Returns
   * false where the group has given the member's partitions to others. Throws Failure.
   */
  async last(): Promise<boolean> {
    if (!this.#options.commit) return true;
    const items = this.#spans.map(({ topic, partition, written }) => ({
      topic,
      partition,
      offset: written,
    }));
    try {
      await commitOffsets(this.#cluster, this.#options.group, items, this.#member);
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
}
