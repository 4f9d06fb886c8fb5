import { Failure } from "../failure.ts";
import type { Cluster } from "../kafka/cluster.ts";
import type { Connection } from "../kafka/connection.ts";
import { BrokerError } from "../kafka/errors.ts";
import { lookUpOffsets } from "../kafka/offsets.ts";
import { partitionName } from "../kafka/partitions.ts";
import {
  DUPLICATE_SEQUENCE_NUMBER,
  INVALID_PRODUCER_EPOCH,
  OUT_OF_ORDER_SEQUENCE_NUMBER,
  UNKNOWN_PRODUCER_ID,
} from "../protocol/error_codes.ts";
import { LATEST } from "../protocol/messages/list_offsets.ts";
import type { ProducerIdentity } from "./batch.ts";
import { expiration } from "./expiration.ts";
import type { PartitionQueue } from "./partition_queue.ts";
import { newProducer } from "./producer_id.ts";

/** Epochs are 16 bits, with a sign. */
const LAST_EPOCH = 0x7fff;

/** What a broker answers before it has appended anything. */
const REFUSED = new Set([
  ...[2, 10, 17, 18, 19, 21, 29, 31, 32, 35, 42, 43, 44, 45, 46, 47, 59, 76, 87, 89],
]);

/** A leader does not know a batch's producer, or knows a later epoch or a later batch of it. */
const STRANGERS = new Set([
  OUT_OF_ORDER_SEQUENCE_NUMBER,
  DUPLICATE_SEQUENCE_NUMBER,
  INVALID_PRODUCER_EPOCH,
  UNKNOWN_PRODUCER_ID,
]);

/**
 * Whether a batch may be in the log after this error: no answer came, or one that a broker also
 * gives once it has appended the batch (its leadership, or a replica, went away meanwhile).
 */
export function leavesDoubt(error: unknown): boolean {
  return !(error instanceof BrokerError && REFUSED.has(error.code));
}

/** Whether a leader rejects a batch because of what it knows, or does not know, of its producer. */
export function isStranger(code: number): boolean {
  return STRANGERS.has(code);
}

/**
 * Keeps an idempotent producer's rows from being accepted twice. A batch in doubt, one that may be
 * in the log although no answer said so, is sent again as it was, and only while the broker is sure
 * to recognise it if it has it. With another epoch or sequence number it would be a new one.
 */
export class Once {
  readonly #cluster: Cluster;
  readonly #place: (line: number) => string;

  /** `place` names a row's line. */
  constructor(cluster: Cluster, place: (line: number) => string) {
    this.#cluster = cluster;
    this.#place = place;
  }

  /** Throws Failure if a batch is in doubt: call it before any gets another sequence number. */
  nothingInDoubt(queue: PartitionQueue, error: Error): void {
    if (queue.inDoubt.length > 0) throw this.#inDoubt(queue, error.message);
  }

  /**
   * Throws Failure if a batch in doubt was first sent so long ago that the leader, `broker`, may
   * have forgotten that it has it.
   */
  async stillKnown(queue: PartitionQueue, leader: Connection, broker: number): Promise<void> {
    const [oldest] = queue.inDoubt;
    if (oldest === undefined) return;
    const memory = await expiration(leader, broker);
    // Half of it: the broker's clock decides, and a lost connection's last request may be late.
    if (Date.now() - oldest.timestamp < memory / 2) return;
    throw this.#inDoubt(
      queue,
      `cannot write ${
        partitionName(queue)
      } again after an answer was lost: its leader remembers what it has ` +
        `only for ${memory / 1000} s (producer.id.expiration.ms)`,
    );
  }

  /**
   * Lets a partition's rows continue in a higher epoch after `error` said that the leader does not
   * know their producer (any more). All that are not acknowledged were rejected, so none is
   * repeated.
   */
  async renew(queue: PartitionQueue, error: Error): Promise<void> {
    this.nothingInDoubt(queue, error);
    const { topic, partition, nextOffset } = queue;
    if (queue.renewed) {
      throw new Failure("broker", `${error.message}, though the producer began a new epoch`);
    }
    if (nextOffset !== -1) {
      const asked = [{ topic, partition, timestamp: LATEST }];
      const [end] = await lookUpOffsets(this.#cluster, "read_uncommitted", asked);
      if (end < nextOffset) {
        throw new Failure(
          "broker",
          `${error.message}: its leader has lost rows that counted as delivered, ` +
            `at the offsets ${end} to ${nextOffset - 1}`,
        );
      }
    }
    this.#cluster.config.debug(`${error.message}; continuing in a new epoch`);
    queue.renew(await this.#next(queue));
  }

  async #next(queue: PartitionQueue): Promise<ProducerIdentity> {
    const { id, epoch } = queue.identity;
    return epoch < LAST_EPOCH ? { id, epoch: epoch + 1 } : await newProducer(this.#cluster, queue);
  }

  #inDoubt(queue: PartitionQueue, why: string): Failure {
    const batches = queue.inDoubt;
    const rows = batches.reduce((sum, { count }) => sum + count, 0);
    const where = queue.nextOffset === -1 ? "at its end" : `from offset ${queue.nextOffset} on`;
    return new Failure(
      "broker",
      `${why}: ${rows} rows, from ${this.#place(batches[0].line(0))} on, may or may not be in it ` +
        `— check the partition ${where} before you send them again`,
    );
  }
}
