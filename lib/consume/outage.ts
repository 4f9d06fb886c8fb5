import { patientNow } from "../kafka/throttle.ts";
import type { Reading } from "./reading.ts";
import type { Span } from "./span.ts";

/**
 * Reports, once, that nothing came of some spans for the config's timeout. It does not end the run
 * while it gains records of others, so somebody must be told.
 */
export class Outage {
  readonly #reading: Reading;
  #since = 0;
  #read = -1;
  #told = false;

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  /** The next try begins, after this error. */
  goesOn(error: unknown, spans: readonly Span[]): void {
    const { cluster: { config }, warn } = this.#reading;
    const read = spans.reduce((sum, { done }) => sum + done, 0);
    if (read !== this.#read) {
      this.#read = read;
      this.#since = patientNow(config);
      this.#told = false;
    }
    if (this.#told || patientNow(config) - this.#since < config.timeout) return;
    this.#told = true;
    const why = error instanceof Error ? error.message : String(error);
    warn(`${why}: tried for ${config.timeout / 1000} s, and still; others are read meanwhile`);
  }
}
