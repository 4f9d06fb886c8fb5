import type { Secret } from "../../secret.ts";
import type { BearerConfig } from "../config.ts";
import { describeToken } from "../tokens/jwt.ts";
import { decode, encode, type Mechanism, SaslError } from "./mechanism.ts";

/** RFC 7628; the extensions are Kafka's, KIP-342. */
export class Bearer implements Mechanism {
  readonly name = "OAUTHBEARER";
  readonly who: string;
  readonly #config: BearerConfig;
  readonly #host: string;
  readonly #limit: number;
  #token: Secret | null = null;
  #rejection: string | null = null;

  constructor(config: BearerConfig, host: string, limit: number) {
    this.who = `the token of ${config.from}`;
    this.#config = config;
    this.#host = host;
    this.#limit = limit;
  }

  async start(): Promise<Uint8Array> {
    this.#token = await this.#config.token(this.#host, this.#limit);
    const pairs = Object.entries(this.#config.extensions)
      .map(([key, value]) => `${key}=${value}\x01`).join("");
    return encode(`n,,\x01auth=Bearer ${this.#token.reveal()}\x01${pairs}\x01`);
  }

  /** A rejection is JSON, to be confirmed by a single \x01; then comes the error code. */
  next(answer: Uint8Array): Promise<Uint8Array | null> {
    if (this.#rejection !== null) throw new SaslError(this.#rejection);
    const text = decode(answer);
    if (text === "") return Promise.resolve(null);
    this.#rejection = text;
    return Promise.resolve(encode("\x01"));
  }

  hint(): string {
    return this.#token ? describeToken(this.#token) : "";
  }

  redact(text: string): string {
    return this.#token?.redact(text) ?? text;
  }
}
