import { Failure } from "../failure.ts";
import { errorName } from "../protocol/error_codes.ts";
import { saslAuthenticate, saslHandshake } from "../protocol/messages/sasl.ts";
import type { Secret } from "../secret.ts";
import type { SaslConfig } from "./config.ts";
import type { Link } from "./requests.ts";
import { newNonce, ScramClient, ScramError } from "./scram.ts";

const utf8 = new TextEncoder();
const text = new TextDecoder();

const ILLEGAL_SASL_STATE = 34;

/**
 * Logs in on a new connection: SaslHandshake names the mechanism, SaslAuthenticate carries its
 * messages (https://kafka.apache.org/protocol#sasl_handshake). Throws Failure (denied) if the
 * broker rejects it, or can't prove that it knows the password; the secret is in no message.
 */
export async function authenticate(link: Link, sasl: SaslConfig): Promise<void> {
  const { mechanism } = sasl;
  const { errorCode, mechanisms } = await link.call(saslHandshake, mechanism);
  if (errorCode === ILLEGAL_SASL_STATE) {
    throw new Failure(
      "broker",
      `${link.name} does not use SASL on this port — set security.protocol to PLAINTEXT or SSL`,
    );
  }
  if (errorCode !== 0) {
    throw new Failure(
      "denied",
      `${link.name} does not accept sasl.mechanism ${mechanism}: ${errorName(errorCode)}; ` +
        `it accepts ${mechanisms.join(", ") || "none"}`,
    );
  }
  if (sasl.mechanism === "OAUTHBEARER") {
    const token = await sasl.token();
    return await new Login(link, "the token", mechanism, token).bearer(sasl.extensions);
  }
  const { username, password } = sasl;
  const login = new Login(link, `user "${username}"`, mechanism, password);
  if (sasl.mechanism === "PLAIN") return await login.plain(username);
  await login.scram(username, sasl.mechanism === "SCRAM-SHA-256" ? "SHA-256" : "SHA-512");
}

/**
 * What to report if a connection was closed because the port requires a login; null if it requires
 * none. `link` is a new connection: its first request decides.
 */
export async function whoAsksForLogin(link: Link): Promise<Failure | null> {
  const { errorCode, mechanisms } = await link.call(saslHandshake, "PLAIN");
  if (errorCode === ILLEGAL_SASL_STATE) return null;
  return new Failure(
    "broker",
    `${link.name} requires a login on this port — set security.protocol to SASL_PLAINTEXT or ` +
      `SASL_SSL, and sasl.mechanism to ${mechanisms.join(" or ") || "what it accepts"}`,
  );
}

class Login {
  constructor(
    readonly link: Link,
    readonly who: string,
    readonly mechanism: string,
    readonly secret: Secret,
  ) {}

  /** RFC 4616. */
  async plain(username: string): Promise<void> {
    await this.#send(`\0${username}\0${this.secret.reveal()}`);
  }

  async scram(username: string, hash: "SHA-256" | "SHA-512"): Promise<void> {
    const password = this.secret.reveal();
    const client = new ScramClient({ hash, username, password, nonce: newNonce() });
    try {
      const serverFirst = await this.#send(client.first());
      const serverFinal = await this.#send(await client.final(serverFirst));
      client.verify(serverFinal);
    } catch (error) {
      if (!(error instanceof ScramError)) throw error;
      throw this.#refused(error.message);
    }
  }

  /** RFC 7628; the extensions are Kafka's, KIP-342. */
  async bearer(extensions: Record<string, string>): Promise<void> {
    const pairs = Object.entries(extensions).map(([key, value]) => `${key}=${value}\x01`).join("");
    const answer = await this.#send(`n,,\x01auth=Bearer ${this.secret.reveal()}\x01${pairs}\x01`);
    if (answer === "") return;
    // A rejection is JSON, to be confirmed by a single \x01; then comes the error code.
    await this.#send("\x01");
    throw this.#refused(answer);
  }

  async #send(message: string): Promise<string> {
    const answer = await this.link.call(saslAuthenticate, utf8.encode(message));
    if (answer.errorCode !== 0) {
      throw this.#refused(answer.errorMessage ?? errorName(answer.errorCode));
    }
    return text.decode(answer.authBytes);
  }

  #refused(why: string): Failure {
    return new Failure(
      "denied",
      this.secret.redact(`${this.link.name} rejects ${this.who} with ${this.mechanism}: ${why}`),
    );
  }
}
