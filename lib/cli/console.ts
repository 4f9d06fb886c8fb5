import { withoutSecrets } from "../secret.ts";
import { type Sink, tryWrite } from "./print.ts";

/**
 * What a command reports beside its rows: one line each on stderr, and, with their time, in a log
 * file. Greenplum reads a command's stderr only when its stdout is closed, so a command that writes
 * much there hangs the query: after {@link MOST_LINES} lines only the log file gets more.
 *
 * A report never decides how a run ends, so no method throws: a line that one of the two
 * does not accept is lost there, and the other one gets a line that says so, once.
 */
export class Console {
  readonly #level: number;
  readonly #stderr: Channel;
  readonly #file: Channel | null;
  #lines = 0;

  /** `level`: 0 only failures, 1 warnings too, 2 everything. Throws if the file can't be opened. */
  constructor(level: 0 | 1 | 2 = 1, logFile?: string) {
    this.#level = level;
    this.#stderr = new Channel("stderr", Deno.stderr);
    this.#file = logFile === undefined ? null : new Channel(
      `the log file "${logFile}"`,
      Deno.openSync(logFile, { append: true, create: true, write: true }),
    );
  }

  /** Why the run failed. */
  readonly error = (line: string): void => this.#say(0, line);
  /** What the user should know; the run continues. */
  readonly warn = (line: string): void => this.#say(1, line);
  /** What is done. */
  readonly debug = (line: string): void => this.#say(2, line);
  /** To the log file alone. */
  readonly record = (line: string): void => this.#append(line);

  #say(level: number, line: string): void {
    if (level <= this.#level && (level === 0 || this.#lines < MOST_LINES)) {
      this.#lines++;
      const lost = this.#stderr.say(oneLine(line));
      if (lost !== null) this.#file?.say(stamped(lost));
    }
    if (level < 2 || this.#level === 2) this.#append(line);
  }

  #append(line: string): void {
    const lost = this.#file?.say(stamped(line)) ?? null;
    if (lost !== null && this.#level > 0) this.#stderr.say(lost);
  }
}

/** Lines that a run may print on stderr: a few KiB, far below what fills a pipe. */
const MOST_LINES = 20;

/** Where lines go, until it accepts no more. */
class Channel {
  readonly #name: string;
  readonly #to: Sink;
  #failed = false;

  constructor(name: string, to: Sink) {
    this.#name = name;
    this.#to = to;
  }

  /** Returns what to report elsewhere when this fails for the first time, else null. */
  say(line: string): string | null {
    const why = tryWrite(this.#to, line + "\n");
    if (why === null || this.#failed) return null;
    this.#failed = true;
    return `cannot write to ${this.#name}: ${why} — the run continues; lines are missing there`;
  }
}

function stamped(line: string): string {
  return `${new Date().toISOString()} ${oneLine(line)}`;
}

function oneLine(text: string): string {
  return withoutSecrets(text).replaceAll(/\s*[\r\n]+\s*/g, " ");
}
