import type { Cluster } from "../kafka/cluster.ts";
import { producedIn } from "../kafka/answers.ts";
import type { Connection } from "../kafka/connection.ts";
import { asFailure, BrokerError } from "../kafka/errors.ts";
import { noLeader, partitionName } from "../kafka/partitions.ts";
import {
  DUPLICATE_SEQUENCE_NUMBER,
  MESSAGE_TOO_LARGE,
  RECORD_LIST_TOO_LARGE,
} from "../protocol/error_codes.ts";
import { produce, type ProducedPartition } from "../protocol/messages/produce.ts";
import type { ProducerIdentity, RecordBatch } from "./batch.ts";
import { isStranger, leavesDoubt, Once } from "./once.ts";
import type { ProduceOptions } from "./options.ts";
import { PartitionQueue } from "./partition_queue.ts";

/** Batches in flight for a partition: as many as a broker remembers to recognise duplicates. */
const IN_FLIGHT = 5;
/**
 * Bytes in flight on a connection: enough to keep a far or fast broker busy, and few enough for the
 * last of them to be answered before the deadline if the network is slow.
 */
const BYTES_IN_FLIGHT = 5 * 1024 * 1024;

/** What accepts closed batches. */
export interface Sink {
  send(batch: RecordBatch): void;
  /** The partition that rows without a key go to now, after `partition`. */
  next(partition: number): number;
  /** Resolves when something changed: memory came free, or a batch was acknowledged. */
  changed(): Promise<void>;
  /** Waits until nothing is under way. */
  flush(): Promise<void>;
}

/**
 * Sends batches to the partitions' leaders, several in flight, and again if that may help. The
 * order in a partition is kept: after a failure nothing more is sent there until all that is in
 * flight was answered, and then from the first batch on that is not acknowledged.
 */
export class Sender implements Sink {
  readonly queues: readonly PartitionQueue[];
  /** Rejects, once, with what ends the run. */
  readonly failed: Promise<never>;
  /** Rows acknowledged. */
  rows = 0;
  readonly #cluster: Cluster;
  readonly #options: ProduceOptions;
  readonly #tooLarge: (queue: PartitionQueue, batch: RecordBatch, error: Error) => void;
  /** Null if rows may be accepted twice: without idempotence. */
  readonly #once: Once | null;
  readonly #inFlight: number;
  readonly #fail: (error: unknown) => void;
  #wake = Promise.withResolvers<void>();
  #refreshing: Promise<unknown> | null = null;
  /** Bytes in flight, by connection. */
  readonly #bytes = new WeakMap<Connection, number>();
  #dead = false;

  /**
   * `tooLarge` deals with a batch that a broker finds too large: it replaces it in its queue, or
   * throws. `place` names a row's line.
   */
  constructor(
    cluster: Cluster,
    options: ProduceOptions,
    partitions: number,
    identity: ProducerIdentity,
    tooLarge: (queue: PartitionQueue, batch: RecordBatch, error: Error) => void,
    place: (line: number) => string,
  ) {
    this.#cluster = cluster;
    this.#options = options;
    this.#tooLarge = tooLarge;
    this.#once = options.idempotent ? new Once(cluster, place) : null;
    this.#inFlight = options.idempotent ? IN_FLIGHT : 1;
    this.queues = Array.from(
      { length: partitions },
      (_, partition) =>
        new PartitionQueue({ topic: options.topic, partition }, cluster.config, identity),
    );
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {}); // The caller of the sender gets it.
    this.failed = promise;
    this.#fail = (error) => {
      this.#dead = true;
      reject(asFailure(error));
    };
  }

  send(batch: RecordBatch): void {
    const queue = this.queues[batch.partition];
    queue.push(batch);
    if (batch.sealing === null) this.#pump(queue);
    else batch.sealing.then(() => this.#pump(queue));
  }

  /** The next partition that is not in trouble; rather one with fewer than two batches waiting. */
  next(partition: number): number {
    const { length } = this.queues;
    for (let step = 1; step <= length; step++) {
      const next = (partition + step) % length;
      const queue = this.queues[next];
      if (queue.problem === null && queue.batches.length < 2) return next;
    }
    for (let step = 1; step <= length; step++) {
      const next = (partition + step) % length;
      if (this.queues[next].problem === null) return next;
    }
    return (partition + 1) % length;
  }

  changed(): Promise<void> {
    return this.#wake.promise;
  }

  async flush(): Promise<void> {
    while (this.queues.some((queue) => queue.batches.length > 0)) await this.changed();
  }

  /**
   * The first line of which a row was sent, or waits, and is not acknowledged; Infinity for none.
   */
  get firstLine(): number {
    return Math.min(...this.queues.map(({ batches }) => batches[0]?.line(0) ?? Infinity));
  }

  #changed(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  #pump(queue: PartitionQueue): void {
    if (this.#dead || queue.problem !== null || queue.connecting) return;
    if (queue.sent === queue.batches.length) return;
    if (queue.connection === null || queue.connection.closed) {
      // What is in flight on a lost connection fails by itself, and that is dealt with first.
      if (queue.inFlight === 0) this.#connect(queue);
      return;
    }
    const limit = this.#options.idempotent && !queue.established ? 1 : this.#inFlight;
    while (queue.sent < queue.batches.length && queue.inFlight < limit) {
      const batch = queue.batches[queue.sent];
      if (batch.sealing !== null) return;
      const bytes = this.#bytes.get(queue.connection) ?? 0;
      if (bytes > 0 && bytes + batch.size > BYTES_IN_FLIGHT) return;
      this.#sendOne(queue, queue.connection);
    }
  }

  /** Sends what waits, after `queue` first: each partition has its turn. */
  #pumpAll(queue: PartitionQueue): void {
    const { length } = this.queues;
    for (let step = 1; step <= length; step++) {
      this.#pump(this.queues[(queue.partition + step) % length]);
    }
  }

  async #connect(queue: PartitionQueue): Promise<void> {
    queue.connecting = true;
    try {
      const id = this.#cluster.leader(queue.topic, queue.partition);
      if (id === -1) throw noLeader(`cannot write ${partitionName(queue)}`);
      const connection = await this.#cluster.broker(id);
      await this.#once?.stillKnown(queue, connection, id);
      queue.connection = connection;
    } catch (error) {
      queue.problem = { error, batch: null };
    }
    queue.connecting = false;
    if (queue.problem) await this.#recover(queue);
    else this.#pump(queue);
  }

  async #sendOne(queue: PartitionQueue, connection: Connection): Promise<void> {
    const batch = queue.next();
    const { acks } = this.#options;
    const { size } = batch;
    this.#bytes.set(connection, (this.#bytes.get(connection) ?? 0) + size);
    try {
      const answer: ProducedPartition[] | undefined = await connection.call(produce, {
        acks,
        // Before our own deadline, so that a broker that waits for replicas in vain can say so.
        timeout: Math.ceil(this.#cluster.config.timeout / 2),
        topic: queue.topic,
        partition: queue.partition,
        recordsSize: size,
      }, { tail: batch.bytes, answered: acks !== 0 });
      const failed = `cannot write ${partitionName(queue)}`;
      this.#accept(
        queue,
        batch,
        acks === 0 ? null : producedIn(answer!, failed, connection, queue),
      );
    } catch (error) {
      batch.inDoubt ||= leavesDoubt(error);
      queue.problem ??= { error, batch };
    }
    queue.inFlight--;
    this.#bytes.set(connection, this.#bytes.get(connection)! - size);
    this.#pumpAll(queue);
    if (queue.problem !== null && queue.inFlight === 0) await this.#recover(queue);
  }

  #accept(queue: PartitionQueue, batch: RecordBatch, answer: ProducedPartition | null): void {
    const code = answer === null ? 0 : answer.errorCode;
    // It has it already. Of a batch that it can't have, that is untrue: then it has a later one.
    const again = code === DUPLICATE_SEQUENCE_NUMBER && batch.inDoubt;
    if (code !== 0 && !again) {
      throw new BrokerError(`cannot write ${partitionName(queue)}`, code);
    }
    this.rows += batch.count;
    queue.acknowledge(batch, code === 0 ? answer?.baseOffset ?? -1 : -1);
    this.#changed();
  }

  /** Deals with a queue's problem, when nothing of it is in flight. */
  async #recover(queue: PartitionQueue): Promise<void> {
    const { error, batch } = queue.problem!;
    const code = error instanceof BrokerError ? error.code : 0;
    try {
      if (batch !== null && (code === MESSAGE_TOO_LARGE || code === RECORD_LIST_TOO_LARGE)) {
        this.#once?.nothingInDoubt(queue, error as Error);
        this.#tooLarge(queue, batch, error as Error);
      } else if (this.#once !== null && isStranger(code)) {
        await this.#once.renew(queue, error as Error);
      } else {
        // The trouble has a deadline, not what came before: waiting for input, a turn or a quota.
        if (!queue.failing) queue.backoff.progress();
        queue.failing = true;
        await queue.backoff.next(error);
        await this.#refresh();
      }
      queue.rewind();
      this.#changed();
      this.#pump(queue);
    } catch (failure) {
      this.#fail(failure);
    }
  }

  /** Asks which brokers lead now: once for all the partitions that need to know. */
  async #refresh(): Promise<void> {
    this.#refreshing ??= this.#cluster.refresh([this.#options.topic])
      .catch(() => {}) // The next try to connect reports it.
      .finally(() => this.#refreshing = null);
    await this.#refreshing;
  }
}
