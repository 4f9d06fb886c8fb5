import { type CliOptions, commandLine, type Program } from "./cli.ts";
import { isInstalled } from "./installed.ts";

/** Whether this machine has util-linux's script, which gives a program a terminal. */
export const hasScript = await isInstalled("script", ["--version"]);

/**
 * Starts a program on a terminal of 80 × 24: what it writes to stdout and stderr comes from the
 * child's stdout, and what is written to its stdin is typed.
 */
export function startOnTerminal(
  program: Program,
  args: readonly string[],
  { env = {} }: CliOptions = {},
): Deno.ChildProcess {
  const line = commandLine(program, args).map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  const command = `stty cols 80 rows 24; exec ${line.join(" ")}`;
  return new Deno.Command("script", {
    args: ["-qec", command, "/dev/null"],
    env: { TERM: "xterm", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
}
