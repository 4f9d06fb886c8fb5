import { Failure } from "../failure.ts";
import { pause } from "../waiting.ts";
import type { Loaded, RunningLoad } from "./database.ts";
import { databaseProblem } from "./errors.ts";

/** What a loop reports. What such a function throws does not change what the loop does. */
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
  /** Of the source, for messages. */
  source: string;
  /** Milliseconds from the start of one load to the next; null ends when there is nothing more. */
  every: number | null;
  /** Without `every`: how long a problem that may pass is tried again, milliseconds. */
  patience: number;
  start(): RunningLoad;
  /** Called once for each of the events that has thrown. */
  broken?(error: unknown): void;
}

const FIRST_WAIT = 250;
const LONGEST_WAIT = 30_000;

/** Loads a source again and again, and retries after problems that may pass. */
export class LoadLoop {
  readonly #options: LoopOptions;
  readonly #events: readonly LoopEvents[];
  #running: RunningLoad | null = null;
  readonly #broken = new Set<LoopEvents>();
  readonly #stopped = new AbortController();

  constructor(options: LoopOptions, events: readonly LoopEvents[]) {
    this.#options = options;
    this.#events = events;
  }

  /** Ends the loop after the load that runs. */
  stop(): void {
    this.#stopped.abort();
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

  /**
   * Returns when it was stopped or there is nothing more to do. Throws Failure, and what is no
   * answer of the database and no lost connection as it is.
   */
  async run(): Promise<void> {
    const { source, every, patience } = this.#options;
    let worked = false;
    let failedSince: number | null = null;
    let wait = FIRST_WAIT;
    const stopped = this.#stopped.signal;
    while (!stopped.aborted) {
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
        await pause(left, stopped);
      } catch (error) {
        const problem = databaseProblem(error);
        if (problem === null) throw error;
        if (stopped.aborted) return;
        const { kind, context, passing } = problem;
        const message = context === null ? problem.message : `${problem.message}; in ${context}`;
        failedSince ??= started;
        const late = every === null && performance.now() + wait - failedSince > patience;
        // What can't pass ends a loop that never worked; later, the tables may just be under
        // change.
        if (late || (!passing && (every === null || !worked))) {
          throw new Failure(kind, `cannot load source "${source}": ${message}`, { cause: error });
        }
        const rest = Math.max(wait, every === null ? 0 : Math.min(every, LONGEST_WAIT));
        this.#tell((events) => events.failed?.(message, rest));
        await pause(rest, stopped);
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

  /** The rows are in the table by then: no report may end the run. */
  #tell(event: (events: LoopEvents) => void): void {
    for (const events of this.#events) {
      try {
        event(events);
      } catch (error) {
        if (this.#broken.has(events)) continue;
        this.#broken.add(events);
        this.#options.broken?.(error);
      }
    }
  }
}
