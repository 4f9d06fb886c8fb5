import { Failure } from "../failure.ts";
import type { Loaded, RunningLoad } from "./database.ts";
import { databaseProblem } from "./errors.ts";

/** What a loop tells of itself. */
export interface LoopEvents {
  /** A load begins. */
  loading?(): void;
  loaded?(load: Loaded): void;
  /** A load failed; it is tried again in `wait` milliseconds. */
  failed?(message: string, wait: number): void;
  /** Nothing more to load for `wait` milliseconds. */
  waiting?(wait: number): void;
}

export interface LoopOptions {
  /** Milliseconds from the start of one load to the next; null ends when there is nothing more. */
  every: number | null;
  /** Without `every`: how long a problem that may pass is tried again, milliseconds. */
  patience: number;
  start(): RunningLoad;
}

const FIRST_WAIT = 250;
const LONGEST_WAIT = 30_000;

/** Loads a source again and again. A problem that may pass is met by trying again. */
export class LoadLoop {
  readonly #options: LoopOptions;
  readonly #events: readonly LoopEvents[];
  #running: RunningLoad | null = null;
  #stopped = false;
  #wake: () => void = () => {};

  constructor(options: LoopOptions, events: readonly LoopEvents[]) {
    this.#options = options;
    this.#events = events;
  }

  /** Ends the loop behind the load that runs. */
  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  /** Cancels the load that runs, and ends the loop. */
  cancel(): void {
    this.stop();
    this.#running?.cancel();
  }

  /** Whether a load runs now. */
  get loading(): boolean {
    return this.#running !== null;
  }

  /** Returns when it was stopped or there is nothing more to do. Throws Failure. */
  async run(): Promise<void> {
    const { every, patience } = this.#options;
    let worked = false;
    let failedSince: number | null = null;
    let wait = FIRST_WAIT;
    while (!this.#stopped) {
      const started = performance.now();
      try {
        const load = await this.#load();
        worked = true;
        failedSince = null;
        wait = FIRST_WAIT;
        if (load.reason === "max_records") continue;
        if (every === null) return;
        const left = Math.max(0, started + every - performance.now());
        this.#tell((events) => events.waiting?.(left));
        await this.#sleep(left);
      } catch (error) {
        const { kind, message, passing } = databaseProblem(error);
        if (this.#stopped) return;
        failedSince ??= started;
        const late = every === null && performance.now() + wait - failedSince > patience;
        // What can't pass ends a loop that never worked; later, somebody is at work on the tables.
        if (late || (!passing && (every === null || !worked))) throw new Failure(kind, message);
        const pause = Math.max(wait, every === null ? 0 : Math.min(every, LONGEST_WAIT));
        this.#tell((events) => events.failed?.(message, pause));
        await this.#sleep(pause);
        wait = Math.min(2 * wait, LONGEST_WAIT);
      }
    }
  }

  async #load(): Promise<Loaded> {
    this.#tell((events) => events.loading?.());
    this.#running = this.#options.start();
    try {
      const load = await this.#running.done;
      this.#tell((events) => events.loaded?.(load));
      return load;
    } finally {
      this.#running = null;
    }
  }

  /** What is told of a load decides nothing: one that can't be told has been done all the same. */
  #tell(event: (events: LoopEvents) => void): void {
    for (const events of this.#events) {
      try {
        event(events);
      } catch {
        // There is nowhere left to say it.
      }
    }
  }

  async #sleep(milliseconds: number): Promise<void> {
    if (this.#stopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
