/** One question to a server that gives tokens or credentials. */
import { Failure } from "../../failure.ts";
import { trusted } from "../authorities.ts";
import { ConnectionError } from "../connection_error.ts";
import { explainFetch, inLine, PassingError, readBounded } from "../fetching.ts";

/** The largest answer that is read, bytes: tokens have kilobytes. */
const LARGEST = 1024 * 1024;

/** How long such a server may take, milliseconds. */
export const ANSWER_TIMEOUT = 10_000;

export interface Question {
  /** What fails without an answer: `cannot get a token`. */
  failed: string;
  url: string;
  method: "GET" | "POST";
  headers: Record<string, string>;
  body?: string;
  /** PEM; without any, those of the host. */
  authorities: readonly string[];
  /** The property that names these. */
  authoritiesName: string;
  /** Milliseconds. */
  limit: number;
}

export interface Answer {
  status: number;
  /** Its content type, for messages. */
  type: string;
  text: string;
}

/**
 * Asks, and reads the answer, whatever its status. Throws ConnectionError if another try may help:
 * so for the statuses 408, 429 and 5xx too; Failure if none can.
 */
export async function ask(question: Question): Promise<Answer> {
  const { failed, url, method, headers, body, authorities, authoritiesName, limit } = question;
  const name = shownUrl(url);
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), limit);
  const caCerts = url.startsWith("https:") ? trusted(authorities) : undefined;
  const client = Deno.createHttpClient(caCerts ? { caCerts } : {});
  try {
    const init = { method, headers, body, signal: abort.signal, client };
    // A secret must not follow to another host.
    const response = await fetch(url, { ...init, redirect: "manual" });
    const type = inLine(response.headers.get("content-type") ?? "nothing").replace(/;.*/, "");
    const { status } = response;
    if (status >= 300 && status < 400) {
      await response.body?.cancel().catch(() => {});
      const to = shownUrl(response.headers.get("location") ?? "", url);
      throw new Failure("broker", `${failed}: ${name} redirects to ${to} — give its own URL`);
    }
    const text = await readBounded(response, name, LARGEST) ?? "";
    if (status === 408 || status === 429 || status >= 500) {
      throw new ConnectionError(`${failed}: ${name} answers HTTP ${status}${reasonIn(text)}`);
    }
    return { status, type, text };
  } catch (error) {
    if (error instanceof Failure || error instanceof ConnectionError) throw error;
    if (abort.signal.aborted) {
      throw new ConnectionError(
        `${failed}: ${name} does not answer: no answer within ${limit / 1000} s`,
      );
    }
    const explained = await explainFetch(error, name, {
      ...{ authorities: authoritiesName, trusted: caCerts ?? [] },
      ...{ identity: null, hasIdentity: false },
    });
    if (!(explained instanceof PassingError)) throw explained;
    throw new ConnectionError(`${failed}: ${explained.message}`);
  } finally {
    clearTimeout(timer);
    client.close();
  }
}

/** A URL as messages name it: without user info and query, which may have secrets. */
export function shownUrl(url: string, base?: string): string {
  try {
    const { origin, pathname } = new URL(url, base);
    return inLine(origin === "null" ? "another address" : origin + pathname);
  } catch {
    return "another address";
  }
}

/** What an OAuth server says of an error (RFC 6749, section 5.2): `: invalid_client: who?`. */
export function reasonIn(text: string): string {
  const { error, error_description: description } = jsonObject(text) ?? {};
  return [error, description].filter((part) => typeof part === "string" && part !== "")
    .map((part) => `: ${inLine(part as string)}`).join("");
}

/** Null if it is not an object of JSON. */
export function jsonObject(text: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : null;
  } catch {
    return null;
  }
}
