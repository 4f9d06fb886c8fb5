import type { ClientConfig } from "./config.ts";
import type { Link } from "./requests.ts";
import { authenticate, Login } from "./sasl/authenticate.ts";

/** After which share of a session the next login is prepared, as with Java's client. */
const EARLIEST = 0.85;
const LATEST = 0.95;

/** The pause after a login that could not be prepared, milliseconds. */
const PAUSE = 1000;

/** How long a prepared login waits for a request, milliseconds: its token has an end. */
const FRESH = 5000;

/** Logs in on a new connection. Throws ConnectionError, Failure. Null: the login has no end. */
export async function logIn(link: Link, config: ClientConfig): Promise<Session | null> {
  const lifetime = await authenticate(link, config.sasl!, config.timeout);
  return lifetime > 0 ? new Session(config, lifetime) : null;
}

/**
 * How long a broker accepts requests on a connection after a login (KIP-368). It says so; the next
 * login is on the same connection, before a request that would come too late. What that login
 * needs from elsewhere (a token) is fetched beside the requests, which only a session that has
 * ended has to wait for.
 */
export class Session {
  readonly #config: ClientConfig;
  /** All performance.now(). */
  #renewAt = Infinity;
  #end = Infinity;
  #preparing: Promise<void> | null = null;
  #login: Login | null = null;
  /** Until when it may be used, performance.now(). */
  #loginUntil = 0;
  #closed = false;
  /** Why the last login could not be prepared. */
  #problem: unknown = null;

  /** `lifetime` is what the broker said, milliseconds; 0: without an end. */
  constructor(config: ClientConfig, lifetime: number) {
    this.#config = config;
    this.#begin(lifetime);
  }

  /** Whether {@link renew} has something to do. */
  get due(): boolean {
    return performance.now() >= this.#renewAt;
  }

  /**
   * Logs in again if that can be done now, or must. Nothing else may be sent meanwhile: `link` sends
   * at once. Throws ConnectionError, Failure: then the connection is of no more use.
   */
  async renew(link: Link): Promise<void> {
    if (performance.now() > this.#loginUntil) this.#discard();
    if (this.#login === null) this.#preparing ??= this.#prepare(link.host);
    if (performance.now() >= this.#end) await this.#preparing;
    const login = this.#login;
    if (login !== null) {
      this.#login = null;
      const lifetime = await login.on(link);
      this.#config.debug(`${link.name}: logged in again, for ${lifetime / 1000} s`);
      this.#begin(lifetime);
    } else if (performance.now() >= this.#end) throw this.#problem;
  }

  /** The connection is closed: frees a login that is not used. */
  close(): void {
    this.#closed = true;
    this.#discard();
  }

  #discard(): void {
    this.#login?.discard();
    this.#login = null;
  }

  #begin(lifetime: number): void {
    const now = performance.now();
    const share = EARLIEST + Math.random() * (LATEST - EARLIEST);
    this.#renewAt = lifetime > 0 ? now + share * lifetime : Infinity;
    this.#end = lifetime > 0 ? now + lifetime : Infinity;
  }

  async #prepare(host: string): Promise<void> {
    const { sasl, timeout, debug } = this.#config;
    try {
      this.#login = await Login.prepare(sasl!, host, timeout);
      this.#loginUntil = performance.now() + FRESH;
      if (this.#closed) this.#discard();
    } catch (error) {
      this.#problem = error;
      this.#renewAt = Math.min(performance.now() + PAUSE, this.#end);
      debug(`${error instanceof Error ? error.message : error}; the session has not ended yet`);
    } finally {
      this.#preparing = null;
    }
  }
}
