import type { Secret } from "../../secret.ts";
import type { BearerConfig } from "../config.ts";
import { decode, encode, type Mechanism, SaslError } from "./mechanism.ts";

/** RFC 7628; the extensions are Kafka's, KIP-342. */
export class Bearer implements Mechanism {
  readonly name = "OAUTHBEARER";
  readonly who = "the token";
  readonly #config: BearerConfig;
  #token: Secret | null = null;
  #rejection: string | null = null;

  constructor(config: BearerConfig) {
    this.#config = config;
  }

  async start(): Promise<Uint8Array> {
    this.#token = await this.#config.token();
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

  redact(text: string): string {
    return this.#token?.redact(text) ?? text;
  }
}
