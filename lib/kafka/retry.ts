import type { ClientConfig } from "./config.ts";
import { asFailure, isPassing } from "./errors.ts";
import { patientNow } from "./throttle.ts";
import { pause } from "../waiting.ts";

const FIRST_WAIT = 50;
const LONGEST_WAIT = 1000;

/**
 * The waits between the tries of one thing, and their end: `timeout` milliseconds after the start,
 * or after the last success that {@link progress} reported. The time that a broker had muted this
 * client does not count.
 */
export class Backoff {
  readonly #config: ClientConfig;
  readonly #timeout: number;
  #since: number;
  #wait = FIRST_WAIT;
  /** Work whose time does not count, and since when. */
  #held = 0;
  #heldSince = 0;

  constructor(config: ClientConfig, timeout = config.timeout) {
    this.#config = config;
    this.#timeout = timeout;
    this.#since = patientNow(config);
  }

  progress(): void {
    this.#since = this.#now;
    this.#heldSince = this.#since;
    this.#wait = FIRST_WAIT;
  }

  /** Whether the timeout is over. */
  get expired(): boolean {
    return this.#elapsed > this.#timeout;
  }

  /** Waits for work whose time does not count: it is not what the timeout is for. */
  async apart<T>(work: Promise<T>): Promise<T> {
    if (this.#held++ === 0) this.#heldSince = this.#now;
    try {
      return await work;
    } finally {
      if (--this.#held === 0) this.#since += this.#now - this.#heldSince;
    }
  }

  get #now(): number {
    return patientNow(this.#config);
  }

  get #elapsed(): number {
    return (this.#held > 0 ? this.#heldSince : this.#now) - this.#since;
  }

  /**
   * Waits before the next try. Throws what ended the last one if no other may help, or a
   * failure saying for how long it was tried.
   */
  async next(error: unknown): Promise<void> {
    if (!isPassing(error)) throw asFailure(error);
    if (this.#elapsed + this.#wait > this.#timeout) {
      throw asFailure(error, ` (tried for ${this.#timeout / 1000} s)`);
    }
    this.#config.debug(`${error.message}; trying again in ${this.#wait} ms`);
    await pause(this.#wait);
    this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT);
  }
}

/** Tries `attempt` until it succeeds, fails for good, or the config's timeout is over. */
export async function retry<T>(
  config: ClientConfig,
  attempt: () => Promise<T>,
  timeout = config.timeout,
): Promise<T> {
  const backoff = new Backoff(config, timeout);
  while (true) {
    try {
      return await attempt();
    } catch (error) {
      await backoff.next(error);
    }
  }
}
