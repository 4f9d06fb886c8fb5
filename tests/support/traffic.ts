/** Rows that are written and read all the time, while something happens to the brokers. */
import assert from "node:assert/strict";
import { start, text } from "./cli.ts";
import { sleep, until } from "./group.ts";

/** Rows written at a time, and the pause after them, milliseconds: a few thousand a second. */
const ROWS = 50;
const PAUSE = 20;

/** Numbers that a consumer has written, each the first field of a row, and how often each. */
export class Numbers {
  readonly counts: number[] = [];
  /** All before it came. */
  next = 0;
  #rest = "";

  add(chunk: Uint8Array): void {
    const rows = (this.#rest + text(chunk)).split("\n");
    this.#rest = rows.pop()!;
    for (const row of rows) {
      const number = Number.parseInt(row);
      this.counts[number] = (this.counts[number] ?? 0) + 1;
    }
    while (this.counts[this.next] !== undefined) this.next++;
  }

  get doubled(): number {
    return this.counts.filter((count) => count > 1).length;
  }
}

/** A running program of ours, and what it says. */
function watched(program: "consumer" | "producer", args: readonly string[]) {
  const child = start(program, [...args, "-v"]);
  let said = "";
  const saying = (async () => {
    for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) said += part;
  })();
  let code: number | null = null;
  const status = child.status.then((status) => code = status.code);
  return {
    child,
    status,
    saying,
    get said() {
      return said.split("\n").slice(-15).join("\n");
    },
    get code() {
      return code;
    },
  };
}

/**
 * A producer that gets the numbers from 0 on, and consumers that read them without an end. Both are
 * the programs under test. Disposing it ends them.
 */
export class Traffic implements AsyncDisposable {
  /** How many numbers the producer got so far. */
  fed = 0;
  readonly #producer: ReturnType<typeof watched>;
  readonly #consumers: {
    run: ReturnType<typeof watched>;
    numbers: Numbers;
    reading: Promise<void>;
  }[];
  readonly #feeding: Promise<void>;
  #isOver = false;

  /** `consumers` are their arguments, without brokers, topic and end. */
  constructor(bootstrap: string, topic: string, consumers: readonly (readonly string[])[]) {
    const common = ["-b", bootstrap, "-t", topic, "--timeout", "60s"];
    this.#producer = watched("producer", [...common, "--acks", "all"]);
    this.#producer.child.stdout.cancel();
    this.#feeding = this.#feed();
    this.#consumers = consumers.map((args) => {
      const run = watched("consumer", [...common, "--until", "forever", ...args]);
      run.child.stdin.close();
      const numbers = new Numbers();
      const reading = (async () => {
        for await (const chunk of run.child.stdout) numbers.add(chunk);
      })();
      return { run, numbers, reading };
    });
  }

  /** Waits until the consumers have all that was written up to now, and more. */
  async goesOn(limit = 90_000): Promise<void> {
    const wanted = this.fed + ROWS;
    await until(`rows up to ${wanted} came`, limit, () => {
      for (const { code, said } of [this.#producer, ...this.#consumers.map(({ run }) => run)]) {
        assert.equal(code, null, said);
      }
      return this.#consumers.every(({ numbers }) => numbers.next >= wanted);
    }).catch((error) => {
      const nexts = this.#consumers.map(({ numbers, run }) => `${numbers.next}: ${run.said}`);
      throw new Error(`${error.message}\nproducer: ${this.#producer.said}\n${nexts.join("\n")}`);
    });
  }

  /** Ends the producer, and waits until each consumer has all rows; each exactly once. */
  async end(): Promise<number> {
    this.#isOver = true;
    await this.#feeding;
    await this.#producer.child.stdin.close();
    await until("the producer ends", 120_000, () => this.#producer.code !== null)
      .catch((error) => {
        throw new Error(`${error.message}\n${this.#producer.said}`);
      });
    assert.equal(this.#producer.code, 0, this.#producer.said);
    for (const { run, numbers } of this.#consumers) {
      await until("all rows came", 60_000, () => numbers.next >= this.fed).catch((error) => {
        throw new Error(`${error.message}: ${numbers.next} of ${this.fed}\n${run.said}`);
      });
      assert.equal(numbers.counts.length, this.fed);
      assert.equal(numbers.doubled, 0);
    }
    return this.fed;
  }

  async #feed(): Promise<void> {
    const writer = this.#producer.child.stdin.getWriter();
    const encoder = new TextEncoder();
    try {
      while (!this.#isOver) {
        const rows = Array.from({ length: ROWS }, (_, i) => `${this.fed + i}\n`).join("");
        await writer.write(encoder.encode(rows));
        this.fed += ROWS;
        await sleep(PAUSE);
      }
    } catch {
      // The producer has ended; its status is looked at elsewhere.
    } finally {
      writer.releaseLock();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    for (const { child, code } of [this.#producer, ...this.#consumers.map(({ run }) => run)]) {
      if (code === null) child.kill("SIGKILL");
    }
    await Promise.all([
      ...[this.#feeding, this.#producer.status, this.#producer.saying],
      ...this.#consumers.flatMap(({ run, reading }) => [run.status, run.saying, reading]),
    ]);
  }
}
