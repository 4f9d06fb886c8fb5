import { Duplex } from "node:stream";
import { type Socket, writeAll } from "./socket.ts";

/** A connection of ours as much of node's net.Socket as kafkajs and the postgres package use. */
export class SocketStream extends Duplex {
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

  get readyState(): string {
    return this.destroyed ? "closed" : "open";
  }

  setKeepAlive(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}
