import { Connection, type ConnectionOptions } from "./connection.ts";
import { loadCancelled, type RunningLoad, startLoad } from "./database.ts";
import { isReadByClient } from "./source.ts";
import type { Reader } from "./stand.ts";
import type { Streams } from "./streams.ts";

export interface SessionOptions extends ConnectionOptions {
  /** The only source that it loads; null if there are several. */
  only: string | null;
  maxRecords: number | null;
  /** The connections for shares of a load, which all sessions have in common. */
  streams: Streams;
  /** Gets why a source is always loaded by one connection. */
  alone(source: string, why: string): void;
  /** Gets what reading the topic has to say. */
  report(source: string, text: string): void;
  /** How a source's topic is read, if this program reads it. */
  readerOf(command: string): Promise<Reader>;
}

/** What a session that loads is called in the database. */
export function sessionName({ name, only }: { name: string; only: string | null }): string {
  return only === null ? name : `${name} ${only}`;
}

/** A connection that loads one source after the other, each in the way that the source has. */
export class LoadSession {
  readonly #options: SessionOptions;
  readonly #connection: Connection;
  /** Whether this program reads the topic, by source: asked once, and again after a failure. */
  readonly #byClient = new Map<string, boolean>();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#connection = new Connection({ ...options, name: sessionName(options) });
  }

  /** Starts a load of a source; one at a time. */
  start(source: string): RunningLoad {
    this.#connection.source = source;
    let running: RunningLoad | null = null;
    // Before it runs: nothing is to be undone then.
    const cancelled = Promise.withResolvers<never>();
    cancelled.promise.catch(() => {});
    const begin = async () => {
      const start = await Promise.race([this.#wayOf(source), cancelled.promise]);
      running = start();
      return await running.done;
    };
    return {
      done: begin().catch((error) => {
        this.#byClient.delete(source);
        throw error;
      }),
      cancel() {
        if (running === null) cancelled.reject(loadCancelled());
        else running.cancel();
      },
    };
  }

  /** How the source is loaded. */
  async #wayOf(source: string): Promise<() => RunningLoad> {
    const { maxRecords, readerOf, report, streams, alone } = this.#options;
    const name = this.#options.only === null ? this.#options.name : null;
    const connection = this.#connection;
    let byClient = this.#byClient.get(source);
    if (byClient === undefined) {
      byClient = await isReadByClient(connection.sql, source);
      this.#byClient.set(source, byClient);
    }
    if (!byClient) {
      alone(source, "the database reads it");
      return () => startLoad(connection.sql, source, maxRecords, name);
    }
    // Loaded here only: other sources need nothing of it.
    const { startClientLoad } = await import("./client_load.ts");
    return () =>
      startClientLoad({
        ...{ connection, streams, source, maxRecords, name, readerOf },
        warn: (line) => report(source, line),
        alone: (why) => alone(source, why),
      });
  }

  /** Closes the connection, and with it what still runs there. */
  async close(): Promise<void> {
    await this.#connection.close();
  }
}
