import { Failure } from "../../failure.ts";
import { errorName } from "../../protocol/error_codes.ts";
import { saslAuthenticate, saslHandshake, saslSession } from "../../protocol/messages/sasl.ts";
import type { SaslConfig } from "../config.ts";
import type { Link } from "../requests.ts";
import { type Mechanism, rejected, SaslError } from "./mechanism.ts";
import { newMechanism } from "./new_mechanism.ts";

const ILLEGAL_SASL_STATE = 34;

/** What a login may take that is not the broker's time: this share of the whole limit. */
export const PREPARATION = 0.8;

/**
 * Logs in on a connection, within about `timeout` milliseconds. Returns for how long the broker
 * accepts requests on it until the next login, milliseconds; 0 if it has no limit (KIP-368). Throws
 * as {@link Login} does.
 */
export async function authenticate(
  link: Link,
  sasl: SaslConfig,
  timeout: number,
): Promise<number> {
  return await (await Login.prepare(sasl, link.host, PREPARATION * timeout)).on(link);
}

/**
 * A login whose first message is ready. SaslHandshake names the mechanism, SaslAuthenticate carries
 * its messages (https://kafka.apache.org/protocol#sasl_handshake).
 */
export class Login {
  readonly #mechanism: Mechanism;
  readonly #first: Uint8Array;

  private constructor(mechanism: Mechanism, first: Uint8Array) {
    this.#mechanism = mechanism;
    this.#first = first;
  }

  /**
   * Prepares a login at the broker on `host`, for `limit` milliseconds at most: nothing is sent to
   * it. Throws ConnectionError if another try may help, else Failure.
   */
  static async prepare(sasl: SaslConfig, host: string, limit: number): Promise<Login> {
    const mechanism = await newMechanism(sasl, host, limit);
    try {
      return new Login(mechanism, await mechanism.start());
    } catch (error) {
      mechanism.close?.();
      throw error;
    }
  }

  /** Frees a login that is not used. */
  discard(): void {
    this.#mechanism.close?.();
  }

  /**
   * Logs in. Returns as {@link authenticate} does. Throws Failure (denied) if the broker rejects the
   * login, or can't prove that it knows the password; the secret is in no message.
   */
  async on(link: Link): Promise<number> {
    const mechanism = this.#mechanism;
    try {
      await shakeHands(link, mechanism);
      const api = link.accepts(saslSession) ? saslSession : saslAuthenticate;
      for (let message: Uint8Array | null = this.#first;;) {
        const answer = await link.call(api, message);
        if (answer.errorCode !== 0) {
          throw rejected(link.name, mechanism, answer.errorMessage ?? errorName(answer.errorCode));
        }
        message = await mechanism.next(answer.authBytes);
        if (message === null) return answer.sessionLifetime;
      }
    } catch (error) {
      throw error instanceof SaslError ? rejected(link.name, mechanism, error.message) : error;
    } finally {
      mechanism.close?.();
    }
  }
}

async function shakeHands(link: Link, { name }: Mechanism): Promise<void> {
  const { errorCode, mechanisms } = await link.call(saslHandshake, name);
  if (errorCode === ILLEGAL_SASL_STATE) {
    throw new Failure(
      "broker",
      `${link.name} does not use SASL on this port — set security.protocol to PLAINTEXT or SSL`,
    );
  }
  if (errorCode !== 0) {
    throw new Failure(
      "denied",
      `${link.name} does not accept sasl.mechanism ${name}: ${errorName(errorCode)}; ` +
        `it accepts ${mechanisms.join(", ") || "none"}`,
    );
  }
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
