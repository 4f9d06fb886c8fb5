/**
 * Whether the tests notice mistakes: `deno task mutations`. Makes each mistake of a list, one at a
 * time, in a copy of the checkout, and runs the tests that must fail of it. Writes which ones did to
 * docs/proof/mutations.json; exits 1 if a mistake survives. Words after the command choose mistakes
 * by their files or changes, and nothing is written then.
 */
import { join } from "node:path";
import { copyCheckout } from "./compile/checkout.ts";
import { loading } from "./mutations/loading.ts";
import type { Mutation } from "./mutations/mutation.ts";
import { reading } from "./mutations/reading.ts";
import { type Origin, origin, writeProof } from "./proof.ts";
import { startBroker } from "./servers/broker.ts";

export const mutations: readonly Mutation[] = [...reading, ...loading];

/** The tests that are named take seconds: a run that is longer hangs, which is a failure, too. */
const DEADLINE = 2 * 60_000;

/** The text with the mistake in it. Throws if the place is not there, or not the only one. */
export function mutated(text: string, { file, find, replace }: Mutation): string {
  const [before, after, ...more] = text.split(find);
  if (after === undefined || more.length > 0) {
    throw new Error(`${file} has not exactly one ${JSON.stringify(find)}: correct the mutation`);
  }
  return before + replace + after;
}

/** Runs a mutation's tests. Returns those that failed, by file and name. */
async function failedTests(
  { tests, filter }: Mutation,
  cwd: string,
  env: Record<string, string>,
): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", ...filter ? ["--filter", filter] : [], ...tests],
    ...{ cwd, env: { ...env, NO_COLOR: "1" }, signal: AbortSignal.timeout(DEADLINE) },
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (success && !/^ok \| [1-9]/m.test(text)) {
    throw new Error(`no test ran of ${tests.join(", ")}: ${new TextDecoder().decode(stderr)}`);
  }
  if (success) return [];
  // At the end the failures are listed: `name => ./tests/…:1:6`.
  const listed = text.matchAll(/^(.+?)(?: => | \()\.\/(tests\/[^:]+?)(?::\d+:\d+|\).*)$/gm);
  const names = [...listed].map(([, name, file]) => `${file}: ${name}`);
  return names.length > 0 ? [...new Set(names)] : tests.map((file) => `${file}: it does not end`);
}

async function compileKernel(cwd: string): Promise<void> {
  const args = ["run", "-A", "scripts/wasm.ts", "kernel"];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** What docs/proof/mutations.json has. */
interface Proof extends Origin {
  mutations: { file: string; change: string; caughtBy: string[] }[];
  survived: number;
}

async function main(words: readonly string[]): Promise<number> {
  const from = await origin("deno task mutations");
  const chosen = mutations.filter(({ file, change }) =>
    words.length === 0 || words.some((word) => `${file} ${change}`.includes(word))
  );
  await using checkout = await copyCheckout();
  await using stack = new AsyncDisposableStack();
  const isServed = chosen.some(({ tests }) =>
    tests.some((file) => !file.startsWith("tests/unit/"))
  );
  const broker = isServed ? stack.use(await startBroker()) : null;
  const env: Record<string, string> = broker ? { KAFKA_BROKERS: broker.bootstrap } : {};
  const tried: Proof["mutations"] = [];
  const clean = new Set<string>();
  for (const mutation of chosen) {
    const { file, change, tests, filter } = mutation;
    const what = [...tests, filter].join(" ");
    if (!clean.has(what)) {
      let failed = await failedTests(mutation, checkout.folder, env);
      // Once more: the machine may have been busy with something else.
      if (failed.length > 0) failed = await failedTests(mutation, checkout.folder, env);
      if (failed.length > 0) throw new Error(`without a mistake this fails: ${failed.join(", ")}`);
      clean.add(what);
    }
    const path = join(checkout.folder, file);
    const text = await Deno.readTextFile(path);
    const write = async (text: string) => {
      await Deno.writeTextFile(path, text);
      if (file.endsWith(".as.ts")) await compileKernel(checkout.folder);
    };
    await write(mutated(text, mutation));
    const caughtBy = await failedTests(mutation, checkout.folder, env);
    await write(text);
    tried.push({ file, change, caughtBy });
    console.log(`${caughtBy.length > 0 ? "caught  " : "SURVIVED"}  ${file}: ${change}`);
    for (const name of caughtBy) console.log(`            ${name}`);
  }
  const survived = tried.filter(({ caughtBy }) => caughtBy.length === 0).length;
  if (words.length === 0) {
    const proof: Proof = { ...from, mutations: tried, survived };
    await writeProof("mutations", proof);
  }
  console.log(`${tried.length} mistakes, ${survived} survived`);
  return survived > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
