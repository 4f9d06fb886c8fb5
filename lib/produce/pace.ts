import { pause as wait } from "../waiting.ts";
import type { ProduceOptions } from "./options.ts";

/** More rows than one call of the kernel can find. */
const UNLIMITED = 0x7fffffff;
/** How often a limited rate lets rows pass, milliseconds. */
const TICK = 50;

/** Holds rows back: at most a number of rows a second, and a pause after every batch of rows. */
export class Pace {
  readonly #options: ProduceOptions;
  /** Rows that the rate lets pass now: no more than a tick's, however long nothing came. */
  #allowance: number;
  #most: number;
  #since = performance.now();
  /** Rows before the next pause. */
  #left: number;

  constructor(options: ProduceOptions) {
    this.#options = options;
    this.#left = options.batchRows;
    this.#most = Math.max(1, options.rate * TICK / 1000);
    this.#allowance = this.#most;
  }

  /** Whether rows are held back at all. */
  get limited(): boolean {
    return this.#options.rate !== Infinity || this.#options.batchRows !== Infinity;
  }

  /** The rows that may be packed now, at least one. `flush` is called before a wait. */
  async next(flush: () => void): Promise<number> {
    const { rate, batchRows, pause } = this.#options;
    if (this.#left === 0) {
      flush();
      await wait(pause);
      this.#left = batchRows;
    }
    while (rate !== Infinity) {
      const now = performance.now();
      this.#allowance = Math.min(this.#allowance + (now - this.#since) * rate / 1000, this.#most);
      this.#since = now;
      if (this.#allowance >= 1) break;
      flush();
      await wait(Math.max(TICK, (1 - this.#allowance) * 1000 / rate));
    }
    return Math.min(Math.floor(this.#allowance), this.#left, UNLIMITED);
  }

  took(rows: number): void {
    if (this.#options.rate !== Infinity) this.#allowance -= rows;
    this.#left -= rows;
  }
}
