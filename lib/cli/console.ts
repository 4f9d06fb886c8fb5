import { withoutSecrets } from "../secret.ts";

/**
 * What a command says beside its rows: one line each on stderr, and, with their time, in a log
 * file. Greenplum reads a command's stderr only when its stdout is closed, so a command that says
 * much there hangs the query: after {@link MOST_LINES} lines only the log file gets more.
 */
export class Console {
  readonly #level: number;
  readonly #file: Deno.FsFile | null;
  #lines = 0;

  /** `level`: 0 only failures, 1 warnings too, 2 everything. Throws where the file can't be opened. */
  constructor(level: 0 | 1 | 2 = 1, logFile?: string) {
    this.#level = level;
    this.#file = logFile === undefined
      ? null
      : Deno.openSync(logFile, { append: true, create: true, write: true });
  }

  /** Why the run failed. */
  readonly error = (line: string): void => this.#say(0, line);
  /** What the user should know though the run goes on. */
  readonly warn = (line: string): void => this.#say(1, line);
  /** What is done. */
  readonly debug = (line: string): void => this.#say(2, line);
  /** To the log file alone. */
  readonly record = (line: string): void => this.#append(line);

  #say(level: number, line: string): void {
    if (level <= this.#level && (level === 0 || this.#lines < MOST_LINES)) {
      this.#lines++;
      writeLine(Deno.stderr, oneLine(line));
    }
    if (level < 2 || this.#level === 2) this.#append(line);
  }

  #append(line: string): void {
    if (this.#file) writeLine(this.#file, `${new Date().toISOString()} ${oneLine(line)}`);
  }
}

/** Lines that a run may print on stderr: a few KiB, far below what fills a pipe. */
const MOST_LINES = 20;

function oneLine(text: string): string {
  return withoutSecrets(text).replaceAll(/\s*[\r\n]+\s*/g, " ");
}

const utf8 = new TextEncoder();

function writeLine(to: { writeSync(bytes: Uint8Array): number }, line: string): void {
  const bytes = utf8.encode(line + "\n");
  for (let at = 0; at < bytes.length;) at += to.writeSync(bytes.subarray(at));
}
