import { Duplex } from "node:stream";
import type { ISocketFactory } from "kafkajs";
import type { ClientConfig } from "../config.ts";
import { openSocket, type Socket, writeAll } from "../socket.ts";

/**
 * TLS connections for kafkajs, made as our own are: the same trust, the same words when it fails,
 * and client certificates on Deno 2.4 too, whose node:tls does not show them.
 */
export function tlsSockets(config: ClientConfig): ISocketFactory {
  return ({ host, port, onConnect }) => {
    const socket = new TlsSocket(openSocket({ host, port }, config));
    socket.once("connect", onConnect);
    return socket as unknown as ReturnType<ISocketFactory>;
  };
}

/** As much of node's net.Socket as kafkajs uses. */
class TlsSocket extends Duplex {
  readonly #opening: Promise<Socket>;
  readonly #chunk = new Uint8Array(64 * 1024);

  constructor(opening: Promise<Socket>) {
    super();
    this.#opening = opening;
  }

  override _construct(done: (error?: Error) => void): void {
    this.#opening.then(() => {
      done();
      this.emit("connect");
    }, done);
  }

  override _read(): void {
    this.#opening.then(async ({ conn, explain }) => {
      try {
        const count = await conn.read(this.#chunk);
        this.push(count === null ? null : this.#chunk.slice(0, count));
      } catch (error) {
        this.destroy(explain(error) ?? (error as Error));
      }
    }, () => {});
  }

  override _write(chunk: Uint8Array, _: string, done: (error?: Error) => void): void {
    this.#opening.then(({ conn }) => writeAll(conn, chunk)).then(() => done(), done);
  }

  override _final(done: () => void): void {
    done();
    this.destroy();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#opening.then(({ conn }) => conn.close()).catch(() => {});
    done(error);
  }

  setKeepAlive(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}
