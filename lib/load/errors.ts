import { Failure, type FailureKind } from "../failure.ts";

/** An error of the database or of the way to it, in words, and whether another try may help. */
export interface DatabaseProblem {
  kind: FailureKind;
  /** What the database says, with its detail, and its hint as what to do. */
  message: string;
  /**
   * Which row does not fit: `COPY crimes, line 3, column ward: "x"`. Null if it is not about a row.
   */
  context: string | null;
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
  ["28", "denied", false],
  ["42501", "denied", false],
  ["42", "usage", false], // no such source, table, function
  ["3", "usage", false], // no such database or schema
  ["22023", "usage", false],
  ["22", "record", false], // a value that does not fit; an offset that is gone
  ["23", "record", false], // a constraint
];

/** What an exit status means, which PostgreSQL reports as a number; see `lib/cli/exit_codes.ts`. */
const programs: Record<string, [FailureKind, boolean]> = {
  "64": ["usage", false],
  "65": ["record", false],
  "77": ["denied", false],
};

/**
 * The client's own codes of a connection that is lost, or that it could not make; and the runtime's of
 * a socket that the other side has ended, which names no call of the system.
 */
const lost = [
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
  "EPIPE",
];

/**
 * Looks at what a query threw: an answer of the database, or the loss of the way to it. Null for
 * anything else, which is a mistake of ours.
 */
export function databaseProblem(error: unknown): DatabaseProblem | null {
  if (error instanceof Failure) {
    // As the exit status of a program that the database runs: what Kafka does not give now, it may
    // give later.
    const passing = error.kind === "broker" || error.kind === "incomplete";
    return { kind: error.kind, message: error.message, context: null, passing };
  }
  if (!(error instanceof Error)) return null;
  const { code = "", syscall, message } = error as Error & { code?: unknown; syscall?: unknown };
  if (typeof code !== "string") return null;
  // The client itself gives the same code to a query that is cancelled before it was sent.
  if (error.name === "PostgresError" || code === "57014") {
    return answer(code, error as PostgresError);
  }
  const problem = (kind: FailureKind, message: string, passing: boolean) => ({
    kind,
    message,
    context: null,
    passing,
  });
  if (code === "SASL_SIGNATURE_MISMATCH") {
    return problem("denied", "the database has not proved that it knows the password", false);
  }
  // A socket's error says which call of the system failed.
  const isSocket = /^E[A-Z]/.test(code) && typeof syscall === "string";
  if (!lost.includes(code) && !isSocket) return null;
  return problem("broker", `the database cannot be reached: ${message}`, true);
}

/** The fields of an answer, https://www.postgresql.org/docs/current/protocol-error-fields.html. */
interface PostgresError {
  message: string;
  detail?: string;
  hint?: string;
  where?: string;
}

function answer(code: string, { message, detail, hint, where }: PostgresError): DatabaseProblem {
  const text = [message, ...(detail ? [detail] : [])].join("; ");
  const whole = `${text} (SQLSTATE ${code})${hint ? ` — ${hint.replace(/\.$/, "")}` : ""}`;
  if (code === "38000") {
    const status = /exit (?:code|status) (\d+)/.exec(text)?.[1] ?? "";
    const [kind, passing] = programs[status] ?? ["broker", true];
    return { kind, message: whole, context: null, passing };
  }
  const [, kind, passing] = states.find(([prefix]) => code.startsWith(prefix)) ??
    ["", "broker", true];
  // The innermost line says which row; those of functions say which line of ours.
  const [context] = (where ?? "").split("\n");
  const row = kind === "record" && context !== "" && !/^(PL\/pgSQL|SQL) /.test(context);
  return { kind, message: whole, context: row ? context : null, passing };
}
