/** Runs the project's programs as their users do: as processes, by their command lines. */
import assert from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };

const root = new URL("../../", import.meta.url);

/** Folder with compiled programs to test instead of the sources; see `deno task test:binary`. */
const binaries = Deno.env.get("GPDB_KAFKA_TEST_BINARIES");

export type Program = "consumer" | "producer" | "main";

export interface Finished {
  code: number;
  signal: string | null;
  stdout: Uint8Array<ArrayBuffer>;
  stderr: string;
  /** From the start to the end, milliseconds. */
  ms: number;
}

export interface CliOptions {
  env?: Record<string, string>;
  stdin?: Uint8Array | string;
  cwd?: string;
}

/** The command line of a program: the compiled one where there is one, else under `deno run`. */
export function commandLine(program: Program, args: readonly string[]): string[] {
  if (binaries) {
    return [`${binaries}/${program === "main" ? "gpdb-kafka" : `kafka_${program}`}`, ...args];
  }
  return [
    Deno.execPath(),
    "run",
    "-A",
    "--quiet",
    new URL(`${program}.ts`, root).pathname,
    ...args,
  ];
}

/** What `--version` prints: a compiled program names its build, too. */
export function versionLine(name: string): RegExp {
  const build = binaries ? " \\(build .+, Deno \\d+\\.\\d+\\.\\d+\\)" : "";
  const version = config.version.replaceAll(".", "\\.");
  return new RegExp(`^${name} ${version}${build}\n$`);
}

/** The version of Deno that the programs under test run on: a compiled one has its own. */
export function programDeno(): string {
  if (!binaries) return Deno.version.deno;
  const [command, ...args] = commandLine("consumer", ["--version"]);
  const { stdout } = new Deno.Command(command, { args }).outputSync();
  return /Deno ([\d.]+)/.exec(text(stdout))![1];
}

/** Starts a program; for tests that read and end it themselves. */
export function start(
  program: Program,
  args: readonly string[],
  options: CliOptions = {},
): Deno.ChildProcess {
  return startCommand(commandLine(program, args), options);
}

function startCommand(
  [command, ...rest]: readonly string[],
  { env = {}, cwd }: CliOptions,
): Deno.ChildProcess {
  return new Deno.Command(command, {
    args: rest,
    cwd,
    // The variables under test are those given here, whatever the machine has set.
    env: { ...cleared, ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

const cleared = {
  // `deno run` would look for a new version, which is a TLS connection of its own.
  DENO_NO_UPDATE_CHECK: "1",
  // No test asks the machine that it runs on for credentials.
  AWS_EC2_METADATA_DISABLED: "true",
  ...Object.fromEntries(
    [
      ...["KAFKA_BROKERS", "KAFKA_PEERS", "KAFKA_CONFIG", "GP_SEGMENT_ID", "GP_SEGMENT_COUNT"],
      ...["KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD", "KAFKA_OAUTHBEARER_TOKEN"],
      ...["KAFKA_SSL_KEY_PASSWORD", "KAFKA_OAUTHBEARER_CLIENT_ID"],
      ...["KAFKA_OAUTHBEARER_CLIENT_SECRET", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_REGION"],
      ...["AWS_ROLE_ARN", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"],
      ...["AWS_CONTAINER_CREDENTIALS_FULL_URI"],
    ].filter((name) => Deno.env.has(name)).map((name) => [name, ""]),
  ),
};

/** Runs a program to its end. */
export function runProgram(
  program: Program,
  args: readonly string[],
  options: CliOptions = {},
): Promise<Finished> {
  return runCommand(commandLine(program, args), options);
}

async function runCommand(line: readonly string[], options: CliOptions): Promise<Finished> {
  const started = performance.now();
  const child = startCommand(line, options);
  const writing = (async () => {
    const writer = child.stdin.getWriter();
    const { stdin = "" } = options;
    try {
      await writer.write(typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin);
      await writer.close();
    } catch {
      // The program ended without reading everything.
    }
  })();
  const { code, signal, stdout, stderr } = await child.output();
  await writing;
  return {
    code,
    signal,
    stdout,
    stderr: new TextDecoder().decode(stderr),
    ms: performance.now() - started,
  };
}

/**
 * Runs a program to its end, which must come within these milliseconds. On a busy machine the
 * start alone takes longer: how much, a run beside shows that only prints its version.
 */
export async function runWithin(
  ms: number,
  program: Program,
  args: readonly string[],
  options: CliOptions = {},
): Promise<Finished> {
  const [run, start] = await Promise.all([
    runProgram(program, args, options),
    runProgram(program, ["--version"]),
  ]);
  const most = ms + 5 * start.ms;
  assert.ok(run.ms < most, `${args.join(" ")}: ${run.ms} ms, not ${most} ms: ${run.stderr}`);
  return run;
}

/** Runs a program to its end in a shell, with redirections as it writes them: `2>/dev/full`. */
export async function runRedirected(
  program: Program,
  args: readonly string[],
  redirections: string,
  options: CliOptions = {},
): Promise<Finished> {
  const line = commandLine(program, args);
  return await runCommand(["sh", "-c", `exec "$@" ${redirections}`, "sh", ...line], options);
}

/** Runs kafka_consumer to its end. */
export function consumer(args: readonly string[], options?: CliOptions): Promise<Finished> {
  return runProgram("consumer", args, options);
}

/** Runs kafka_producer to its end. */
export function producer(args: readonly string[], options?: CliOptions): Promise<Finished> {
  return runProgram("producer", args, options);
}

/** Runs gpdb-kafka to its end. */
export function gpdbKafka(args: readonly string[], options?: CliOptions): Promise<Finished> {
  return runProgram("main", args, options);
}

/** Bytes as text. */
export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
