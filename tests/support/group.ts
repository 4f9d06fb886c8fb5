/** Members of a consumer group as processes, and the rows that they share. */
import assert from "node:assert/strict";
import type { Producer } from "kafkajs";
import type { Broker } from "../../scripts/servers/broker.ts";
import { start } from "./cli.ts";
import { groupOffsets, kafkajs, topicOffsets } from "./kafka.ts";

/** Waits until `done`; fails after `limit` milliseconds. Returns how long it took. */
export async function until(
  what: string,
  limit: number,
  done: () => boolean | Promise<boolean>,
): Promise<number> {
  const started = performance.now();
  while (!await done()) {
    assert.ok(performance.now() - started < limit, `not within ${limit} ms: ${what}`);
    await sleep(20);
  }
  return performance.now() - started;
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Rows `partition,number,time written`, some at a time to each partition, until it is stopped. */
export class Feed {
  readonly rows: string[] = [];
  readonly #broker: Broker;
  readonly #topic: string;
  readonly #partitions: number;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(broker: Broker, topic: string, partitions: number) {
    this.#broker = broker;
    this.#topic = topic;
    this.#partitions = partitions;
  }

  /** Writes this many rows to each partition, once. */
  async write(count: number): Promise<void> {
    const producer = kafkajs(this.#broker).producer();
    await producer.connect();
    await this.#send(producer, count);
    await producer.disconnect();
  }

  /** Writes this many to each partition, again and again. */
  run(count: number, pause: number): void {
    this.#running = (async () => {
      const producer = kafkajs(this.#broker).producer();
      await producer.connect();
      while (!this.#stopped) {
        await this.#send(producer, count);
        await sleep(pause);
      }
      await producer.disconnect();
    })();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Each partition by itself: of a request that failed in part kafkajs sends all again. */
  async #send(producer: Producer, count: number): Promise<void> {
    await Promise.all(Array.from({ length: this.#partitions }, (_, partition) => {
      const messages = Array.from({ length: count }, () => {
        const value = `${partition},${this.rows.length},${Date.now()}`;
        this.rows.push(value);
        return { partition, value };
      });
      return producer.send({ topic: this.#topic, messages });
    }));
  }
}

/** What all members together have written: each row with how often. */
export class Seen {
  readonly counts = new Map<string, number>();
  /** The longest time from writing a row to reading it first, milliseconds. */
  slowest = 0;
  #found = 0;

  add(row: string): void {
    const count = this.counts.get(row) ?? 0;
    this.counts.set(row, count + 1);
    if (count === 0) this.slowest = Math.max(this.slowest, Date.now() - Number(row.split(",")[2]));
  }

  /** Whether all of these were read. To be asked about the same list, which may grow. */
  has(rows: readonly string[]): boolean {
    while (this.#found < rows.length && this.counts.has(rows[this.#found])) this.#found++;
    return this.#found === rows.length;
  }

  /** How many rows came more than once. */
  get doubled(): number {
    return [...this.counts.values()].filter((count) => count > 1).length;
  }
}

/** A running `kafka_consumer --assign group`. */
export class Member {
  readonly child: Deno.ChildProcess;
  readonly status: Promise<Deno.CommandStatus>;
  rows = 0;
  said = "";
  ended = false;
  #reading: Promise<unknown>;
  #resume: () => void = () => {};
  #paused: Promise<void> = Promise.resolve();

  constructor(broker: Broker, topic: string, seen: Seen, ...more: string[]) {
    const group = more.includes("-g") ? [] : ["-g", topic];
    const args = ["-b", broker.bootstrap, "-t", topic, ...group, "--assign", "group", "-v"];
    this.child = start("consumer", [...args, ...more]);
    this.child.stdin.close();
    this.status = this.child.status.then((status) => {
      this.ended = true;
      return status;
    });
    this.#reading = Promise.all([this.#read(seen), this.#listen()]);
  }

  /** Takes no rows until the function returned is called. */
  block(): () => void {
    this.#resume(); // Else one that is blocked twice would wait for the first for ever.
    this.#paused = new Promise((resolve) => this.#resume = resolve);
    return () => this.#resume();
  }

  /** Waits for its end, and that all it wrote was taken. */
  async end(): Promise<Deno.CommandStatus> {
    this.#resume();
    await this.#reading;
    return await this.status;
  }

  async kill(signal: Deno.Signal): Promise<Deno.CommandStatus> {
    if (!this.ended) this.child.kill(signal);
    return await this.end();
  }

  /** How often it was given partitions. */
  get generations(): number {
    return this.said.split(", joined in ").length - 1;
  }

  async #read(seen: Seen): Promise<void> {
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of this.child.stdout) {
      await this.#paused;
      const rows = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = rows.pop()!; // Of a killed one a row may be cut: it was not written.
      for (const row of rows) seen.add(row);
      this.rows += rows.length;
    }
  }

  async #listen(): Promise<void> {
    for await (const text of this.child.stderr.pipeThrough(new TextDecoderStream())) {
      this.said += text;
    }
  }
}

/** Whether the group's offsets are the ends of all partitions. */
export async function allCommitted(broker: Broker, topic: string): Promise<boolean> {
  const stored = await groupOffsets(broker, topic, topic);
  return (await topicOffsets(broker, topic)).every(({ partition, high }) =>
    stored.get(partition) === high || high === 0n
  );
}
