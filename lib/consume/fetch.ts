import { BrokerError, isPassing } from "../kafka/errors.ts";
import { byLeader } from "../kafka/partitions.ts";
import { Backoff } from "../kafka/retry.ts";
import { Outage } from "./outage.ts";
import { PARTITION_MAX_BYTES, readBroker } from "./read_broker.ts";
import { ReadReplicas } from "./read_replicas.ts";
import type { Reading } from "./reading.ts";
import type { Span } from "./span.ts";

/**
 * Bytes asked for at a time: of one broker; of all together, however many there are. Three answers
 * of a broker are in memory, and twice as much at a time is no faster.
 */
const BROKER_MAX_BYTES = 4 * 1024 * 1024;
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Reads the spans to their ends: all brokers at once, each by its own loop. Throws Failure when
 * nothing was gained for the config's timeout; the time in which rows are made and accepted by the
 * output does not count.
 */
export async function readSpans(
  reading: Reading,
  spans: readonly Span[],
  backoff = new Backoff(reading.cluster.config),
): Promise<void> {
  if (spans.length === 0) return;
  const leaders = byLeader(reading.cluster, spans).size;
  const share = Math.max(PARTITION_MAX_BYTES, MAX_BYTES / leaders);
  const most = reading.options.fetchMax ?? BROKER_MAX_BYTES;
  const maxBytes = Math.min(most, Math.floor(share));
  await new Readers(reading, spans, maxBytes, backoff).read();
}

/**
 * The readers of the spans, one for each broker that is asked: what comes over one connection is
 * answered in its order, so two of them would wait for one another.
 */
class Readers {
  readonly reading: Reading;
  readonly replicas: ReadReplicas;
  readonly maxBytes: number;
  readonly backoff: Backoff;
  readonly spans: readonly Span[];
  /** What each reader reads, by its broker's id. */
  readonly #lists = new Map<number, Span[]>();
  readonly #over = Promise.withResolvers<void>();
  #running = 0;

  constructor(
    reading: Reading,
    spans: readonly Span[],
    maxBytes: number,
    backoff: Backoff,
  ) {
    this.reading = reading;
    this.spans = spans;
    this.replicas = new ReadReplicas(reading.cluster, reading.options);
    this.maxBytes = maxBytes;
    this.backoff = backoff;
  }

  async read(): Promise<void> {
    this.place(this.spans);
    await this.#over.promise;
  }

  /** Gives the spans to the readers of the brokers that they are to be read from now. */
  readonly place = (spans: readonly Span[], outage?: Outage): void => {
    const groups = Map.groupBy(spans, (span) => this.replicas.of(span));
    for (const [id, group] of groups) {
      const list = this.#lists.get(id);
      if (list) {
        list.push(...group);
        continue;
      }
      this.#lists.set(id, group);
      this.#running++;
      // One that is split is not known to go on in each of its parts.
      const since = groups.size === 1 && outage ? outage : new Outage(this.reading);
      this.#read(id, group, since).then(() => {
        if (--this.#running === 0) this.#over.resolve();
      }, this.#over.reject);
    }
  };

  /** Reads a list from its broker, and continues when that is lost. */
  async #read(id: number, list: Span[], outage: Outage): Promise<void> {
    try {
      await readBroker(this, id, list, outage);
    } catch (error) {
      this.#lists.delete(id);
      return await this.#retry(id, list, error, outage);
    }
    this.#lists.delete(id);
    // Given to it while it was ending.
    if (!this.#isOver) this.place(list.filter((span) => !span.isFetched));
  }

  async #retry(id: number, list: readonly Span[], error: unknown, outage: Outage): Promise<void> {
    const { reading: { cluster }, replicas, backoff } = this;
    // Not a Failure: that may be of a commit, a registry or dead letters, and rows may be made that
    // were not written.
    const isOfBroker = isPassing(error) || error instanceof BrokerError;
    const followed = isOfBroker ? list.filter((span) => replicas.isFollower(span, id)) : [];
    for (const span of followed) replicas.leave(span, (error as Error).message);
    if (followed.length < list.length) {
      await backoff.next(error);
      if (this.#isOver) return;
      outage.goesOn(error);
    }
    // The leader moved or is lost: continue after what was written, with the present leader. In a
    // run without an end it may be lost for days: nothing may grow with each try.
    await cluster.refresh([...new Set(list.map((span) => span.topic))]).catch(() => {});
    if (this.#isOver) return;
    const left = list.filter((span) => span.done < span.end);
    for (const span of left) {
      span.jump(span.done);
      span.isDoubted = true;
    }
    this.place(left, outage);
  }

  /** Whether the run ends before the spans do. */
  get #isOver(): boolean {
    const { context, idle, signal } = this.reading;
    return context.full || idle || signal?.aborted === true;
  }
}
