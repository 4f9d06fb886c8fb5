import { Failure } from "../failure.ts";
import { asFailure } from "../kafka/errors.ts";
import { databaseProblem } from "../load/errors.ts";

/** How a finding is to be taken; `skip` is a check that could not be made. */
export type Level = "ok" | "warn" | "fail" | "skip";

/** One line of the report. */
export interface Finding {
  level: Level;
  /** What was looked at. */
  what: string;
  finding: string;
  /** What to do about it, where we know it. */
  todo?: string;
}

/** `fail  brokers: kafka1:9092 refuses connections — start it`, always in one line. */
export function findingLine({ level, what, finding, todo }: Finding): string {
  const text = `${level.padEnd(4)}  ${what}: ${finding}${todo ? ` — ${todo}` : ""}`;
  return text.replaceAll(/\s*[\r\n]+\s*/g, " ");
}

/** Says what a check has found. */
export type Say = (level: Exclude<Level, "skip">, finding: string, todo?: string) => void;

/** What a check came to: a value that later checks build on, or null if there is none. */
export interface Outcome<T> {
  what: string;
  value: T | null;
}

/** An outcome that was known before. */
export function known<T>(what: string, value: T): Outcome<T> {
  return { what, value };
}

/** The checks of a run, one after the other, each within the same time. */
export class Rounds {
  readonly counts: Record<Level, number> = { ok: 0, warn: 0, fail: 0, skip: 0 };
  readonly #timeout: number;
  readonly #tell: (finding: Finding) => void;

  /** `timeout` bounds each check, milliseconds; `tell` gets each finding when it is made. */
  constructor(timeout: number, tell: (finding: Finding) => void) {
    this.#timeout = timeout;
    this.#tell = tell;
  }

  /**
   * Makes a check, unless one of those that it needs gave nothing to build on: then a line says
   * that it was left out. Never throws: what goes wrong is a finding too.
   */
  async check<T>(
    what: string,
    needs: readonly Outcome<unknown>[],
    work: (say: Say) => Promise<T | null>,
  ): Promise<Outcome<T>> {
    const missing = needs.filter(({ value }) => value === null).map((need) => need.what);
    if (missing.length > 0) {
      this.#add({ level: "skip", what, finding: `needs ${[...new Set(missing)].join(", ")}` });
      return { what, value: null };
    }
    let over = false;
    const say: Say = (level, finding, todo) => {
      // A check that was given up goes on somewhere, and has no say any more.
      if (!over) this.#add({ level, what, finding, todo });
    };
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      const seconds = this.#timeout / 1000;
      timer = setTimeout(
        () => reject(new Failure("broker", `not finished within ${seconds} s`)),
        this.#timeout,
      );
    });
    try {
      return { what, value: await Promise.race([work(say), late]) };
    } catch (error) {
      say("fail", whatWentWrong(error));
      return { what, value: null };
    } finally {
      over = true;
      clearTimeout(timer);
    }
  }

  #add(finding: Finding): void {
    this.counts[finding.level]++;
    this.#tell(finding);
  }
}

/** What an error says to the user. One that is nobody's to expect is a bug, and says so. */
export function whatWentWrong(error: unknown): string {
  const failure = asFailure(error);
  if (failure instanceof Failure) return failure.message;
  const problem = databaseProblem(error);
  if (problem !== null) return problem.message;
  if (!(error instanceof Error)) return `bug, please report: ${error}`;
  const where = /\(?([^\s(]+:\d+:\d+)\)?/.exec(error.stack ?? "")?.[1] ?? "?";
  return `bug, please report: ${error.name}: ${error.message} (at ${where})`;
}

/** `3, 4, 5 and 17 more`: a line stays a line with a thousand of them. */
export function some(items: readonly (string | number)[], most = 5): string {
  const shown = items.slice(0, most).join(", ");
  return items.length > most ? `${shown} and ${items.length - most} more` : shown;
}

/** `partition 3`, or `partitions 3, 4`. */
export function partitionsText(partitions: readonly number[]): string {
  return `partition${partitions.length === 1 ? "" : "s"} ${some(partitions)}`;
}

/** A time span in its largest unit: `6.5 days`. */
export function inWords(milliseconds: number): string {
  const units: [name: string, size: number][] = [["days", 86_400_000], ["h", 3_600_000], [
    "min",
    60_000,
  ], ["s", 1000]];
  const [name, size] = units.find(([, size]) => Math.abs(milliseconds) >= size) ?? ["ms", 1];
  return `${Math.round(10 * milliseconds / size) / 10} ${name}`;
}
