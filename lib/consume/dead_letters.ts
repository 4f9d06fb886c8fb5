import type { Cluster } from "../kafka/cluster.ts";
import { producedIn } from "../kafka/answers.ts";
import { check } from "../kafka/errors.ts";
import { noLeader, partitionName } from "../kafka/offsets.ts";
import { retry } from "../kafka/retry.ts";
import { produce } from "../protocol/messages/produce.ts";
import { encodeBatch, readRecord, type RecordParts } from "../protocol/record.ts";
import type { BadRecord } from "./decoder.ts";

const utf8 = new TextEncoder();
const ALL_IN_SYNC = -1;

/**
 * Bad records on their way to the dead letter topic. Each keeps its key, value and headers, and
 * gets headers that say where it came from and why: dead-letter.topic, .partition, .offset and
 * .reason. It goes to the partition of its own number, modulo the topic's partitions.
 */
export class DeadLetters {
  readonly #cluster: Cluster;
  readonly #topic: string;
  #partitions = 0;
  readonly #waiting: BadRecord[] = [];
  #sending: Promise<void> = Promise.resolve();

  constructor(cluster: Cluster, topic: string) {
    this.#cluster = cluster;
    this.#topic = topic;
  }

  /** Finds the topic. Throws Failure where there is none: better now than at the first bad record. */
  async open(): Promise<void> {
    this.#partitions = (await this.#cluster.topic(this.#topic)).partitions.length;
  }

  /** Takes a bad record; {@link flush} sends it. */
  add(bad: BadRecord): void {
    this.#waiting.push(bad);
  }

  /**
   * Sends what was added, whoever added it: several leaders' readers share this, and none may go on
   * while another one still sends its records. When it returns all in-sync replicas have them.
   * Throws Failure.
   */
  flush(): Promise<void> {
    const waiting = this.#waiting.splice(0);
    if (waiting.length > 0) {
      this.#sending = this.#sending.then(async () => {
        // One a request: none is too large for a topic that took the original, together they may be.
        for (const bad of waiting) await this.#send(bad);
      });
    }
    return this.#sending;
  }

  async #send(bad: BadRecord): Promise<void> {
    const target = { topic: this.#topic, partition: bad.partition % this.#partitions };
    const tail = encodeBatch([letter(bad)], Date.now());
    const failed = `cannot write the dead letter of ${partitionName(bad)} offset ${bad.offset} ` +
      `to ${partitionName(target)}`;
    const { config } = this.#cluster;
    await retry(config, async () => {
      const leader = this.#cluster.leader(target.topic, target.partition);
      try {
        if (leader === -1) throw noLeader(failed);
        const connection = await this.#cluster.broker(leader);
        const answer = await connection.call(produce, {
          ...target,
          acks: ALL_IN_SYNC,
          timeout: config.timeout,
          recordsSize: tail.length,
        }, { tail });
        check(failed, producedIn(answer, failed, connection, target).errorCode);
      } catch (error) {
        await this.#cluster.refresh([target.topic]).catch(() => {});
        throw error;
      }
    });
  }
}

function letter({ topic, partition, offset, why, record }: BadRecord): RecordParts {
  const parts = readRecord(record!);
  const told = { topic, partition: `${partition}`, offset: `${offset}`, reason: why };
  const headers = Object.entries(told).map(([name, value]) => ({
    name: utf8.encode(`dead-letter.${name}`),
    value: utf8.encode(value),
  }));
  return { ...parts, headers: [...parts.headers, ...headers] };
}
