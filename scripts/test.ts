/**
 * All checks and tests, as CI runs them: `deno task test`. With --fast those that need no server:
 * `deno task ok`. Ends with a line `N passed, N failed`; a check counts as one.
 */
import { startBroker } from "./broker.ts";

/** Folders of tests that need a broker or a database. */
const served = ["broker", "cli", "db", "load"];

let passed = 0;
let failed = 0;

/** Runs deno with these arguments, its output shown, and counts what it says. */
async function deno(args: string[], env: Record<string, string> = {}): Promise<void> {
  console.log(`\n── deno ${args.join(" ")}`);
  const child = new Deno.Command(Deno.execPath(), { args, env, stdout: "piped" }).spawn();
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

const folders: string[] = [];
for await (const entry of Deno.readDir("tests")) {
  if (entry.isDirectory && !["golden", "support"].includes(entry.name)) folders.push(entry.name);
}
const paths = (some: string[]) => some.toSorted().map((name) => `tests/${name}/`);

const started = performance.now();
await deno(["fmt", "--check"]);
await deno(["lint"]);
await deno(["check", "."]);
await deno(["run", "--allow-read=.", "scripts/layers.ts"]);
await deno(["test", "-A", ...paths(folders.filter((name) => !served.includes(name)))]);
if (!Deno.args.includes("--fast")) {
  const servers = paths(folders.filter((name) => served.includes(name)));
  // One broker for all tests that do not ask for their own: it is a second or two each.
  await using broker = await startBroker();
  await deno(["test", "-A", ...servers], { KAFKA_BROKERS: broker.bootstrap });
}
console.log(`\n${((performance.now() - started) / 1000).toFixed(1)} s`);
console.log(`${passed} passed, ${failed} failed`);
Deno.exit(failed > 0 ? 1 : 0);
