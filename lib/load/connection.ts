import { type Database, openDatabase } from "./database.ts";
import type { Dsn } from "./dsn.ts";

export interface ConnectionOptions {
  dsn: Dsn;
  /** What the session is called in the database. */
  name: string;
  /** Gets what the database says besides its answers. */
  notice(source: string, text: string): void;
}

/** A connection to the database that loads use one after the other. */
export class Connection {
  readonly #options: ConnectionOptions;
  #sql: Database;
  /** Which source is loaded. */
  source = "";
  /** Whether it was used, and nobody knows of its loss. */
  isOpen = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#sql = this.#open();
  }

  #open(): Database {
    const { dsn, name, notice } = this.#options;
    return openDatabase(dsn, name, (text) => notice(this.source, text));
  }

  get sql(): Database {
    return this.#sql;
  }

  /** It must not be used again: closes it, and opens another one. */
  reopen(): void {
    this.#sql.end({ timeout: 0 }).catch(() => {});
    this.#sql = this.#open();
    this.isOpen = false;
  }

  /** Closes it, and with it what still runs there. */
  async close(): Promise<void> {
    await this.#sql.end({ timeout: 0.5 });
  }
}
