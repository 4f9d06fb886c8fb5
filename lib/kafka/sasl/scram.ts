/**
 * The client's side of SCRAM, RFC 5802 (SHA-256: RFC 7677; SHA-512 is Kafka's own addition),
 * without channel binding. Pure: messages in, messages out.
 */
import type { ScramConfig } from "../config.ts";
import { decode, encode, type Mechanism, SaslError } from "./mechanism.ts";

/** RFC 7677 asks for this many at least, and Kafka's brokers create no fewer. */
const LEAST_ITERATIONS = 4096;
/** About a second's work. A broker that asks for more is not one of ours. */
const MOST_ITERATIONS = 2_000_000;

/** A login with SCRAM: two messages each way. */
export class Scram implements Mechanism {
  readonly name: ScramConfig["mechanism"];
  readonly who: string;
  readonly #user: ScramConfig;
  readonly #client: ScramClient;
  #proving = false;

  constructor(user: ScramConfig) {
    const { mechanism, username, password, tokenauth } = user;
    this.name = mechanism;
    this.who = `${tokenauth ? "delegation token" : "user"} "${username}"`;
    this.#user = user;
    const hash = mechanism === "SCRAM-SHA-256" ? "SHA-256" : "SHA-512";
    this.#client = new ScramClient({
      ...{ hash, username, password: password.reveal() },
      ...{ nonce: newNonce(), tokenauth },
    });
  }

  start(): Promise<Uint8Array> {
    return Promise.resolve(encode(this.#client.first()));
  }

  async next(answer: Uint8Array): Promise<Uint8Array | null> {
    if (!this.#proving) {
      this.#proving = true;
      return encode(await this.#client.final(decode(answer)));
    }
    this.#client.verify(decode(answer));
    return null;
  }

  redact(text: string): string {
    return this.#user.password.redact(text);
  }
}

export interface ScramUser {
  hash: "SHA-256" | "SHA-512";
  username: string;
  password: string;
  /** Printable ASCII without commas, new for each login. */
  nonce: string;
  /** Whether it is a delegation token: Kafka's extension, KIP-48. */
  tokenauth?: boolean;
}

/** One login. Call the three methods in their order. */
export class ScramClient {
  readonly #user: ScramUser;
  readonly #firstBare: string;
  #serverSignature: Uint8Array | null = null;

  constructor(user: ScramUser) {
    this.#user = user;
    const name = user.username.replaceAll("=", "=3D").replaceAll(",", "=2C");
    const extension = user.tokenauth ? ",tokenauth=true" : "";
    this.#firstBare = `n=${name},r=${user.nonce}${extension}`;
  }

  /** client-first-message. */
  first(): string {
    return `n,,${this.#firstBare}`;
  }

  /** client-final-message, which proves that the client has the password. Throws SaslError. */
  async final(serverFirst: string): Promise<string> {
    const [nonce, salt, iterations] = readServerFirst(serverFirst, this.#user.nonce);
    // Kafka uses a password's UTF-8 bytes as they are, on both sides; SASLprep, which RFC 5802
    // asks for, would lock out users with a character that it changes.
    const password = encode(this.#user.password);
    const salted = await this.#saltedPassword(password, salt, iterations);
    const withoutProof = `c=biws,r=${nonce}`;
    const message = encode(`${this.#firstBare},${serverFirst},${withoutProof}`);
    const clientKey = await this.#hmac(salted, encode("Client Key"));
    const serverKey = await this.#hmac(salted, encode("Server Key"));
    const storedKey = new Uint8Array(await crypto.subtle.digest(this.#user.hash, clientKey));
    const clientSignature = await this.#hmac(storedKey, message);
    this.#serverSignature = await this.#hmac(serverKey, message);
    const proof = clientKey.map((byte, i) => byte ^ clientSignature[i]);
    return `${withoutProof},p=${encodeBase64(proof)}`;
  }

  /** Checks server-final-message, which proves that the broker has it too. Throws SaslError. */
  verify(serverFinal: string): void {
    const error = /^e=([^,]*)/.exec(serverFinal)?.[1];
    if (error !== undefined) throw new SaslError(error);
    const signature = decodeBase64(/^v=([^,]+)/.exec(serverFinal)?.[1] ?? "");
    const expected = this.#serverSignature;
    if (!expected || !signature || !sameBytes(expected, signature)) {
      throw new SaslError("it has not proved that it knows the password");
    }
  }

  async #saltedPassword(password: Bytes, salt: Bytes, iterations: number): Promise<Bytes> {
    const { hash } = this.#user;
    const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const bits = Number(hash.slice("SHA-".length));
    const algorithm = { name: "PBKDF2", hash, salt, iterations };
    return new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, bits));
  }

  async #hmac(key: Bytes, message: Bytes): Promise<Bytes> {
    const algorithm = { name: "HMAC", hash: this.#user.hash };
    const imported = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
    return new Uint8Array(await crypto.subtle.sign("HMAC", imported, message));
  }
}

/** A nonce: 144 random bits, as text that has no comma. */
export function newNonce(): string {
  return encodeBase64(crypto.getRandomValues(new Uint8Array(18)));
}

type Bytes = Uint8Array<ArrayBuffer>;

/** The nonce of both, the salt and the iterations of server-first-message. */
function readServerFirst(text: string, clientNonce: string): [string, Bytes, number] {
  const match = /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/=]+),i=(\d{1,9})(?:,|$)/.exec(text);
  const salt = decodeBase64(match?.[2] ?? "");
  if (!match || !salt) throw new SaslError("its first message is not SCRAM's");
  const [, nonce, , count] = match;
  if (!nonce.startsWith(clientNonce) || nonce.length === clientNonce.length) {
    throw new SaslError("its nonce is not an answer to this client's");
  }
  const iterations = Number(count);
  if (iterations < LEAST_ITERATIONS || iterations > MOST_ITERATIONS) {
    throw new SaslError(
      `it asks for ${count} iterations, ${LEAST_ITERATIONS} to ${MOST_ITERATIONS} are accepted`,
    );
  }
  return [nonce, salt, iterations];
}

/** Compares in a time that does not show where they differ. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.reduce((sum, byte, i) => sum | byte ^ b[i], 0) === 0;
}

function encodeBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function decodeBase64(text: string): Bytes | null {
  try {
    return text === "" ? null : Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}
