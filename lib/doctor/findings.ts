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

/** What an error says to the user. An error that was not expected is a bug, and says so. */
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
