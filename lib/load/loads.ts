import { Failure, type FailureKind } from "../failure.ts";
import type { RunningLoad } from "./database.ts";
import { LoadLoop, type LoopEvents } from "./loop.ts";

export interface LoadsOptions {
  sources: readonly string[];
  /** As a {@link LoadLoop} has it. */
  every: number | null;
  patience: number;
  start(source: string, signal: AbortSignal): RunningLoad | Promise<RunningLoad | null>;
  broken?(error: unknown): void;
  /** A failure with more to say, such as which source was meant. */
  explain?(source: string, failure: Failure): Promise<Failure>;
  /** A source's loads have ended for good; those of the others go on. */
  ended(source: string, failure: Failure): void;
}

/**
 * The kinds of failures, those first that only a person can end: of several sources that fail, the
 * first of these decides the exit status.
 */
const severity: readonly FailureKind[] = [
  "usage",
  "denied",
  "record",
  "output",
  "broker",
  "incomplete",
];

/**
 * Several sources in one process. Each has its own loop, with its own waits and errors: a source
 * that fails does not stop the others.
 */
export class Loads {
  readonly #options: LoadsOptions;
  readonly #loops: ReadonlyMap<string, LoadLoop>;
  readonly #failed = new Map<string, unknown>();
  /** Sources whose loads cannot succeed, and have not. */
  readonly #hopeless = new Set<string>();
  #worked = false;

  /** `eventsOf` is called once for each source. */
  constructor(options: LoadsOptions, eventsOf: (source: string) => readonly LoopEvents[]) {
    this.#options = options;
    const { sources, every, patience, start, broken } = options;
    const worked: LoopEvents = {
      loaded: ({ partly }) => {
        if (!partly) this.#worked = true;
      },
    };
    this.#loops = new Map(sources.map((source) => {
      const givesUp = () => {
        this.#hopeless.add(source);
        return !this.#worked && this.#hopeless.size === sources.length;
      };
      const loop = new LoadLoop(
        {
          ...{ source, every, patience, broken, givesUp },
          start: (signal) => start(source, signal),
        },
        [worked, ...eventsOf(source)],
      );
      return [source, loop];
    }));
  }

  /** Ends all loops after the loads that run. */
  stop(): void {
    for (const loop of this.#loops.values()) loop.stop();
  }

  /** Cancels the loads that run, and ends all loops. */
  cancel(): void {
    for (const loop of this.#loops.values()) loop.cancel();
  }

  /** Whether a load runs now. */
  get loading(): boolean {
    return [...this.#loops.values()].some((loop) => loop.loading);
  }

  /**
   * Returns when all loops have ended. Throws Failure if sources failed: of several sources one of
   * the most severe kind, else the source's own. What is a mistake of this program ends all loops,
   * and is thrown as it is.
   */
  async run(): Promise<void> {
    const { every, sources, ended, explain = (_, failure) => failure } = this.#options;
    await Promise.all([...this.#loops].map(async ([source, loop]) => {
      try {
        await loop.run();
      } catch (thrown) {
        const error = thrown instanceof Failure ? await explain(source, thrown) : thrown;
        this.#failed.set(source, error);
        if (error instanceof Failure) ended(source, error);
        // With `every` a loop ends like this only if none can succeed.
        if (!(error instanceof Failure) || every !== null) this.stop();
      }
    }));
    const errors = [...this.#failed.values()];
    if (errors.length === 0) return;
    const mistake = errors.find((error) => !(error instanceof Failure));
    if (mistake !== undefined) throw mistake;
    if (sources.length === 1) throw errors[0];
    const kind = severity.find((kind) => errors.some((error) => (error as Failure).kind === kind));
    const names = [...this.#failed.keys()].map((name) => `"${name}"`).join(", ");
    throw new Failure(
      kind ?? "usage",
      `cannot load ${this.#failed.size} of ${sources.length} sources: ${names} — ` +
        "see the line of each above",
    );
  }
}
