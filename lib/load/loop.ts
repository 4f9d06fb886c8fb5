import { Failure } from "../failure.ts";
import { pause } from "../waiting.ts";
import { type Loaded, PartlyLoaded, type RunningLoad } from "./database.ts";
import { databaseProblem } from "./errors.ts";

/** What a loop reports. What such a function throws does not change what the loop does. */
export interface LoopEvents {
  /** A load begins. */
  loading?(): void;
  /** What was committed; if it is only a part, `failed` comes next. */
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
  /**
   * Whether a problem that cannot pass ends a loop with `every` in which no load has succeeded;
   * without this, it does.
   */
  givesUp?(): boolean;
  /** May wait for its turn first; null if the signal was aborted before it had one. */
  start(signal: AbortSignal): RunningLoad | Promise<RunningLoad | null>;
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
  /** Whether the last load has loaded something, and then failed. */
  #isPartly = false;
  readonly #broken = new Set<LoopEvents>();
  readonly #stopping = new AbortController();
  /** How long loads have waited for their turn, milliseconds: it is not time of theirs. */
  #queued = 0;

  constructor(options: LoopOptions, events: readonly LoopEvents[]) {
    this.#options = options;
    this.#events = events;
  }

  /** Ends the loop after the load that runs. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Cancels the load that runs, and ends the loop. */
  cancel(): void {
    this.stop();
    this.#running?.cancel();
  }

  get #now(): number {
    return performance.now() - this.#queued;
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
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
    const { signal } = this.#stopping;
    let worked = false;
    let failedSince: number | null = null;
    let wait = FIRST_WAIT;
    while (!this.#stopped) {
      const started = this.#now;
      try {
        const load = await this.#load();
        if (load === null) return;
        worked = true;
        failedSince = null;
        wait = FIRST_WAIT;
        if (load.reason === "max_records") continue;
        if (every === null) return;
        const left = Math.max(0, started + every - this.#now);
        this.#tell((events) => events.waiting?.(left));
        await pause(left, signal);
      } catch (error) {
        const problem = databaseProblem(error);
        if (problem === null) throw error;
        if (this.#stopped) return;
        const { kind, context, passing } = problem;
        const message = context === null ? problem.message : `${problem.message}; in ${context}`;
        if (this.#isPartly) {
          failedSince = null;
          wait = FIRST_WAIT;
        }
        failedSince ??= started;
        const late = every === null && this.#now + wait - failedSince > patience;
        // What can't pass ends a loop that never worked; later, the tables may just be under
        // change.
        const givesUp = () => every === null || (!worked && (this.#options.givesUp?.() ?? true));
        if (late || (!passing && givesUp())) {
          throw new Failure(kind, `cannot load source "${source}": ${message}`, { cause: error });
        }
        const delay = Math.max(wait, every === null ? 0 : Math.min(every, LONGEST_WAIT));
        this.#tell((events) => events.failed?.(message, delay));
        await pause(delay, signal);
        wait = Math.min(2 * wait, LONGEST_WAIT);
      }
    }
  }

  async #load(): Promise<Loaded | null> {
    this.#isPartly = false;
    const asked = performance.now();
    this.#running = await this.#options.start(this.#stopping.signal);
    this.#queued += performance.now() - asked;
    if (this.#running === null) return null;
    try {
      this.#tell((events) => events.loading?.());
      const load = await this.#running.done;
      this.#tell((events) => events.loaded?.(load));
      return load;
    } catch (error) {
      if (!(error instanceof PartlyLoaded)) throw error;
      this.#isPartly = error.loaded.records > 0;
      this.#tell((events) => events.loaded?.(error.loaded));
      throw error.cause;
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
