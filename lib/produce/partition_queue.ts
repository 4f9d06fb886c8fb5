import type { Connection } from "../kafka/connection.ts";
import type { TopicPartition } from "../kafka/partitions.ts";
import { Backoff } from "../kafka/retry.ts";
import type { ClientConfig } from "../kafka/config.ts";
import type { ProducerIdentity, RecordBatch } from "./batch.ts";

/** Sequence numbers go round at 2^31. */
const SEQUENCES = 0x8000_0000;
/** Longest time after an acknowledgement for which a broker is trusted to know the producer. */
const TRUST = 5_000;

/** The batches of one partition that are not acknowledged, in their order. */
export class PartitionQueue implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly backoff: Backoff;
  /** The batches; the first {@link sent} of them were sent since the last failure. */
  readonly batches: RecordBatch[] = [];
  sent = 0;
  /** Batches sent that are neither answered nor lost. */
  inFlight = 0;
  /** What went wrong first; nothing is sent until that is dealt with. */
  problem: { error: unknown; batch: RecordBatch | null } | null = null;
  /** Whether nothing was acknowledged since something last went wrong. */
  failing = false;
  /** Whether nothing was acknowledged since the producer's epoch was last raised. */
  renewed = false;
  /** The connection to the leader; null: it must be looked for. */
  connection: Connection | null = null;
  connecting = false;
  /** Rows acknowledged, and their offsets: the first one's, and the one after the last. */
  rows = 0;
  firstOffset = -1;
  nextOffset = -1;
  #identity: ProducerIdentity;
  #sequence = 0;
  #acknowledged = -Infinity;

  constructor(
    { topic, partition }: TopicPartition,
    config: ClientConfig,
    identity: ProducerIdentity,
  ) {
    this.topic = topic;
    this.partition = partition;
    this.backoff = new Backoff(config);
    this.#identity = identity;
  }

  get identity(): ProducerIdentity {
    return this.#identity;
  }

  /**
   * Whether a batch was acknowledged a moment ago. If not, only one may be in flight: a broker that
   * does not know the producer, or no longer, accepts any sequence number, so it would
   * accept the second batch without the first.
   */
  get established(): boolean {
    return performance.now() - this.#acknowledged < TRUST;
  }

  /** The batches that may be in the log although no answer said so. */
  get inDoubt(): RecordBatch[] {
    return this.batches.filter((batch) => batch.inDoubt);
  }

  push(batch: RecordBatch): void {
    this.batches.push(batch);
  }

  /** The next batch to send. It has its place in the sequence from then on. */
  next(): RecordBatch {
    const batch = this.batches[this.sent++];
    this.inFlight++;
    if (!batch.stamped) this.#stamp(batch);
    return batch;
  }

  /** Takes out a batch that was acknowledged. */
  acknowledge(batch: RecordBatch, baseOffset: number): void {
    this.#take(batch);
    this.#acknowledged = performance.now();
    this.failing = false;
    this.renewed = false;
    this.rows += batch.count;
    if (baseOffset >= 0) {
      if (this.firstOffset === -1) this.firstOffset = baseOffset;
      this.nextOffset = Math.max(this.nextOffset, baseOffset + batch.count);
    }
    batch.release();
  }

  /**
   * Replaces a batch that was rejected by others, or by none. Only while nothing is in flight
   * or in doubt: then no later batch was accepted either, and all get new sequence numbers.
   */
  replace(batch: RecordBatch, by: readonly RecordBatch[]): void {
    const index = this.#take(batch);
    this.batches.splice(index, 0, ...by);
    if (this.#identity.id !== -1) this.#sequence = batch.sequence;
    for (const later of this.batches.slice(index)) later.unstamp();
    batch.release();
  }

  /**
   * Continues as another producer, or with a higher epoch, from sequence number 0. Only while
   * nothing is in flight or in doubt: what the log has already would be accepted again.
   */
  renew(identity: ProducerIdentity): void {
    this.#identity = identity;
    this.#sequence = 0;
    this.#acknowledged = -Infinity;
    this.renewed = true;
    for (const batch of this.batches) batch.unstamp();
  }

  /** Everything is to be sent again. */
  rewind(): void {
    this.sent = 0;
    this.connection = null;
    this.problem = null;
  }

  #stamp(batch: RecordBatch): void {
    if (this.#identity.id === -1) return batch.stamp(this.#identity, -1);
    batch.stamp(this.#identity, this.#sequence);
    this.#sequence = (this.#sequence + batch.count) % SEQUENCES;
  }

  #take(batch: RecordBatch): number {
    const index = this.batches.indexOf(batch);
    this.batches.splice(index, 1);
    if (index < this.sent) this.sent--;
    return index;
  }
}
