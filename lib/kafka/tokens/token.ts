/** Tokens for OAUTHBEARER, and when they are renewed. */
import type { Secret } from "../../secret.ts";
import { ConnectionError } from "../connection_error.ts";

/** A token, with its times in milliseconds since 1970. */
export interface Token {
  secret: Secret;
  issued: number;
  expires: number;
}

/** Java's `sasl.login.refresh.*`, whose defaults are these. */
export interface Renewal {
  /** The share of a token's life after which it is renewed, and how much later at random. */
  factor: number;
  jitter: number;
  /** How long before its end it is renewed at the latest, seconds. */
  buffer: number;
  /** How long it is used at least, seconds. Both are ignored for a token that lives less. */
  minPeriod: number;
}

export const defaultRenewal: Renewal = { factor: 0.8, jitter: 0.05, buffer: 300, minPeriod: 60 };

/** When to renew a token, by the rule of Java's ExpiringCredentialRefreshingLogin. */
export function renewalTime(
  { issued, expires }: Pick<Token, "issued" | "expires">,
  { factor, jitter, buffer, minPeriod }: Renewal,
  random = Math.random(),
): number {
  const proposed = issued + (expires - issued) * (factor + jitter * random);
  if (minPeriod + buffer > (expires - issued) / 1000) return proposed;
  return Math.max(Math.min(proposed, expires - 1000 * buffer), issued + 1000 * minPeriod);
}

/**
 * The token in use. It is renewed at a login that comes late in its life, so that a run without an
 * end always has one; if the server that gives it is away just then, the old one serves to its end.
 */
export class TokenKeeper {
  readonly #fetch: (limit: number) => Promise<Token>;
  readonly #renewal: Renewal;
  #token: Token | null = null;
  #renewAt = 0;
  #fetching: Promise<Token> | null = null;

  constructor(fetch: (limit: number) => Promise<Token>, renewal = defaultRenewal) {
    this.#fetch = fetch;
    this.#renewal = renewal;
  }

  /** The token; asking for a new one takes `limit` milliseconds at most. Throws ConnectionError, Failure. */
  async get(limit: number): Promise<Secret> {
    if (this.#token !== null && Date.now() < this.#renewAt) return this.#token.secret;
    try {
      // Several connections log in at once: one question is enough.
      this.#fetching ??= this.#fetch(limit).finally(() => this.#fetching = null);
      const token = await this.#fetching;
      if (token !== this.#token) this.#renewAt = renewalTime(token, this.#renewal);
      this.#token = token;
      return token.secret;
    } catch (error) {
      const usable = this.#token !== null && Date.now() < this.#token.expires;
      if (usable && error instanceof ConnectionError) return this.#token!.secret;
      throw error;
    }
  }
}
