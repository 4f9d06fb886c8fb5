import { Failure } from "../failure.ts";
import { trusted } from "../kafka/authorities.ts";
import { explainFetch, inLine, PassingError, readBounded } from "../kafka/fetching.ts";
import type { RegistryConfig, RegistryUrl } from "./config.ts";

/** The largest answer that is read, bytes. Schemas have kilobytes. */
export const LARGEST_ANSWER = 16 * 1024 * 1024;
/** What a registry may ask us to wait before the next try, milliseconds at most. */
const LONGEST_PAUSE = 10_000;

const ACCEPT =
  "application/vnd.schemaregistry.v1+json, application/vnd.schemaregistry+json;q=0.9, " +
  "application/json;q=0.5";

const certificate = "schema.registry.ssl.certificate.location";
const tlsNames = {
  authorities: "schema.registry.ssl.ca.location",
  identity: [certificate, `${certificate} and schema.registry.ssl.key.location`],
} as const;

export interface Call {
  /** After the registry's URL; its parts are percent-encoded. */
  path: string;
  /** Sent as JSON, with POST. */
  body?: unknown;
}

/** An answer in the registry's own form: a result, or an error that it has a number for. */
export interface Answer {
  /** 200, 404, 409 or 422. */
  status: number;
  /** The registry's `error_code`, such as 40403; 0 for a result. */
  errorCode: number;
  /** Of an error: the registry's text, in one line. */
  message: string;
  body: unknown;
}

/** One registry's HTTP: a try of a call, with all that may be wrong with its answer. */
export class Http {
  readonly #config: RegistryConfig;
  #client: Deno.HttpClient | undefined;

  constructor(config: RegistryConfig) {
    this.#config = config;
  }

  close(): void {
    this.#client?.close();
    this.#client = undefined;
  }

  /**
   * Calls and reads the answer, for `timeout` milliseconds. Throws PassingError if another try may
   * help, Failure (denied) if the login or a certificate is rejected, else Failure (broker).
   */
  async try(url: RegistryUrl, call: Call, timeout: number): Promise<Answer> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), timeout);
    try {
      const response = await this.#send(url, call, abort.signal);
      try {
        return await this.#read(url, response);
      } finally {
        // What is left of the body is not read.
        if (!response.bodyUsed) await response.body?.cancel().catch(() => {});
      }
    } catch (error) {
      if (error instanceof Failure || error instanceof PassingError) throw error;
      if (abort.signal.aborted) {
        throw new PassingError(`${url.base} does not answer: no answer within ${seconds(timeout)}`);
      }
      const { authorities, identity } = this.#config.tls;
      throw await explainFetch(error, url.base, {
        ...tlsNames,
        trusted: url.base.startsWith("https:") ? trusted(authorities) : [],
        hasIdentity: identity !== null,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async #send(url: RegistryUrl, { path, body }: Call, signal: AbortSignal): Promise<Response> {
    const headers = new Headers({ ...this.#config.headers, accept: ACCEPT });
    if (url.authorization) headers.set("authorization", url.authorization.reveal());
    if (body !== undefined) headers.set("content-type", "application/vnd.schemaregistry.v1+json");
    const init = {
      method: body === undefined ? "GET" : "POST",
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      // A login must not follow to another host.
      redirect: "manual" as const,
      signal,
      client: this.#client ??= this.#newClient(),
    };
    return await fetch(url.base + path, init);
  }

  #newClient(): Deno.HttpClient {
    const { tls: { authorities, identity }, urls } = this.#config;
    if (!urls.some(({ base }) => base.startsWith("https:"))) return Deno.createHttpClient({});
    const caCerts = trusted(authorities);
    if (identity === null) return Deno.createHttpClient({ caCerts });
    const { certificates: cert, key } = identity;
    return Deno.createHttpClient({ caCerts, cert, key: key.reveal() });
  }

  async #read(url: RegistryUrl, response: Response): Promise<Answer> {
    const { base } = url;
    const { status, headers } = response;
    if (status >= 300 && status < 400) {
      const to = target(headers.get("location"), base);
      throw new Failure("broker", `${base} redirects to ${to} — give the registry's own URL`);
    }
    if (status === 401 || status === 403) throw refused(status, base, url.authorization !== null);
    const body = parse(await readBounded(response, base, LARGEST_ANSWER));
    const error = errorOf(body);
    if (status === 408 || status === 429 || status >= 500) {
      const pause = Number(headers.get("retry-after") ?? 0) * 1000;
      const retryAfter = pause > 0 ? Math.min(pause, LONGEST_PAUSE) : 0;
      const said = error?.message ? `: ${error.message}` : "";
      throw new PassingError(`${base} answers HTTP ${status}${said}`, retryAfter);
    }
    if (status >= 200 && status < 300) {
      if (body !== undefined) return { status: 200, errorCode: 0, message: "", body };
      throw notRegistry(base, headers);
    }
    if ([404, 409, 422].includes(status) && error !== null && error.code > 1000) {
      return { status, errorCode: error.code, message: error.message, body };
    }
    if (status === 404) {
      throw new Failure(
        "broker",
        `${base} is not a schema registry: HTTP 404 — its URL needs the path of the Confluent API ` +
          "(of Apicurio: /apis/ccompat/v7)",
      );
    }
    const said = error?.message ? `: ${error.message}` : "";
    throw new Failure("broker", `${base} answers HTTP ${status}${said}`);
  }
}

function notRegistry(base: string, headers: Headers): Failure {
  const type = inLine(headers.get("content-type") ?? "nothing");
  return new Failure(
    "broker",
    `${base} is not a schema registry: it answers with ${type}, not with JSON — check its URL`,
  );
}

function refused(status: number, base: string, login: boolean): Failure {
  if (status === 403) {
    return new Failure("denied", `${base} does not authorize this user (HTTP 403)`);
  }
  return new Failure(
    "denied",
    login
      ? `${base} rejects the login (HTTP 401) — check user and password, or token`
      : `${base} requires a login (HTTP 401) — set schema.registry.basic.auth.user.info or ` +
        "bearer.auth.token",
  );
}

/** Where a redirection leads to, as a message names it: origin and path, no user info and no query. */
function target(location: string | null, base: string): string {
  try {
    const { origin, pathname } = new URL(location ?? "", `${base}/`);
    return inLine(origin === "null" ? "another address" : origin + pathname);
  } catch {
    return "another address";
  }
}

/** Undefined if it is not JSON. */
function parse(text: string | null): unknown {
  try {
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `{"error_code": 40403, "message": "…"}`, the form of every error of the API. */
function errorOf(body: unknown): { code: number; message: string } | null {
  if (typeof body !== "object" || body === null) return null;
  const { error_code: code, message } = body as Record<string, unknown>;
  if (typeof code !== "number") return null;
  return { code, message: typeof message === "string" ? inLine(message) : "" };
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 100) / 10} s`;
}
