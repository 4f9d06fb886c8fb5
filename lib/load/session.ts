import {
  type Database,
  loadCancelled,
  openDatabase,
  type RunningLoad,
  startLoad,
} from "./database.ts";
import type { Dsn } from "./dsn.ts";
import { isReadByClient } from "./source.ts";
import type { Reader } from "./stand.ts";

export interface SessionOptions {
  dsn: Dsn;
  /** What the session is called in the database, before the source's name. */
  name: string;
  /** The only source that it loads; null if there are several. */
  only: string | null;
  maxRecords: number | null;
  /** Gets what the database says besides its answers. */
  notice(source: string, text: string): void;
  /** Gets what reading the topic has to say. */
  report(source: string, text: string): void;
  /** How a source's topic is read, if this program reads it. */
  readerOf(command: string): Promise<Reader>;
}

/** A connection that loads one source after the other, each in the way that the source has. */
export class LoadSession {
  readonly #options: SessionOptions;
  #sql: Database;
  #source = "";
  /** Whether this program reads the topic, by source: asked once, and again after a failure. */
  readonly #byClient = new Map<string, boolean>();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#sql = this.#open();
  }

  #open(): Database {
    const { dsn, name, only, notice } = this.#options;
    return openDatabase(
      dsn,
      only === null ? name : `${name} ${only}`,
      (text) => notice(this.#source, text),
    );
  }

  /** Starts a load of a source; one at a time. */
  start(source: string): RunningLoad {
    this.#source = source;
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
    const { maxRecords, readerOf, report } = this.#options;
    const name = this.#options.only === null ? this.#options.name : null;
    let byClient = this.#byClient.get(source);
    if (byClient === undefined) {
      byClient = await isReadByClient(this.#sql, source);
      this.#byClient.set(source, byClient);
    }
    if (!byClient) return () => startLoad(this.#sql, source, maxRecords, name);
    // Loaded here only: other sources need nothing of it.
    const { startClientLoad } = await import("./client_load.ts");
    return () =>
      startClientLoad({
        ...{ sql: this.#sql, source, maxRecords, name, readerOf },
        warn: (line) => report(source, line),
        reopen: () => {
          this.#sql.end({ timeout: 0 }).catch(() => {});
          this.#sql = this.#open();
        },
      });
  }

  /** Closes the connection, and with it what still runs there. */
  async close(): Promise<void> {
    await this.#sql.end({ timeout: 0.5 });
  }
}
