/** What every way to log in has in common: a file for each in this folder, loaded if it is used. */
import { Failure } from "../../failure.ts";
import type { SaslMechanism } from "../config.ts";

/**
 * One login on one connection, as messages. It neither sends nor reads: `authenticate.ts` does so
 * for our own connections, `kafkajs/client.ts` for those of kafkajs.
 */
export interface Mechanism {
  /** As SaslHandshake names it. */
  readonly name: SaslMechanism;
  /** Who logs in, for messages: `user "ann"`, `the token`. */
  readonly who: string;
  /**
   * The first message. It is made before the broker is asked for anything, so what it needs from
   * elsewhere (a token, a ticket) may take its time. Throws Failure.
   */
  start(): Promise<Uint8Array>;
  /**
   * The message after the broker's `answer`, or null if the login is over. Throws SaslError if the
   * broker rejects the login inside an answer, or does not prove what it must prove.
   */
  next(answer: Uint8Array): Promise<Uint8Array | null>;
  /** What may help if the broker rejects the login, for its message. */
  hint?(): string;
  /** Text of a broker without the secret, should it be in there. */
  redact(text: string): string;
  /** Frees what the login holds. Called once, however it ended. */
  close?(): void;
}

/** The other side's message is wrong, is a rejection, or proves nothing. */
export class SaslError extends Error {
  override readonly name = "SaslError";
}

/** A rejected login, with the broker's words. */
export function rejected(broker: string, mechanism: Mechanism, why: string): Failure {
  const { name, who } = mechanism;
  const hint = mechanism.hint?.() ?? "";
  const said = `${broker} rejects ${who} with ${name}: ${why}${hint === "" ? "" : ` — ${hint}`}`;
  return new Failure("denied", mechanism.redact(said));
}

const utf8 = new TextEncoder();
const decoder = new TextDecoder();

/** UTF-8. The encoder never uses shared memory; Deno 2.4's types don't say so. */
export function encode(text: string): Uint8Array<ArrayBuffer> {
  return utf8.encode(text) as Uint8Array<ArrayBuffer>;
}

export function decode(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
