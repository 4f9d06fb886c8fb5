import { Failure, type FailureKind } from "../failure.ts";

/** An error of the database or of the way to it, in words, and whether another try may help. */
export interface DatabaseProblem {
  kind: FailureKind;
  /** One line: what the database says, with its detail and hint. */
  message: string;
  passing: boolean;
}

/** SQLSTATEs, by their beginnings: what kind of failure they are, and whether it may pass. */
const states: [prefix: string, kind: FailureKind, passing: boolean][] = [
  ["08", "broker", true], // connection
  ["57014", "incomplete", true], // cancelled, or statement_timeout
  ["57", "broker", true], // shut down, starting up
  ["53", "broker", true], // too many connections, out of memory, disk full
  ["55P03", "incomplete", true], // lock_timeout
  ["55000", "usage", true], // paused: another may resume it
  ["40", "incomplete", true], // serialization, deadlock
  ["23505", "incomplete", true], // of two loads from the same offsets, the other was first
  ["28", "denied", false],
  ["42501", "denied", false],
  ["42", "usage", false], // no such source, table, function
  ["3", "usage", false], // no such database or schema
  ["22023", "usage", false],
  ["22", "record", false], // a value that does not fit; an offset that is gone
  ["23", "record", false], // a constraint
];

/** What a program's end that PostgreSQL only tells by a number means; see `lib/cli/exit_codes.ts`. */
const programs: Record<string, [FailureKind, boolean]> = {
  "64": ["usage", false],
  "65": ["record", false],
  "77": ["denied", false],
};

/** Looks at what a query threw. What is no answer of the database is a lost connection. */
export function databaseProblem(error: unknown): DatabaseProblem {
  if (error instanceof Failure) {
    return { kind: error.kind, message: error.message, passing: false };
  }
  const { code = "", message = String(error), detail, hint } = error as {
    code?: string;
    message?: string;
    detail?: string;
    hint?: string;
  };
  const text = [message, ...(detail ? [detail] : []), ...(hint ? [hint] : [])].join("; ");
  if (code === "38000") {
    const status = /exit (?:code|status) (\d+)/.exec(text)?.[1] ?? "";
    const [kind, passing] = programs[status] ?? ["broker", true];
    return { kind, message: text, passing };
  }
  // The client's own codes are words (CONNECTION_CLOSED, ECONNREFUSED), the database's five signs.
  if (!/^[0-9A-Z]{5}$/.test(code)) {
    return { kind: "broker", message: `the database can't be reached: ${text}`, passing: true };
  }
  const [, kind, passing] = states.find(([prefix]) => code.startsWith(prefix)) ??
    ["", "broker", true];
  return { kind, message: `${text} (SQLSTATE ${code})`, passing };
}
