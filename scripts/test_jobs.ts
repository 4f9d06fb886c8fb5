/**
 * Checks and test files as processes of Deno, several side by side: most of them wait for servers
 * more than they compute. What one of them prints appears when it ends.
 */

/** A process of Deno. */
export interface Job {
  /** What it is called in the table of times. */
  name: string;
  args: string[];
  env?: Record<string, string>;
  cwd?: string;
}

/** How a job ended; a check counts as one test. */
export interface Outcome {
  name: string;
  passed: number;
  failed: number;
  seconds: number;
}

/** The longest that a job may run: of one that hangs it is shown how far it came. */
const DEADLINE = 10 * 60_000;

/** The tests of one file. `deno check .` has checked the types of all. */
export function testFile(path: string, env: Record<string, string> = {}): Job {
  return { name: path, args: ["test", "-A", "--no-check", path], env };
}

/** The test files below a folder, by their paths. */
export async function testFiles(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) found.push(...await testFiles(path));
    else if (name.endsWith("_test.ts")) found.push(path);
  }
  return found.sort();
}

/** Runs all of them, so many at a time, in their order. */
export async function runJobs(jobs: readonly Job[], atOnce: number): Promise<Outcome[]> {
  const waiting = [...jobs];
  const outcomes: Outcome[] = [];
  const work = async () => {
    for (let job; (job = waiting.shift());) outcomes.push(await runJob(job));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return outcomes;
}

async function runJob({ name, args, env, cwd }: Job): Promise<Outcome> {
  const started = performance.now();
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    ...{ args, env, cwd, stdin: "null", signal: AbortSignal.timeout(DEADLINE) },
  }).output();
  const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trimEnd());
  const seconds = (performance.now() - started) / 1000;
  console.log([`\n── deno ${args.join(" ")}`, ...text.filter((part) => part !== "")].join("\n"));
  return { name, seconds, ...count(text[0], success) };
}

/** What the last line of `deno test` says; else one test, which is the process itself. */
export function count(stdout: string, success: boolean): { passed: number; failed: number } {
  // deno-lint-ignore no-control-regex
  const plain = stdout.replaceAll(/\x1b\[[0-9;]*m/g, "");
  const summary = [...plain.matchAll(/^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed/gm)].at(-1);
  const [passed, failed] = summary ? summary.slice(1).map(Number) : [success ? 1 : 0, 0];
  return { passed, failed: success || failed > 0 ? failed : 1 };
}

/** The jobs that took the longest, the longest first. */
export function slowest(outcomes: readonly Outcome[], most = 10): string {
  const sorted = outcomes.toSorted((a, b) => b.seconds - a.seconds).slice(0, most);
  return sorted.map(({ name, seconds }) => `${seconds.toFixed(1).padStart(7)} s  ${name}`)
    .join("\n");
}
