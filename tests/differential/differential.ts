/**
 * Gives random inputs to the code and to foreign programs, and compares their answers:
 *
 *     deno task differential [--values N] [--seed S] [--only NAME,…]
 *
 * A run of all writes its figures to docs/proof/differential.json. Ends with status 1 if there was a
 * difference; with the same N and S it comes again.
 */
import { cpus, release } from "node:os";
import { parseArgs } from "node:util";
import { runs } from "./runs.ts";

const report = new URL("../../docs/proof/differential.json", import.meta.url);
const task = "deno task differential";

async function commit(): Promise<string> {
  const git = await new Deno.Command("git", { args: ["rev-parse", "HEAD"] }).output();
  return new TextDecoder().decode(git.stdout).trim();
}

const { values: given } = parseArgs({
  options: {
    values: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
  },
});
const size = { values: Number(given.values), seed: Number(given.seed) };
const only = given.only?.split(",");
const unknown = only?.find((name) => !Object.hasOwn(runs, name));
if (!(size.values > 0 && size.seed >= 0) || unknown !== undefined) {
  console.error(
    unknown === undefined
      ? "--values is a number from 1 on, --seed one from 0 on"
      : `--only: "${unknown}" is not one of ${Object.keys(runs).join(", ")}`,
  );
  Deno.exit(64);
}
const checkout = await commit();
const figures: Record<string, { values: number; rows: number; differences: number }> = {};
let isSame = true;
for (const [name, run] of Object.entries(runs)) {
  if (only !== undefined && !only.includes(name)) continue;
  const from = performance.now();
  const { values, rows, differences, found, notes } = await run(size);
  figures[name] = { values, rows, differences };
  isSame &&= differences === 0;
  const seconds = ((performance.now() - from) / 1000).toFixed(1);
  console.log(`${name}: ${values} values, ${rows} rows, ${differences} differences, ${seconds} s`);
  for (const [what, count] of notes) console.log(`  ${count} ${what}`);
  for (const what of found) console.log(`  difference: ${what}`);
}
if (only === undefined) {
  const proof = {
    date: new Date().toISOString().slice(0, 10),
    commit: checkout,
    machine: { cores: cpus().length, model: cpus()[0].model, kernel: release() },
    command: `${task} --values ${size.values} --seed ${size.seed}`,
    seed: size.seed,
    runs: figures,
  };
  await Deno.mkdir(new URL(".", report), { recursive: true });
  await Deno.writeTextFile(report, `${JSON.stringify(proof, null, 2)}\n`);
}
Deno.exit(isSame ? 0 : 1);
