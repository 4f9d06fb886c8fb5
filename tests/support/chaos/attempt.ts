import type { Loaded, RunningLoad } from "../../../lib/load/database.ts";
import { type ClientSession, clientSession } from "../load_client.ts";

/** How a load ended. */
export interface End {
  /** Null if it failed. */
  loaded: Loaded | null;
  /** SQLSTATE, or the client's own code, or the kind of failure, and the message; else empty. */
  failure: string;
}

/** A load in a session of its own, to which something is done. */
export class Attempt implements AsyncDisposable {
  readonly ended: Promise<End>;
  readonly #session: ClientSession;
  readonly #running: RunningLoad;
  #isOver = false;

  constructor(
    dsn: string,
    source: string,
    settings: Record<string, string>,
    maxRecords: number | null,
  ) {
    const url = new URL(dsn);
    for (const [name, value] of Object.entries(settings)) url.searchParams.set(name, value);
    this.#session = clientSession(url.href);
    this.#running = this.#session.start(source, maxRecords);
    this.ended = this.#end();
  }

  async #end(): Promise<End> {
    try {
      return { loaded: await this.#running.done, failure: "" };
    } catch (error) {
      const { code, kind, message } = error as { code?: string; kind?: string; message: string };
      if (code === undefined && kind === undefined) throw error; // a mistake of ours
      return { loaded: null, failure: `${code ?? kind}: ${message}` };
    } finally {
      this.#isOver = true;
    }
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** What the database said meanwhile. */
  get said(): string {
    return this.#session.said.join("\n");
  }

  cancel(): void {
    this.#running.cancel();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.ended.catch(() => {});
    await this.#session[Symbol.asyncDispose]();
  }
}
