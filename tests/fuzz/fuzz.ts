/**
 * Gives wrong input to every decoder and parser:
 *
 *     deno task fuzz [--seconds N] [--seed S] [--only TARGET,…] [--from N] [--report FILE] [--write]
 *
 * An input is made of the seed, the target's name and a number, so what was found comes again with
 * `--seed S --only TARGET --from NUMBER --seconds 0`. Ends with status 1 if anything was found. With
 * --write the numbers of a run that found nothing become docs/proof/fuzz.json.
 */
import { Buffer } from "node:buffer";
import { parseArgs } from "node:util";
import { commit, type Origin, origin, writeProof } from "../../scripts/proof.ts";
import { pause } from "../../lib/waiting.ts";
import { Random } from "../support/random.ts";
import { makeTargets } from "./targets.ts";
import type { Target, Tried } from "./target.ts";

/** Longer than this for one input is a fault, milliseconds; machines that are busy are slow. */
const SLOWEST = 5000;
/** More than this at the end is a fault, bytes of the process. */
const MOST_MEMORY = 1024 ** 3;
/** How long a target is tried before the next one's turn, milliseconds. */
const TURN = 100;
/** After this many a target is not tried again. */
const ENOUGH_FOUND = 3;

export interface Found {
  target: string;
  number: number;
  error: string;
  /** The input: text, or base64 of bytes. */
  input: string;
}

export interface Tally {
  tried: number;
  /** The longest for one input, milliseconds. */
  slowest: number;
}

export interface Result {
  seed: number;
  seconds: number;
  tallies: Map<string, Tally>;
  found: Found[];
  /** Of the process at the end, bytes. */
  memory: number;
}

/** What docs/proof/fuzz.json has: how many inputs each target got. */
export interface Fuzzed extends Origin {
  seed: number;
  seconds: number;
  targets: Record<string, number>;
}

export interface FuzzOptions {
  seconds: number;
  seed: number;
  /** The number of the first input of each target. */
  from?: number;
  only?: readonly string[];
  /** All there are, unless given. */
  targets?: readonly Target[];
}

/** FNV-1a: what a target's inputs depend on beside seed and number. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ character.charCodeAt(0), 0x01000193);
  return value >>> 0;
}

async function attempt(
  target: Target,
  seed: number,
  number: number,
  tally: Tally,
): Promise<Found | null> {
  const tried: Tried = { input: "" };
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ hash(target.name) ^ number);
  const started = performance.now();
  let error: unknown = null;
  try {
    const running = target.run(random, tried);
    if (running) await running;
  } catch (thrown) {
    error = thrown ?? "nothing was thrown";
  }
  const took = performance.now() - started;
  tally.tried++;
  tally.slowest = Math.max(tally.slowest, took);
  if (error === null && took > SLOWEST) error = new Error(`took ${Math.round(took)} ms`);
  if (error === null) return null;
  const { input } = tried;
  return {
    target: target.name,
    number,
    error: error instanceof Error ? error.stack ?? error.message : String(error),
    input: typeof input === "string" ? input : Buffer.from(input).toString("base64"),
  };
}

/** Tries the targets in turns until the time is over; at least one input of each. */
export async function fuzz(
  { seconds, seed, from = 0, only, ...options }: FuzzOptions,
): Promise<Result> {
  const targets = (options.targets ?? await makeTargets()).filter(({ name }) =>
    only?.includes(name) ?? true
  );
  const tallies = new Map(targets.map(({ name }) => [name, { tried: 0, slowest: 0 }]));
  const found: Found[] = [];
  const started = performance.now();
  do {
    for (const target of targets) {
      const tally = tallies.get(target.name)!;
      const turn = performance.now() + Math.min(TURN, 1000 * seconds / targets.length);
      do {
        if (found.filter((one) => one.target === target.name).length >= ENOUGH_FOUND) break;
        const one = await attempt(target, seed, from + tally.tried, tally);
        if (one !== null) found.push(one);
      } while (performance.now() < turn);
      // The runtime frees what belongs to a buffer in between only.
      await pause(0);
    }
  } while (performance.now() - started < 1000 * seconds);
  const memory = Deno.memoryUsage().rss;
  if (memory > MOST_MEMORY) {
    const error = `the process has ${Math.round(memory / 1024 ** 2)} MiB at the end`;
    found.push({ target: "all", number: 0, error, input: "" });
  }
  const took = Math.round((performance.now() - started) / 1000);
  return { seed, seconds: took, tallies, found, memory };
}

/** What was tried, as a table. */
export function report({ seed, seconds, tallies, memory }: Result): string {
  const rows = [...tallies].map(([name, { tried, slowest }]) =>
    `${name.padEnd(16)}${String(tried).padStart(10)}${slowest.toFixed(0).padStart(8)} ms`
  );
  const all = [...tallies.values()].reduce((sum, { tried }) => sum + tried, 0);
  return [
    "target               inputs   slowest",
    ...rows,
    `${all} inputs in ${seconds} s, seed ${seed}, ${Math.round(memory / 1024 ** 2)} MiB`,
  ].join("\n");
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      seconds: { type: "string", default: "10" },
      seed: { type: "string", default: "1" },
      from: { type: "string", default: "0" },
      only: { type: "string" },
      report: { type: "string" },
      write: { type: "boolean", default: false },
    },
  });
  const [seconds, seed, from] = [values.seconds, values.seed, values.from].map(Number);
  if (![seconds, seed, from].every((number) => number >= 0)) {
    console.error("--seconds, --seed and --from are numbers from 0 on");
    Deno.exit(64);
  }
  if (values.write && (values.only !== undefined || from > 0)) {
    console.error("--write is for a run of all targets, from their first input on");
    Deno.exit(64);
  }
  const started = await commit();
  const result = await fuzz({ seconds, seed, from, only: values.only?.split(",") });
  console.log(report(result));
  for (const { target, number, error, input } of result.found) {
    console.log(`\nfound: --seed ${seed} --only ${target} --from ${number} --seconds 0`);
    console.log(`${error}\ninput: ${input.slice(0, 2000)}`);
  }
  if (values.report) {
    const { tallies, ...rest } = result;
    const text = JSON.stringify({ ...rest, targets: Object.fromEntries(tallies) }, null, 2);
    await Deno.writeTextFile(values.report, `${text}\n`);
  }
  if (values.write && result.found.length === 0) {
    const from = await origin(`deno task fuzz --seconds ${seconds} --seed ${seed} --write`);
    const targets = Object.fromEntries(
      [...result.tallies].map(([name, { tried }]) => [name, tried]),
    );
    const figures: Fuzzed = { ...from, commit: started, seed, seconds: result.seconds, targets };
    await writeProof("fuzz", figures);
  }
  Deno.exit(result.found.length > 0 ? 1 : 0);
}
