import { patientNow } from "../kafka/throttle.ts";
import type { Reading } from "./reading.ts";

/**
 * Reports, once, that no answer came for some spans for the config's timeout. It does not end the
 * run while others are read, so it must be reported.
 */
export class Outage {
  readonly #reading: Reading;
  /** When it began, by patientNow(); null if there is none. */
  #since: number | null = null;
  #isReported = false;

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  /** A try failed; another one begins. */
  goesOn(error: unknown): void {
    const { cluster: { config }, warn } = this.#reading;
    const now = patientNow(config);
    this.#since ??= now;
    if (this.#isReported || now - this.#since < config.timeout) return;
    this.#isReported = true;
    const why = error instanceof Error ? error.message : String(error);
    warn(`${why}: tried for ${config.timeout / 1000} s, and still; others are read meanwhile`);
  }

  /** An answer came. */
  ends(): void {
    this.#since = null;
    this.#isReported = false;
  }
}
