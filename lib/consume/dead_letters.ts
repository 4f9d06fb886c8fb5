import { Failure } from "../failure.ts";
import type { Cluster } from "../kafka/cluster.ts";
import { producedIn } from "../kafka/answers.ts";
import { BrokerError, check } from "../kafka/errors.ts";
import { noLeader, partitionName } from "../kafka/partitions.ts";
import { retry } from "../kafka/retry.ts";
import type { CodecImplementation } from "../protocol/codecs/codec.ts";
import { loadCodec } from "../protocol/codecs/codecs.ts";
import { MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE } from "../protocol/error_codes.ts";
import { produce } from "../protocol/messages/produce.ts";
import { compressBatch, readRecord, type RecordParts } from "../protocol/record.ts";
import type { Codec } from "../protocol/record_batch.ts";
import type { BadRecord } from "./row_context.ts";

const utf8 = new TextEncoder();
const ALL_IN_SYNC = -1;

/**
 * Bad records on their way to the dead letter topic. Each keeps its key, value and headers, and
 * gets headers that say where it came from and why: dead-letter.topic, .partition, .offset and
 * .reason. It goes to the partition of its own number, modulo the topic's partitions, in a batch of
 * the codec that it came in.
 *
 * What is larger than that topic accepts goes there without its value, or with nothing but the
 * headers above: dead-letter.truncated says so. It is never a reason to stop.
 */
export class DeadLetters {
  readonly #cluster: Cluster;
  readonly #topic: string;
  #partitions = 0;
  readonly #waiting: BadRecord[] = [];
  readonly #codecs = new Map<Codec, CodecImplementation>();
  #sending: Promise<void> = Promise.resolve();

  constructor(cluster: Cluster, topic: string) {
    this.#cluster = cluster;
    this.#topic = topic;
  }

  /** Finds the topic. Throws Failure if there is none: better now than at the first bad record. */
  async open(): Promise<void> {
    this.#partitions = (await this.#cluster.topic(this.#topic)).partitions.length;
  }

  /** Adds a bad record; {@link flush} sends it. */
  add(bad: BadRecord): void {
    this.#waiting.push(bad);
  }

  /**
   * Sends what was added by any of them: several leaders' readers share this, and none may continue
   * while another one still sends its records. When it returns all in-sync replicas have them.
   * Throws Failure.
   */
  flush(): Promise<void> {
    const waiting = this.#waiting.splice(0);
    if (waiting.length > 0) {
      this.#sending = this.#sending.then(async () => {
        // One a request: each is one that the topic may take, together they may be too large.
        for (const bad of waiting) await this.#send(bad);
      });
    }
    return this.#sending;
  }

  async #send(bad: BadRecord): Promise<void> {
    const whole = readRecord(bad.record!);
    // The rows' codecs still have the records of the batch that this one is from.
    let codec = this.#codecs.get(bad.codec);
    if (!codec) this.#codecs.set(bad.codec, codec = await loadCodec(bad.codec));
    for (const form of forms) {
      const parts = form(whole);
      const letter = { ...parts, headers: [...parts.headers, ...origin(bad)] };
      const tail = compressBatch([letter], Date.now(), bad.codec, codec);
      try {
        return await this.#write(bad, tail);
      } catch (error) {
        if (form === forms.at(-1) || !isTooLarge(error)) throw error;
        this.#cluster.config.debug((error as Error).message);
      }
    }
  }

  async #write(bad: BadRecord, tail: Uint8Array<ArrayBuffer>): Promise<void> {
    const target = { topic: this.#topic, partition: bad.partition % this.#partitions };
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
        if (!isTooLarge(error)) await this.#cluster.refresh([target.topic]).catch(() => {});
        throw error;
      }
    });
  }
}

/** What is sent of a record: as much as the topic accepts. */
const forms: readonly ((whole: RecordParts) => RecordParts)[] = [
  (whole) => whole,
  ({ key, value, headers }) => ({
    key,
    value: null,
    headers: [...headers, truncated(`the value of ${value?.length ?? 0} bytes`)],
  }),
  ({ key, value, headers }) => ({
    key: null,
    value: null,
    headers: [truncated(
      `the key of ${key?.length ?? 0} bytes, the value of ${value?.length ?? 0} bytes and ` +
        `${headers.length} headers`,
    )],
  }),
];

function truncated(what: string) {
  return header("truncated", `${what}: larger than this topic's max.message.bytes`);
}

/** Where it comes from, and why it is not a row. */
function origin({ topic, partition, offset, why }: BadRecord) {
  return [
    header("topic", topic),
    header("partition", `${partition}`),
    header("offset", `${offset}`),
    header("reason", why),
  ];
}

function header(name: string, value: string) {
  return { name: utf8.encode(`dead-letter.${name}`), value: utf8.encode(value) };
}

/** Whether the broker rejected a batch for its size: this error, or the cause of a Failure. */
function isTooLarge(error: unknown): boolean {
  const cause = error instanceof Failure ? error.cause : error;
  return cause instanceof BrokerError &&
    (cause.code === MESSAGE_TOO_LARGE || cause.code === RECORD_LIST_TOO_LARGE);
}
