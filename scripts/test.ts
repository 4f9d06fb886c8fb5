/**
 * All checks and tests, as CI runs them: `deno task test`. With --fast those that need no server:
 * `deno task ok`; with --binary those of the compiled programs: `deno task test:binary`. Ends with a
 * line `N passed, N failed`; a check counts as one.
 */
import { compileCommand } from "./compile/command.ts";
import { copyCheckout } from "./compile/checkout.ts";
import { startBroker } from "./servers/broker.ts";
import { registryVariable, startRegistry } from "./servers/registry.ts";
import { thisPlatform } from "./compile/platforms.ts";

/** Folders of tests that need a broker or a database. */
const served = ["broker", "cli", "db"];

/**
 * Those of tests/cli about gpdb-kafka's administration: a minute of brokers that come and go, and
 * nothing in them depends on being compiled that other tests do not meet. `--binary` runs them too.
 */
const administration = /^(admin_security|doctor|lag|offsets|topics)_/;

let passed = 0;
let failed = 0;

/** Runs deno with these arguments, its output shown, and counts what it says. */
async function deno(
  args: string[],
  env: Record<string, string> = {},
  cwd?: string,
): Promise<void> {
  console.log(`\n── deno ${args.join(" ")}`);
  const child = new Deno.Command(Deno.execPath(), { args, env, cwd, stdout: "piped" }).spawn();
  let last = "";
  for await (const chunk of child.stdout) {
    for (let at = 0; at < chunk.length;) at += Deno.stdout.writeSync(chunk.subarray(at));
    last = (last + new TextDecoder().decode(chunk)).slice(-4096);
  }
  const { success } = await child.status;
  // deno-lint-ignore no-control-regex
  const plain = last.replaceAll(/\x1b\[[0-9;]*m/g, "");
  const told = [...plain.matchAll(/(\d+) passed.*? \| (\d+) failed/g)].at(-1);
  passed += told ? Number(told[1]) : success ? 1 : 0;
  failed += told ? Number(told[2]) : 0;
  if (!success && !(told && Number(told[2]) > 0)) failed++;
}

/**
 * Compiles the programs as the README says it, where a person does it who has just cloned this, and
 * runs what must hold for them.
 */
async function testCompiled(bootstrap: string): Promise<void> {
  await using checkout = await copyCheckout();
  const before = failed;
  const [, ...args] = compileCommand().split(" ");
  await deno(args, {}, checkout.folder);
  if (failed > before) return;
  const files = [...Deno.readDirSync("tests/cli")].map(({ name }) => name).sort()
    .filter((name) => name.endsWith("_test.ts") && (binary || !administration.test(name)));
  const cli = files.map((name) => `tests/cli/${name}`);
  await deno(["test", "-A", "tests/binary/", ...cli], {
    KAFKA_BROKERS: bootstrap,
    GPDB_KAFKA_TEST_BINARIES: `${checkout.folder}/dist/${thisPlatform()!.name}`,
  });
}

const folders: string[] = [];
for await (const entry of Deno.readDir("tests")) {
  if (entry.isDirectory && !["golden", "support"].includes(entry.name)) folders.push(entry.name);
}
const paths = (some: string[]) => some.toSorted().map((name) => `tests/${name}/`);

const [fast, binary] = ["--fast", "--binary"].map((flag) => Deno.args.includes(flag));
const started = performance.now();
if (!binary) {
  const others = folders.filter((name) => !served.includes(name) && name !== "binary");
  await deno(["fmt", "--check"]);
  await deno(["lint"]);
  await deno(["check", "."]);
  await deno(["run", "--allow-read=.", "scripts/layers.ts"]);
  await deno(["run", "--allow-read=.", "scripts/words.ts"]);
  await deno(["test", "-A", ...paths(others)]);
}
if (!fast) {
  // One of each for all tests that do not ask for their own: it is a second or two each.
  await using broker = await startBroker();
  await using registry = await startRegistry();
  const servers = paths(folders.filter((name) => served.includes(name)));
  const named = { KAFKA_BROKERS: broker.bootstrap, [registryVariable]: registry.url };
  if (!binary) await deno(["test", "-A", ...servers], named);
  await testCompiled(broker.bootstrap);
}
console.log(`\n${((performance.now() - started) / 1000).toFixed(1)} s`);
console.log(`${passed} passed, ${failed} failed`);
Deno.exit(failed > 0 ? 1 : 0);
