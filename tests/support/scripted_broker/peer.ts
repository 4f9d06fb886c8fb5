/**
 * The lowest layer of the scripted broker: sockets and frames. By itself it is for tests of single
 * bytes of a connection.
 */
import type { ClientConfig } from "../../../lib/kafka/config.ts";
import { frame } from "../../golden/frames.ts";

/** One request as it came, after its size. */
export interface Request {
  key: number;
  version: number;
  correlation: number;
  frame: Uint8Array;
}

/** The client's end of a connection, seen from the server. */
export class Peer {
  readonly conn: Deno.Conn;

  constructor(conn: Deno.Conn) {
    this.conn = conn;
  }

  /** The next request, null where the client closed. */
  async request(): Promise<Request | null> {
    const size = await this.#read(4);
    const frame = size && await this.#read(new DataView(size.buffer).getInt32(0));
    if (!frame) return null;
    const view = new DataView(frame.buffer);
    const [key, version, correlation] = [view.getInt16(0), view.getInt16(2), view.getInt32(4)];
    return { key, version, correlation, frame };
  }

  /** Reads `size` bytes as they come. */
  async #read(size: number): Promise<Uint8Array<ArrayBuffer> | null> {
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size;) {
      const count = await this.conn.read(bytes.subarray(at)).catch(() => null);
      if (count === null) return null;
      at += count;
    }
    return bytes;
  }

  async send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.conn.write(bytes.subarray(at));
  }

  close(): void {
    try {
      this.conn.close();
    } catch {
      // Closed already, by either side.
    }
  }

  async answer(request: Request, body: Uint8Array): Promise<void> {
    await this.send(response(request.correlation, body));
  }

  /** Takes the request that every connection starts with. */
  async greet(body: Uint8Array = frame("api_versions")): Promise<void> {
    const request = await this.request();
    if (request) await this.answer(request, body);
  }
}

/** A response as it is on the wire. */
export function response(correlation: number, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8 + body.length);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, 4 + body.length);
  view.setInt32(4, correlation);
  bytes.set(body, 8);
  return bytes;
}

export interface RawBroker extends AsyncDisposable {
  port: number;
  /** Closes the connections that there are. */
  disconnect(): void;
}

/** Listens, on a free port by default; `script` is run for each connection, then it is closed. */
export function rawBroker(script: (peer: Peer) => Promise<void>, port = 0): RawBroker {
  const listener = Deno.listen({ hostname: "127.0.0.1", port });
  const peers = new Set<Peer>();
  const serve = async (peer: Peer) => {
    try {
      await script(peer);
    } catch {
      // The client went away in the middle: what the test is about.
    } finally {
      peers.delete(peer);
      peer.close();
    }
  };
  const serving: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const conn of listener) {
      conn.setNoDelay(true);
      const peer = new Peer(conn);
      peers.add(peer);
      serving.push(serve(peer));
    }
  })();
  const disconnect = () => {
    for (const peer of peers) peer.close();
  };
  return {
    port: listener.addr.port,
    disconnect,
    async [Symbol.asyncDispose]() {
      listener.close();
      disconnect();
      await accepting;
      await Promise.all(serving);
    },
  };
}

/** Waits until the client has closed. */
export async function untilClosed(peer: Peer): Promise<void> {
  while (await peer.request() !== null);
}

export function clientConfig(changes: Partial<ClientConfig> = {}): ClientConfig {
  return {
    brokers: [],
    clientId: "test",
    timeout: 5000,
    debug: () => {},
    tls: null,
    sasl: null,
    ...changes,
  };
}
