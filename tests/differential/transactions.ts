/** Transactions, read from every offset by Kafka's own consumer and by ours. */
import { consume } from "../../lib/consume/consume.ts";
import { startBroker } from "../../scripts/servers/broker.ts";
import { defaults } from "../support/consume_options.ts";
import { createTopic, uniqueName } from "../support/kafka.ts";
import { Random } from "../support/random.ts";
import { Java } from "./java.ts";
import { type Size, Tally } from "./tally.ts";

/** A value of the runs' size stands for this many steps of producers. */
const STEPS = 1 / 100;
/** Steps of one topic. */
const TOPIC = 100;
const PARTITIONS = 3;
const PRODUCERS = ["A", "B", "C", "D"];
/** A broker answers a commit before its markers are in the log: this long is waited for them. */
const SETTLED_MS = 100;

/** One topic's producers, steps and reads. */
class World {
  readonly #random: Random;
  readonly #java: Java;
  readonly #bootstrap: string;
  readonly #topic: string;
  readonly #tally: Tally;
  readonly #what: string;
  readonly #open = new Set<string>();
  #sent = 0;

  constructor(
    random: Random,
    java: Java,
    { bootstrap, topic, tally, what }: {
      bootstrap: string;
      topic: string;
      tally: Tally;
      what: string;
    },
  ) {
    this.#random = random;
    this.#java = java;
    this.#bootstrap = bootstrap;
    this.#topic = topic;
    this.#tally = tally;
    this.#what = what;
  }

  async #ask(line: string): Promise<string> {
    await this.#java.send(new TextEncoder().encode(`${line}\n`));
    return await this.#java.line();
  }

  /** A step of a random producer. */
  async step(): Promise<void> {
    const random = this.#random;
    this.#tally.values++;
    const producer = PRODUCERS[random.int(0, PRODUCERS.length - 1)];
    if (random.int(0, 7) === 0) {
      await this.#send("-", 1);
    } else if (!this.#open.has(producer)) {
      await this.#ask(`begin ${producer}`);
      this.#open.add(producer);
      // An empty transaction is one, too.
      if (random.int(0, 9) > 0) await this.#send(producer, random.int(1, 3));
    } else if (random.int(0, 2) > 0) {
      await this.#send(producer, random.int(1, 4));
    } else {
      const kind = random.int(0, 8);
      await this.#ask(`${kind < 4 ? "commit" : kind < 8 ? "abort" : "crash"} ${producer}`);
      this.#open.delete(producer);
    }
  }

  async #send(producer: string, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const partition = this.#random.int(0, PARTITIONS - 1);
      await this.#ask(`send ${producer} ${partition} ${producer}${this.#sent++}`);
    }
  }

  /** Ends the open transactions, as they come. */
  async end(): Promise<void> {
    for (const producer of this.#random.shuffle([...this.#open])) {
      await this.#ask(`${this.#random.int(0, 1) ? "commit" : "abort"} ${producer}`);
    }
    this.#open.clear();
  }

  /** The ends of the partitions, when no marker is on its way. */
  async #ends(): Promise<number[]> {
    for (let last = "";;) {
      const ends = await this.#ask("ends");
      if (ends === last) return ends.split(" ").map(Number);
      last = ends;
      await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
    }
  }

  /** Compares what both read of each partition from each of its offsets on. */
  async read(): Promise<void> {
    const ends = await this.#ends();
    for (const [partition, end] of ends.entries()) {
      for (let from = 0; from <= end; from++) {
        const theirs = await this.#ask(`read ${partition} ${from}`);
        const ours = await this.#ours(partition, from);
        this.#tally.rows += theirs === "" ? 0 : theirs.split(" ").length;
        this.#tally.note("reads");
        if (ours === theirs) continue;
        this.#tally.differ(
          `${this.#what}, partition ${partition} from ${from} to ${end}: ${ours} — Java: ${theirs}`,
        );
      }
    }
  }

  async #ours(partition: number, offset: number): Promise<string> {
    let text = "";
    const decoder = new TextDecoder();
    const stream = new WritableStream<Uint8Array>({
      write(chunk) {
        text += decoder.decode(chunk, { stream: true });
      },
    });
    await consume(
      {
        ...defaults,
        topics: [this.#topic],
        partitions: [partition],
        start: { at: "offset", offset },
        columns: ["offset"],
        badRecord: "fail",
      },
      {
        brokers: this.#bootstrap.split(","),
        clientId: "differential",
        timeout: 30_000,
        debug: () => {},
        tls: null,
        sasl: null,
      },
      stream,
      (line) => this.#tally.differ(`${this.#what}: ${line}`),
    );
    return text.split("\n").slice(0, -1).map((row) => row.replace(",", "=")).join(" ");
  }
}

export async function transactions({ values, seed }: Size): Promise<Tally> {
  const tally = new Tally();
  await using broker = await startBroker();
  const { bootstrap } = broker;
  const steps = Math.max(30, Math.round(values * STEPS));
  for (let from = 0; from < steps; from += TOPIC) {
    const random = new Random(seed + from);
    const topic = uniqueName("transactions");
    await createTopic(broker, topic, { partitions: PARTITIONS });
    await using java = await Java.start("JavaTransactions.java", [bootstrap, topic]);
    const what = `seed ${seed}, steps from ${from}`;
    const world = new World(random, java, { bootstrap, topic, tally, what });
    const count = Math.min(TOPIC, steps - from);
    for (let i = 0; i < count; i++) await world.step();
    // Once with transactions that hold readers back, once without.
    await world.read();
    await world.end();
    await world.read();
  }
  return tally;
}
