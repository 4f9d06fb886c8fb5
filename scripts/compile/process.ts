import { Failure } from "../../lib/failure.ts";

export interface RunOptions {
  /** What it is called in messages. */
  what: string;
  cwd?: string;
  env?: Record<string, string>;
  deadlineMs: number;
  /** Which line of stderr says why it failed; without it, the one that looks most like it. */
  why?(stderr: string): string | undefined;
}

/**
 * Runs a program to its end and returns what it printed.
 *
 * @throws {Failure} `usage` if it does not exist, fails, or its time is over: why, in one line.
 */
export async function finish(
  [command, ...args]: readonly string[],
  { what, cwd, env, deadlineMs, why = reason }: RunOptions,
): Promise<{ stdout: string; stderr: string }> {
  const signal = AbortSignal.timeout(deadlineMs);
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(command, { args, cwd, env, stdin: "null", signal }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Failure("usage", `${command} was not found on this machine`, { cause: error });
  }
  const [stdout, stderr] = [text(output.stdout), text(output.stderr)];
  if (signal.aborted) throw new Failure("usage", `${what} ran for over ${deadlineMs / 60_000} min`);
  if (!output.success) throw new Failure("usage", `${what}: ${why(stderr) ?? why(stdout)}`);
  return { stdout, stderr };
}

const decoder = new TextDecoder();

/** Output without colours. */
function text(bytes: Uint8Array): string {
  // deno-lint-ignore no-control-regex
  return decoder.decode(bytes).replaceAll(/\x1b\[[0-9;]*m/g, "");
}

/** The one line of a tool's complaints that says most. */
export function reason(complaints: string): string | undefined {
  const [told] = complaints.split("Stack backtrace:");
  const lines = told.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const causes = lines.filter((line) => /^\d+: /.test(line) && !line.includes("<unknown>"))
    .map((line) => line.replace(/^\d+: /, ""));
  return causes.find((line) => !line.startsWith("Setting up")) ??
    lines.find((line) => /^(error|npm error)\b/.test(line)) ?? lines[0];
}
