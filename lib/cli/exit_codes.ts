import type { FailureKind } from "../failure.ts";

/**
 * The one table of exit statuses: sysexits.h numbers, and 128 + the signal's. `--help` prints it.
 */
export const exitCodes = {
  done: { code: 0, meaning: "done; 0 rows mean that there was nothing new" },
  found: { code: 1, meaning: "gpdb-kafka doctor: a check failed" },
  usage: { code: 64, meaning: "wrong flags, or an environment that makes no sense" },
  record: { code: 65, meaning: "a record that is no row, or an offset that no longer exists" },
  broker: { code: 69, meaning: "broker or topic unavailable, or no more tries" },
  bug: { code: 70, meaning: "a bug: please report the line that was printed" },
  output: { code: 74, meaning: "stdout closed by its reader, or it can't be written" },
  incomplete: { code: 75, meaning: "the end was not reached: try again" },
  denied: { code: 77, meaning: "not authenticated, or not authorised" },
  SIGINT: { code: 130, meaning: "stopped by SIGINT" },
  SIGTERM: { code: 143, meaning: "stopped by SIGTERM" },
} as const satisfies Record<
  FailureKind | "done" | "found" | "bug" | "SIGINT" | "SIGTERM",
  { code: number; meaning: string }
>;
