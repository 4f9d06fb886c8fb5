import type { GssapiConfig } from "../config.ts";
import { ConnectionError } from "../connection_error.ts";
import { explain, isExpired } from "./gssapi_failures.ts";
import { GssError, type GssLibrary, gssLibrary, type Handle } from "./gssapi_library.ts";
import { type Mechanism, SaslError } from "./mechanism.ts";

/** How often a cache of tickets had to be left for a new one. */
let cachesLeft = 0;

/**
 * The tickets that a keytab is good for are kept in this process, by the library, under this name:
 * a login asks the KDC only if there is none, or half of its time is over.
 */
function cacheOf({ keytab, principal }: GssapiConfig): string {
  return `MEMORY:${cachesLeft} ${principal ?? ""} ${keytab}`;
}

/** RFC 4752's bit for a connection without checksums or encryption of its own. */
const NO_LAYER = 1;

/**
 * Kerberos, RFC 4752: the library makes the tokens, and gets the tickets for them. As Kafka's other
 * clients do, it offers no security layer: that is what TLS is for.
 */
export class Gssapi implements Mechanism {
  readonly name = "GSSAPI";
  readonly #config: GssapiConfig;
  readonly #host: string;
  readonly #library: GssLibrary;
  readonly #limit: number;
  #who: string | null;
  #next: "tokens" | "layers" | "nothing" = "tokens";
  #target: Handle = 0n;
  #owner: Handle = 0n;
  #credential: Handle = 0n;
  #context: Handle = 0n;
  #abandoned = false;

  /** `limit` is what Kerberos may take, milliseconds. Throws Failure if this host lacks it. */
  constructor(config: GssapiConfig, host: string, limit: number) {
    this.#config = config;
    this.#host = host;
    this.#who = config.principal;
    this.#limit = limit;
    this.#library = gssLibrary();
  }

  get who(): string {
    return this.#who === null ? "the ticket" : `principal "${this.#who}"`;
  }

  async start(): Promise<Uint8Array> {
    const { service, principal } = this.#config;
    try {
      const library = this.#library;
      this.#target = library.importName(`${service}@${this.#host}`, "service");
      if (principal !== null) this.#owner = library.importName(principal, "principal");
      return await this.#ask(async () => {
        const token = await this.#firstToken();
        this.#who = await library.owner(this.#credential).catch(() => this.#who);
        return token;
      });
    } catch (error) {
      if (!(error instanceof GssError)) throw error;
      throw await explain(error, {
        config: this.#config,
        host: this.#host,
        asked: () => this.#ask(() => this.#library.principalOf(this.#target)),
      });
    }
  }

  async next(answer: Uint8Array): Promise<Uint8Array | null> {
    try {
      if (this.#next === "tokens") return await this.#ask(() => this.#step(answer));
      if (this.#next === "layers") return this.#chooseLayer(answer);
      return null;
    } catch (error) {
      if (!(error instanceof GssError)) throw error;
      throw new SaslError(`its answer is not that of the broker's principal: ${error.message}`);
    }
  }

  hint(): string {
    return "the broker's log says why; its keytab must have the newest keys of its principal, and " +
      "its clock the right time";
  }

  redact(text: string): string {
    return text;
  }

  /** What the library is still at is waited for, and then freed with the rest. */
  close(): void {
    this.#abandoned = true;
    inTurn(() => {
      this.#library.releaseContext(this.#context);
      this.#library.releaseCredential(this.#credential);
      this.#library.releaseName(this.#owner);
      this.#library.releaseName(this.#target);
      return Promise.resolve();
    });
  }

  /** The library keeps to itself why an expired ticket was not renewed: a new cache has none. */
  async #firstToken(): Promise<Uint8Array> {
    try {
      return await this.#acquire();
    } catch (error) {
      if (this.#config.keytab === null || !isExpired(error)) throw error;
      cachesLeft++;
      this.#library.releaseContext(this.#context);
      this.#library.releaseCredential(this.#credential);
      this.#context = this.#credential = 0n;
      return await this.#acquire();
    }
  }

  async #acquire(): Promise<Uint8Array> {
    const { keytab, ticketCache } = this.#config;
    const cache = keytab === null ? ticketCache : cacheOf(this.#config);
    const store = {
      ...(keytab === null ? {} : { client_keytab: `FILE:${keytab}` }),
      ...(cache === null ? {} : { ccache: cache }),
    };
    this.#credential = await this.#library.acquire({ name: this.#owner, store });
    return await this.#step(new Uint8Array());
  }

  async #step(token: Uint8Array): Promise<Uint8Array> {
    const step = await this.#library.step(
      { credential: this.#credential, context: this.#context, target: this.#target },
      token,
      (context) => this.#context = context,
    );
    if (!step.done) return step.token;
    if (!step.mutual) throw new SaslError("it has not proved which principal it is");
    this.#next = "layers";
    // May be empty; RFC 4752 has it sent even so.
    return step.token;
  }

  /** The broker's security layers (1 byte) and largest message (3), and the same from here. */
  #chooseLayer(answer: Uint8Array): Uint8Array {
    const offer = this.#library.unwrap(this.#context, answer);
    if (offer.length !== 4) throw new SaslError("its offer of security layers cannot be read");
    if ((offer[0] & NO_LAYER) === 0) {
      throw new SaslError("it requires a security layer of SASL, use SASL_SSL instead");
    }
    this.#next = "nothing";
    // No authorization identity: the principal is who it is.
    return this.#library.wrap(this.#context, Uint8Array.of(NO_LAYER, 0, 0, 0));
  }

  /** Does what may ask a KDC or DNS, and waits for it until the limit. */
  async #ask<T>(work: () => Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      this.#abandoned = true;
      late.reject(
        new ConnectionError(
          `cannot log in to ${this.#host} with GSSAPI: no answer of Kerberos within ` +
            `${this.#limit / 1000} s — check that a KDC of krb5.conf, and DNS, can be reached`,
        ),
      );
    }, this.#limit);
    const asked = inTurn(() => {
      if (this.#abandoned) throw new ConnectionError("the login was given up");
      return work();
    });
    asked.catch(() => {}); // what it throws after the deadline is of no interest
    try {
      return await Promise.race([asked, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}

let turn: Promise<unknown> = Promise.resolve();

/**
 * Calls the library after those before it: all logins of a process share its ticket cache, and old
 * releases do not protect it from two calls at once.
 */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const result = turn.then(work);
  turn = result.catch(() => {});
  return result;
}
