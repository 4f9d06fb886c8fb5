/** What the demos share: what they start they stop, what they do they say. */
import { Failure } from "../../lib/failure.ts";
import { exitCodes } from "../../lib/cli/exit_codes.ts";

const cleanup = new AsyncDisposableStack();

/** Remembers to stop what is being started, whether or not the start is finished by then. */
export function own<T extends AsyncDisposable>(starting: Promise<T>): Promise<T> {
  cleanup.defer(async () => {
    const started = await starting.catch(() => null);
    await started?.[Symbol.asyncDispose]();
  });
  return starting;
}

/** Says what is done, does it, and says what came of it and how long it took. */
export async function step<T>(
  what: string,
  work: Promise<T>,
  outcome: (result: T) => string,
): Promise<T> {
  const started = performance.now();
  const terminal = Deno.stderr.isTerminal();
  if (terminal) say(Deno.stderr, `\r  … ${what}`);
  try {
    const result = await work;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    if (terminal) say(Deno.stderr, "\r\x1b[K");
    say(Deno.stdout, `  ✓ ${what}: ${outcome(result)} (${seconds} s)\n`);
    return result;
  } catch (error) {
    if (terminal) say(Deno.stderr, "\r\x1b[K");
    throw error;
  }
}

export function say(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += to.writeSync(bytes.subarray(at));
}

export const grouped = (count: number) => Math.round(count).toLocaleString("en-US");

/** Runs a demo to its end or to Ctrl-C, stops what it started, and ends the process. */
export async function perform(demo: () => Promise<void>): Promise<never> {
  const interrupted = new Promise<number>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      Deno.addSignalListener(signal, () => {
        say(Deno.stderr, `\n${signal}: stopping what was started\n`);
        resolve(exitCodes[signal].code);
      });
    }
  });
  const finished = demo().then(() => exitCodes.done.code, (error) => {
    if (!(error instanceof Failure)) throw error;
    say(Deno.stderr, `demo: ${error.message}\n`);
    return exitCodes[error.kind].code;
  });
  const code = await Promise.race([finished, interrupted]);
  await cleanup.disposeAsync();
  Deno.exit(code);
}
