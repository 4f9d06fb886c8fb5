/**
 * All checks and tests, as CI runs them: `deno task test`. With --fast those that need no server:
 * `deno task ok`; with --binary those of the compiled programs: `deno task test:binary`. Ends with
 * the slowest files, those that failed, and a line `N passed, N failed`; a check counts as one.
 */
import { compileCommand } from "./compile/command.ts";
import { copyCheckout } from "./compile/checkout.ts";
import { startBroker } from "./servers/broker.ts";
import { registryVariable, startRegistry } from "./servers/registry.ts";
import { thisPlatform } from "./compile/platforms.ts";
import { type Job, type Outcome, runJobs, slowest, testFile, testFiles } from "./test_jobs.ts";

/** Folders of tests that need a broker or a database. */
const served = ["broker", "cli", "db"];

/**
 * Those of tests/cli about gpdb-kafka's administration: a minute of brokers that come and go, and
 * nothing in them depends on being compiled that other tests do not meet. `--binary` runs them too.
 */
const administration = /\/(admin_security|doctor|lag|leaderless|offsets|topics)_[^/]*$/;

const checks: Job[] = [
  ["fmt", "--check"],
  ["lint"],
  ["check", "."],
  ["run", "--allow-read=.", "scripts/layers.ts"],
  ["run", "--allow-read=.", "scripts/words.ts"],
].map((args) => ({ name: args.join(" "), args }));

const outcomes: Outcome[] = [];

/** Tests without servers compute; those with servers mostly wait. */
const cores = navigator.hardwareConcurrency;
const waiting = cores + 2;

async function run(jobs: Job[], atOnce: number): Promise<void> {
  outcomes.push(...await runJobs(jobs, atOnce));
}

/** One of each list, then the next of each: what computes runs beside what waits. */
function inTurn(lists: readonly string[][]): string[] {
  const most = Math.max(...lists.map(({ length }) => length));
  return Array.from({ length: most }, (_, i) => lists.flatMap((list) => list.slice(i, i + 1)))
    .flat();
}

const failures = () => outcomes.filter(({ failed }) => failed > 0);

const [fast, binary] = ["--fast", "--binary"].map((flag) => Deno.args.includes(flag));
const started = performance.now();
if (!binary) {
  await run(checks, cores);
  const unit = [];
  for await (const { name, isDirectory } of Deno.readDir("tests")) {
    if (isDirectory && ![...served, "binary", "golden", "support"].includes(name)) {
      unit.push(...await testFiles(`tests/${name}`));
    }
  }
  await run(unit.map((file) => testFile(file)), cores);
}
if (!fast) {
  // One of each for all tests that do not ask for their own: it is a second or two each.
  await using broker = await startBroker();
  await using registry = await startRegistry();
  const env = { KAFKA_BROKERS: broker.bootstrap, [registryVariable]: registry.url };
  // Compiled as the README says it, where a person does it who has just cloned this.
  await using checkout = await copyCheckout();
  const [, ...args] = compileCommand().split(" ");
  const compile = { name: "compile", args, cwd: checkout.folder };
  const files = binary ? [] : await Promise.all(served.map((name) => testFiles(`tests/${name}`)));
  await run([compile, ...inTurn(files).map((file) => testFile(file, env))], waiting);
  if (!failures().some(({ name }) => name === compile.name)) {
    const cli = (await testFiles("tests/cli")).filter((file) =>
      binary || !administration.test(file)
    );
    const compiled = {
      ...env,
      GPDB_KAFKA_TEST_BINARIES: `${checkout.folder}/dist/${thisPlatform()!.name}`,
    };
    const all = [...await testFiles("tests/binary"), ...cli];
    await run(
      all.map((file) => ({ ...testFile(file, compiled), name: `${file}, compiled` })),
      waiting,
    );
  }
}
console.log(`\nThe slowest:\n${slowest(outcomes)}`);
for (const { name } of failures()) console.log(`FAILED  ${name}`);
const sum = (which: "passed" | "failed") =>
  outcomes.reduce((total, outcome) => total + outcome[which], 0);
console.log(`\n${((performance.now() - started) / 1000).toFixed(1)} s`);
console.log(`${sum("passed")} passed, ${sum("failed")} failed`);
Deno.exit(sum("failed") > 0 ? 1 : 0);
