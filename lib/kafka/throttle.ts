import type { ClientConfig } from "./config.ts";

/**
 * The time that a connection is muted. A broker that throttles answers at once, says for how long,
 * and reads nothing from that connection meanwhile (KIP-219): so nothing is sent there.
 */
export class Mute {
  #until = 0;
  #waiting: { timer: ReturnType<typeof setTimeout>; resolve: () => void } | null = null;

  /** What is left of it, milliseconds. */
  get left(): number {
    return Math.max(this.#until - performance.now(), 0);
  }

  /** Mutes for `milliseconds` from now. Returns how much longer that is than it was. */
  begin(milliseconds: number): number {
    const more = Math.max(milliseconds - this.left, 0);
    this.#until = Math.max(this.#until, performance.now() + milliseconds);
    return more;
  }

  /** Waits for its end. One may wait at a time. */
  async over(): Promise<void> {
    while (this.left > 0) {
      await new Promise<void>((resolve) => {
        this.#waiting = { timer: setTimeout(resolve, Math.ceil(this.left)), resolve };
      });
      this.#waiting = null;
    }
  }

  /** Ends it at once: the connection is closed. */
  end(): void {
    this.#until = 0;
    clearTimeout(this.#waiting?.timer);
    this.#waiting?.resolve();
  }
}

/** Of each client, by its config: the time up to now that some broker had muted it. */
const muted = new WeakMap<ClientConfig, { total: number; until: number }>();

/** Notes that a broker mutes this client from now on. */
export function noteMuted(config: ClientConfig, milliseconds: number): void {
  const known = muted.get(config) ?? { total: 0, until: 0 };
  const now = performance.now();
  const until = Math.max(known.until, now + milliseconds);
  muted.set(config, { total: known.total + until - Math.max(known.until, now), until });
}

/**
 * A clock, in milliseconds, that stands still while a broker has muted this client: for deadlines
 * of what brokers do. A muted broker is not a dead one.
 */
export function patientNow(config: ClientConfig): number {
  const now = performance.now();
  const known = muted.get(config);
  return known ? now - known.total + Math.max(known.until - now, 0) : now;
}
