import { Failure } from "../../../lib/failure.ts";

/**
 * A process that outlives the test which started it would hold memory and ports for ever, and a
 * test runner may be killed without a chance to clean up. So a shell loop beside the process ends
 * it once its owner is gone, unless a file says by then that it shall live on by itself. `exec`
 * keeps the process id, which we know, for the program.
 */
const script = `
log=$1 owner=$2 release=$3; shift 3
exec >>"$log" 2>&1 </dev/null
trap '' HUP
( while kill -0 $$ && [ ! -e "$release" ]; do
    kill -0 "$owner" || { kill $$ && sleep 10 && kill -9 $$; exit; }
    sleep 1
  done ) 2>/dev/null &
exec "$@"
`;

/** Starts a program whose output is appended to a file. It ends when this process ends. */
export function spawnLogged(commandLine: string[], log: string): Deno.ChildProcess {
  return new Deno.Command("sh", {
    args: ["-c", script, "sh", log, String(Deno.pid), releaseFile(log), ...commandLine],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

/** Lets a program that `spawnLogged` started live on after this process and its terminal. */
export async function release(process: Deno.ChildProcess, log: string): Promise<void> {
  await Deno.writeTextFile(releaseFile(log), "");
  process.unref();
}

function releaseFile(log: string): string {
  return `${log}.released`;
}

export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs a program to its end. Undefined when there is no such program or the deadline passed: all
 * that callers which look for a tool need.
 */
export async function tryRun(
  commandLine: string[],
  timeoutMs: number,
): Promise<Finished | undefined> {
  const [command, ...args] = commandLine;
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const output = await new Deno.Command(command, { args, stdin: "null", signal }).output();
    if (signal.aborted) return undefined;
    const text = new TextDecoder();
    return {
      code: output.code,
      stdout: text.decode(output.stdout),
      stderr: text.decode(output.stderr),
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || signal.aborted) return undefined;
    throw error;
  }
}

/** Waits for a promise, at most until a deadline. */
export async function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Failure("broker", `Cannot ${what}: no answer in ${ms / 1000} s`)),
      ms,
    );
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The command line of a running process; empty when there is none (or only its zombie, which
 * nobody has waited for).
 */
export async function commandLineOf(pid: number): Promise<string> {
  try {
    return (await Deno.readTextFile(`/proc/${pid}/cmdline`)).replaceAll("\0", " ").trim();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) return "";
  }
  const listed = await tryRun(["ps", "-ww", "-o", "command=", "-p", String(pid)], 5_000);
  return listed?.stdout.trim() ?? "";
}
