import { createHash, timingSafeEqual } from "node:crypto";
import { Failure, systemReason } from "../failure.ts";
import { Secret, shownPath } from "../secret.ts";

/** Who may read what `--listen` serves. */
export interface Access {
  /** What clients must know; null: nothing. */
  token: Secret | null;
  /**
   * The page only answers to names of this machine: a web site that a browser on this machine has
   * open could give its own name this address, and read it (DNS rebinding).
   */
  localOnly: boolean;
}

const LEAST = 16;

/**
 * Reads the token of `--listen-token-file`. Throws Failure (usage), never with what is in the file.
 */
export function readToken(path: string): Secret {
  const flag = "--listen-token-file";
  let text: string;
  try {
    text = Deno.readTextFileSync(path).trim();
  } catch (error) {
    throw new Failure("usage", `${flag}: cannot read ${shownPath(path)}: ${systemReason(error)}`);
  }
  if (!/^[\x21-\x7e]+$/.test(text) || text.length < LEAST) {
    throw new Failure(
      "usage",
      `${flag}: the file must have one line of at least ${LEAST} printable characters, without ` +
        "spaces — such as the output of: openssl rand -hex 32",
    );
  }
  return new Secret(text);
}

/** Whether an address can be reached from this machine only. */
export function isLoopback(hostname: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1)$/i.test(hostname);
}

/**
 * Whether a request has the token: as `Authorization: Bearer TOKEN`, or as the password of Basic
 * (RFC 7617), which browsers ask for; any user name will do. Not in the URL: that is kept in
 * histories and logs.
 */
export function hasToken(request: Request, token: Secret): boolean {
  const header = request.headers.get("authorization") ?? "";
  const [, scheme, given] = /^(bearer|basic) +(\S+)$/i.exec(header) ?? [];
  if (scheme === undefined) return false;
  if (scheme.toLowerCase() === "bearer") return equal(given, token.reveal());
  try {
    const login = atob(given);
    return equal(login.slice(login.indexOf(":") + 1), token.reveal());
  } catch {
    return false; // not base64
  }
}

/** In a time that does not depend on where they differ. */
function equal(one: string, other: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/** Whether the client has asked for this machine by a name that only this machine has. */
export function asksForThisMachine(request: Request): boolean {
  const host = request.headers.get("host");
  return host === null || isLoopback(host.replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1"));
}
