/** Schema registries for tests: a scripted one for faults, beside the real one of scripts/servers. */
import type { RegistryConfig } from "../../lib/registry/config.ts";
import type { Registry } from "../../lib/registry/registry.ts";

/** A config of these URLs, without login and TLS. */
export function registryConfigOf(
  urls: readonly string[],
  more: Partial<RegistryConfig> = {},
): RegistryConfig {
  return {
    urls: urls.map((base) => ({ base, authorization: null })),
    tls: { authorities: [], identity: null, checkHostname: true },
    headers: {},
    timeout: 5_000,
    namedByTopic: true,
    debug: () => {},
    ...more,
  };
}

/** What was asked of a scripted registry. */
export interface Asked {
  method: string;
  /** Path and query. */
  path: string;
  headers: Headers;
  body: string;
}

export type Answering = (asked: Asked, count: number) => Response | Promise<Response>;

/** An HTTP server on 127.0.0.1 that answers as a test says, and keeps what it was asked. */
export class ScriptedRegistry implements AsyncDisposable {
  readonly asked: Asked[] = [];
  readonly url: string;
  readonly #server: Deno.HttpServer;
  readonly #abort = new AbortController();

  constructor(answer: Answering, tls?: { cert: string; key: string }) {
    const options = { hostname: "127.0.0.1", port: 0, onListen() {}, signal: this.#abort.signal };
    const handler = async (request: Request) => {
      const { pathname, search } = new URL(request.url);
      const { method } = request;
      const headers = new Headers(request.headers); // the request's own go away with it
      this.asked.push({ method, path: pathname + search, headers, body: await request.text() });
      return await answer(this.asked.at(-1)!, this.asked.length);
    };
    this.#server = tls ? Deno.serve({ ...options, ...tls }, handler) : Deno.serve(options, handler);
    const { port } = this.#server.addr as Deno.NetAddr;
    this.url = `${tls ? "https" : "http"}://127.0.0.1:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#server.finished;
  }
}

/** An answer in the form of the API. */
export function json(body: unknown, status = 200): Response {
  return Response.json(body, {
    status,
    headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
  });
}

/** An error in the form of the API. */
export function apiError(code: number, message = "no"): Response {
  return json({ error_code: code, message }, Math.floor(code / (code > 999 ? 100 : 1)));
}

/** A registry that is closed at the end of its block. */
export function closing(registry: Registry): Registry & Disposable {
  return Object.assign(registry, { [Symbol.dispose]: () => registry.close() });
}

/** Deno's servers cannot ask for a client's certificate; Node's can. It prints its port. */
const mutualServer = `
const [cert, key, ca] = JSON.parse(process.argv[1]);
const server = require("https").createServer({ cert, key, ca, requestCert: true }, (_, answer) => {
  answer.setHeader("content-type", "application/json");
  answer.end(JSON.stringify({ schema: '"long"' }));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume().on("end", () => process.exit());
`;

/** An HTTPS server for clients with a certificate of `clientAuthority`; all of the arguments are PEM. */
export async function startMutual(
  { certificate, key }: { certificate: string; key: string },
  clientAuthority: string,
): Promise<{ url: string } & AsyncDisposable> {
  const process = new Deno.Command("node", {
    args: ["-e", mutualServer, JSON.stringify([certificate, key, clientAuthority])],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const { value } = await process.stdout.pipeThrough(new TextDecoderStream()).getReader().read();
  return {
    url: `https://127.0.0.1:${value!.trim()}`,
    async [Symbol.asyncDispose]() {
      await process.stdin.close();
      await process.status;
    },
  };
}

/** A version of a subject in a scripted registry. */
export interface Version {
  id: number;
  schema: string;
  schemaType?: "PROTOBUF" | "JSON";
  references?: { name: string; subject: string; version: number }[];
}

/** Answers as a registry with these subjects does; what it does not have is unknown. */
export function subjectsOf(subjects: Record<string, readonly Version[]>): Answering {
  return ({ path }) => {
    const [, id] = /^\/schemas\/ids\/(\d+)/.exec(path) ?? [];
    if (id !== undefined) {
      const found = Object.values(subjects).flat().find((version) => version.id === Number(id));
      return found ? json(found) : apiError(40403);
    }
    const [, name, number] = /^\/subjects\/([^/]+)\/versions\/?(\d*)/.exec(path) ?? [];
    const versions = subjects[decodeURIComponent(name ?? "")];
    if (versions === undefined) return apiError(40401);
    if (number === "") return json(versions.map((_, i) => i + 1));
    const found = versions[Number(number) - 1];
    return found ? json({ ...found, version: Number(number) }) : apiError(40402);
  };
}

/** A value in a Confluent frame: a zero, the schema's id, and (of Protobuf) the message's indexes. */
export function framed(id: number, body: Iterable<number>, indexes: number[] = []): Uint8Array {
  const head = [0, id >>> 24, id >>> 16 & 255, id >>> 8 & 255, id & 255];
  return Uint8Array.from([...head, ...indexes, ...body]);
}
