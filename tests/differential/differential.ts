/**
 * Gives random inputs to the code and to foreign programs, and compares their answers:
 *
 *     deno task differential [--values N] [--seed S] [--only NAME,…] [--write]
 *
 * With --write the figures go to docs/proof/differential.json, after each run. Ends with status 1 if
 * there was a difference; with the same N and S it comes again.
 */
import { parseArgs } from "node:util";
import { commit, origin, readProof, writeProof } from "../../scripts/proof.ts";
import { runs } from "./runs.ts";

/** Whether the program is still the one of a commit. */
async function isProgramOf(commit: string): Promise<boolean> {
  const args = ["diff", "--quiet", commit, "--", "lib"];
  return (await new Deno.Command("git", { args, stderr: "null" }).output()).success;
}

type Figures = Record<string, { values: number; rows: number; differences: number }>;

const { values: given } = parseArgs({
  options: {
    values: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    write: { type: "boolean", default: false },
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
const command = `deno task differential --values ${size.values} --seed ${size.seed}`;
/** What earlier runs of the same program with the same inputs have found stays. */
const before = readProof<{ runs: Figures }>("differential");
const isGoingOn = before?.command === command && await isProgramOf(before.commit);
const figures: Figures = isGoingOn ? before.runs : {};
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
  if (given.write) {
    const proof = { ...await origin(command), commit: checkout, seed: size.seed, runs: figures };
    await writeProof("differential", proof);
  }
}
Deno.exit(isSame ? 0 : 1);
