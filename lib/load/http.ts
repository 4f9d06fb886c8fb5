import { writeAll } from "../kafka/socket.ts";
import { pause } from "../waiting.ts";

/**
 * The few lines of HTTP that metrics and the status page need. Not Deno.serve: it accepts as many
 * connections as come, and ends the process once no more files may be opened; its shutdown waits
 * for half a request. Not node:http either: on Deno 2.4.2, which programs built with
 * `--closed-network` run on, its server has no "connection" event, so connections cannot be
 * counted and the oldest cannot be dropped (on 2.9.6 it has; tests/unit/load/http_test.ts passes).
 */

/** Clients at a time; one more replaces the oldest. */
const CLIENTS = 32;
/** For a request and its answer, milliseconds. */
const PATIENCE = 5000;
const LONGEST_HEAD = 16 * 1024;

const REASONS: Record<number, string> = {
  200: "OK",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  503: "Service Unavailable",
};

/** Answers requests without a body, one for each connection. */
export class HttpServer {
  readonly #listener: Deno.Listener;
  readonly #answer: (request: Request) => Promise<Response>;
  readonly #clients = new Set<Deno.Conn>();
  readonly #accepting: Promise<void>;
  #closed = false;

  constructor(listener: Deno.Listener, answer: (request: Request) => Promise<Response>) {
    this.#listener = listener;
    this.#answer = answer;
    this.#accepting = this.#accept();
  }

  /** At once: no client is waited for. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#listener.close();
    for (const client of this.#clients) this.#drop(client);
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    while (!this.#closed) {
      try {
        const client = await this.#listener.accept();
        const [oldest] = this.#clients;
        if (this.#clients.size >= CLIENTS) this.#drop(oldest);
        this.#clients.add(client);
        void this.#serve(client);
      } catch {
        // No more files may be opened, or the client has gone already: neither is for ever.
        if (!this.#closed) await pause(100);
      }
    }
  }

  async #serve(client: Deno.Conn): Promise<void> {
    const timer = setTimeout(() => this.#drop(client), PATIENCE);
    try {
      const head = await readHead(client);
      if (head === null) return;
      const request = parse(head);
      const answer = request === null
        ? new Response("not a request of HTTP/1.1\n", { status: 400 })
        : await this.#answer(request);
      await writeAll(client, await format(answer, request?.method === "HEAD"));
      // What the client still sends is read: to close at once could take the answer from it.
      await client.closeWrite();
      const rest = new Uint8Array(1024);
      while (await client.read(rest) !== null);
    } catch {
      // The client has gone, or was dropped.
    } finally {
      clearTimeout(timer);
      this.#drop(client);
    }
  }

  #drop(client: Deno.Conn): void {
    if (!this.#clients.delete(client)) return;
    try {
      client.close();
    } catch {
      // It is closed.
    }
  }
}

/** All up to the empty line; null if none comes. */
async function readHead(client: Deno.Conn): Promise<string | null> {
  const decoder = new TextDecoder("latin1");
  const buffer = new Uint8Array(1024);
  let head = "";
  while (head.length < LONGEST_HEAD) {
    const count = await client.read(buffer);
    if (count === null) return null;
    head += decoder.decode(buffer.subarray(0, count));
    if (head.includes("\r\n\r\n")) return head;
  }
  return null;
}

/** The headers that answers depend on. */
const USED = ["host", "authorization"];

/** Null if it is not a request. */
function parse(head: string): Request | null {
  const [, method, target] = /^([A-Z]+) (\S+) HTTP\/1\.[01]\r\n/.exec(head) ?? [];
  if (method === undefined) return null;
  const url = target.startsWith("/") ? `http://localhost${target}` : target;
  try {
    return new Request(url, { method, headers: usedHeaders(head) });
  } catch {
    return null;
  }
}

function usedHeaders(head: string): Headers {
  const headers = new Headers();
  for (const line of head.split("\r\n").slice(1)) {
    const [, name, value] = /^([\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    // Of two of a name the first: to join them would make a value that nobody has sent.
    if (name === undefined || !USED.includes(name.toLowerCase()) || headers.has(name)) continue;
    headers.set(name, value);
  }
  return headers;
}

async function format(answer: Response, isHead: boolean): Promise<Uint8Array> {
  const { status, headers } = answer;
  const body = new TextEncoder().encode(await answer.text());
  headers.set("content-length", String(body.length));
  headers.set("connection", "close");
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 ${status} ${REASONS[status] ?? ""}\r\n${lines.join("")}\r\n`;
  const front = new TextEncoder().encode(head);
  if (isHead) return front;
  const all = new Uint8Array(front.length + body.length);
  all.set(front);
  all.set(body, front.length);
  return all;
}
