import { outputFailure } from "../consume/output.ts";
import { Failure, systemReason } from "../failure.ts";
import { trustNothingElse } from "../kafka/runtime_authorities.ts";
import { Console } from "./console.ts";
import { exitCodes } from "./exit_codes.ts";
import { type Flag, flagHelp, type Given, parseFlags } from "./flags.ts";
import { tryWrite } from "./print.ts";
import { checkStdout } from "./stdout.ts";
import { version } from "./version.ts";

/** A program, or one command of it. */
export interface Command {
  /** Its name on the command line: `kafka_consumer`. */
  name: string;
  /** What it does, in a line. */
  about: string;
  /** Lines that show its use. */
  examples: readonly string[];
  flags: readonly Flag[];
  /** It has something to do without arguments too. */
  needsNoArguments?: boolean;
  /** It ends by itself on SIGINT and SIGTERM: the entry must not end it. */
  handlesSignals?: boolean;
  /** Its result goes to stdout: without one it has nothing to do. */
  answers?: boolean;
  /** It needs to write to other files than the log file: a Unix socket counts as one. */
  writes?: boolean;
  /** What was done until now, for the line that a signal's end prints. */
  interrupted?: () => string;
  /** Does the work. Returns an exit status other than 0, if any. Throws Failure if it can't. */
  run(given: Given, console: Console): Promise<number | void>;
}

/**
 * Runs a command and returns its exit status. Whatever goes wrong ends in one line on stderr.
 */
export async function run(command: Command, args: readonly string[]): Promise<number> {
  trustNothingElse();
  let console = new Console();
  try {
    if (args.length === 0 && !command.needsNoArguments) {
      return answer(usage(command), exitCodes.usage.code);
    }
    const given = parseFlags(command.flags, args);
    if (given.has("help")) return answer(usage(command));
    if (given.has("version")) return answer(`${command.name} ${version}`);
    console = openConsole(given);
    // Before a permission is given back: a Deno that lacks one must not look into /proc.
    if (command.answers) await checkStdout(console.warn);
    // The log file is open: from here on a compiled program writes to it, stdout and stderr alone.
    if (!command.writes) Deno.permissions.revokeSync({ name: "write" });
    return await Promise.race([command.run(given, console), uncaught()]) ?? exitCodes.done.code;
  } catch (error) {
    const failure = error instanceof Deno.errors.BrokenPipe ? outputFailure(error) : error;
    const kind = failure instanceof Failure ? failure.kind : "bug";
    console.error(`${command.name}: ${describe(failure)}`);
    return exitCodes[kind].code;
  }
}

/**
 * Never resolves; rejects with an uncaught error, such as one in a timer. The runtime would
 * end the process with status 1 and a stack trace.
 */
function uncaught(): Promise<never> {
  return new Promise((_, reject) => {
    globalThis.addEventListener("error", (event) => {
      event.preventDefault();
      reject(event.error);
    });
    globalThis.addEventListener("unhandledrejection", (event) => {
      event.preventDefault();
      reject(event.reason);
    });
  });
}

function openConsole(given: Given): Console {
  given.excludes("verbose", ["quiet"]);
  const level = given.has("verbose") ? 2 : given.has("quiet") ? 0 : 1;
  const file = given.get("log-file");
  try {
    return new Console(level, file);
  } catch (error) {
    throw new Failure("usage", `--log-file: cannot open "${file}": ${systemReason(error)}`);
  }
}

/** Text for people: a failure's message, or where a bug is. */
function describe(error: unknown): string {
  if (error instanceof Failure) return error.message;
  if (!(error instanceof Error)) return `bug: ${error}`;
  const where = /\(?([^\s(]+:\d+:\d+)\)?/.exec(error.stack ?? "")?.[1] ?? "?";
  return `bug, please report: ${error.name}: ${error.message} (${version}, at ${where})`;
}

/** Prints a text: on stdout, or on stderr if something is wrong. Returns the exit status. */
export function answer(text: string, code: number = exitCodes.done.code): number {
  if (code === exitCodes.done.code) {
    const why = tryWrite(Deno.stdout, text + "\n");
    if (why === null) return code;
    tryWrite(Deno.stderr, `cannot write to stdout: ${why}\n`);
    return exitCodes.output.code;
  }
  tryWrite(Deno.stderr, text + "\n");
  return code;
}

/** What `--help` prints. */
export function usage({ name, about, examples, flags }: Command): string {
  const codes = Object.values(exitCodes).map(({ code, meaning }) =>
    `  ${String(code).padEnd(5)}${meaning}`
  );
  return [
    `${name}: ${about}`,
    `Examples:\n${examples.map((line) => `  ${line}`).join("\n")}`,
    `Flags:\n${flagHelp(flags)}`,
    "DUR is 250ms, 5s, 10m; TIME is ISO 8601 or epoch milliseconds.",
    `Exit status:\n${codes.join("\n")}`,
  ].join("\n\n");
}
