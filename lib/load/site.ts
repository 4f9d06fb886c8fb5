import { type Access, asksForThisMachine, hasToken } from "./access.ts";
import type { LoadMetrics } from "./metrics.ts";
import { pageHeaders, pageText } from "./page.ts";
import type { SourceStatus } from "./status.ts";

/** What `--listen` serves: `/` for people, `/metrics` for Prometheus, `/healthz` for probes. */
export class LoadSite {
  readonly #metrics: LoadMetrics;
  readonly #sources: readonly SourceStatus[];
  readonly #access: Access;

  constructor(metrics: LoadMetrics, sources: readonly SourceStatus[], access: Access) {
    this.#metrics = metrics;
    this.#sources = sources;
    this.#access = access;
  }

  /** Answers GET and HEAD; nothing can be changed here. */
  readonly answer = async (request: Request): Promise<Response> => {
    // Whatever a client says is its host, it is not one of this program's errors.
    if (!URL.canParse(request.url)) return new Response("not a URL\n", { status: 400 });
    const { pathname } = new URL(request.url);
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response("GET only\n", { status: 405, headers: { allow: "GET, HEAD" } });
    }
    // Probes have no token, and learn no more than that something is wrong.
    if (pathname === "/healthz") return this.#metrics.health();
    const { token, localOnly } = this.#access;
    if (token !== null && !hasToken(request, token)) return unauthorized();
    switch (pathname) {
      case "/metrics":
        return await this.#metrics.metrics();
      case "/":
        if (localOnly && !asksForThisMachine(request)) return foreign();
        return new Response(pageText(this.#sources, new Date()), { headers: pageHeaders });
      default:
        return new Response("/, /metrics or /healthz\n", { status: 404 });
    }
  };
}

function unauthorized(): Response {
  const headers = { "www-authenticate": 'Basic realm="gpdb-kafka load", charset="UTF-8"' };
  return new Response(
    "the token of --listen-token-file is required: Authorization: Bearer, or the password of Basic\n",
    { status: 401, headers },
  );
}

function foreign(): Response {
  return new Response(
    "this page answers to localhost and 127.0.0.1 only; with --listen-token-file to any name\n",
    { status: 403 },
  );
}
