import type { FailureKind } from "../failure.ts";

/**
 * The one table of exit statuses: sysexits.h numbers, and 128 + the signal's. `--help` prints it.
 */
export const exitCodes = {
  done: { code: 0, meaning: "done; 0 rows: there was nothing new" },
  found: { code: 1, meaning: "gpdb-kafka doctor: a check failed" },
  usage: { code: 64, meaning: "wrong flags, or invalid environment variables" },
  record: {
    code: 65,
    meaning: "a record that is not a valid row, or an offset that no longer exists",
  },
  broker: { code: 69, meaning: "broker, registry or topic unavailable, or retries exhausted" },
  bug: { code: 70, meaning: "a bug: please report the line printed on stderr" },
  output: { code: 74, meaning: "stdout was closed by its reader, or cannot be written to" },
  incomplete: { code: 75, meaning: "the end was not reached; try again" },
  denied: { code: 77, meaning: "not authenticated, or not authorized" },
  SIGINT: { code: 130, meaning: "stopped by SIGINT" },
  SIGTERM: { code: 143, meaning: "stopped by SIGTERM" },
} as const satisfies Record<
  FailureKind | "done" | "found" | "bug" | "SIGINT" | "SIGTERM",
  { code: number; meaning: string }
>;
