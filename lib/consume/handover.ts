import type { Kernel } from "../protocol/kernel/kernel.ts";
import type { Reading } from "./reading.ts";
import type { Span } from "./span.ts";

/**
 * Hands rows to the output while the next ones are made: one write is under way at a time, and
 * when it is over, the spans' `written` is where their `done` was when the rows were made.
 */
export class Handover {
  readonly #reading: Reading;
  /** A reader's, which may get more, and give some away after {@link finish}. */
  readonly #spans: readonly Span[];
  #writing: Promise<void> = Promise.resolve();

  constructor(reading: Reading, spans: readonly Span[]) {
    this.#reading = reading;
    this.#spans = spans;
  }

  /**
   * Waits until the rows handed over before are written, and begins with those from `start` to
   * `end` of `kernel`: they must not change until the next call returns. Throws what went wrong
   * with the rows before.
   */
  async over(kernel: Kernel, start: number, end: number): Promise<void> {
    await this.#writing;
    await this.#reading.settle();
    this.#reading.context.held = 0;
    const made = this.#spans.map((span) => ({ span, done: span.done }));
    this.#writing = this.#write(kernel, start, end, made);
    this.#writing.catch(() => {}); // Met by the next call, or by finish().
  }

  /** Runs `act` when all that was handed over so far is written, or cannot be. */
  afterwards(act: () => void): void {
    this.#writing.then(act, act);
  }

  /** Waits until all rows are written. */
  async finish(): Promise<void> {
    await this.#writing;
  }

  async #write(
    kernel: Kernel,
    start: number,
    end: number,
    made: readonly { span: Span; done: number }[],
  ): Promise<void> {
    await this.#reading.output.write(kernel.bytes, start, end);
    for (const { span, done } of made) span.written = done;
    await this.#reading.written();
  }
}
