/**
 * The tables of docs/trust.md: what goes wrong and what happens then, which test shows it, and how
 * often it was tried. Figures are those of docs/proof alone, which tasks write.
 */
import { cell, grouped, table } from "./markdown.ts";
import { type Origin, readProof } from "./proof.ts";
import { type NamedTest, promiseTests, shownFaults } from "./trust_tests.ts";

const root = new URL("../", import.meta.url);

/** What a run that has no file yet has instead of figures. */
const NOT_RUN = "not run yet";

/** docs/proof/chaos.json: loads, in each of which something goes wrong. */
interface Chaos {
  seed: number;
  rounds: number;
  /** `late`: the load had ended before it. */
  kinds: Record<string, { hit: number; late: number; outcome: string }>;
}

/** docs/proof/fuzz.json: inputs by target. */
interface Fuzz {
  seed: number;
  seconds: number;
  targets: Record<string, number>;
}

/** docs/proof/differential.json: what was compared with what, and how often. */
interface Differential {
  seed: number;
  runs: Record<string, { values: number; rows: number; differences: number }>;
}

interface Course {
  first: number;
  last: number;
  peak: number;
  growth: number;
  seconds: number;
  lives: number;
}

/** docs/proof/soak.json: everything at once. */
interface Soak {
  seed: number;
  minutes: number;
  faults: Record<string, number>;
  memory: Record<string, Course>;
  descriptors: Record<string, Course>;
  catalog: { first: Record<string, number>; last: Record<string, number> };
  history: { most: number; bytes: number };
  logged: { programs: number; server: number };
  lag: { most: number; last: number; slowest: number };
  rows: number;
}

/** docs/proof/mutations.json: mistakes made in the code, and the tests that found each. */
interface Mutations {
  mutations: { file: string; change: string; caughtBy: string[] }[];
  survived: number;
}

const sum = (numbers: Iterable<number>) => [...numbers].reduce((all, one) => all + one, 0);

/** `[db/load_test.ts](../tests/db/load_test.ts) › name` */
function link({ file, name }: NamedTest): string {
  return `[${file}](../tests/${file}) › ${cell(name)}`;
}

function links(tests: readonly NamedTest[]): string {
  return tests.map(link).join("; ");
}

/** The long runs: how many rounds each had, and where. */
function runTable(): string {
  const row = <Figures>(
    name: string,
    command: string,
    size: (figures: Origin & Figures) => string,
  ) => {
    const figures = readProof<Figures>(name);
    if (figures === null) return [command, NOT_RUN, "", "", ""];
    const { cores, model, kernel } = figures.machine;
    return [
      figures.command,
      size(figures),
      figures.date,
      figures.commit,
      `${cores} cores (${model}), ${kernel}`,
    ];
  };
  return table(["command", "size", "date", "commit", "machine"], [
    row<Chaos>("chaos", "deno task chaos", ({ rounds }) => `${grouped(rounds)} rounds`),
    row<Soak>(
      "soak",
      "deno task soak",
      ({ minutes, rows, faults }) =>
        `${minutes} minutes, ${grouped(rows)} rows, ${grouped(sum(Object.values(faults)))} faults`,
    ),
    row<Fuzz>(
      "fuzz",
      "deno task fuzz",
      ({ targets, seconds }) =>
        `${grouped(sum(Object.values(targets)))} inputs in ${grouped(seconds)} s`,
    ),
    row<Differential>(
      "differential",
      "deno task differential",
      ({ runs }) => `${grouped(sum(Object.values(runs).map(({ values }) => values)))} values`,
    ),
    row<Mutations>(
      "mutations",
      "deno task mutations",
      ({ mutations, survived }) => `${mutations.length} mistakes, ${survived} not found`,
    ),
  ]);
}

/** Faults that each run of the tests has, once or more. */
function faultTable(): string {
  return table(
    ["fault", "what happens", "test"],
    shownFaults.map(({ fault, happens, tests }) => [cell(fault), cell(happens), links(tests)]),
  );
}

/** Loads in rounds: what was done to them, and what came of it. */
function chaosTable(): string {
  const chaos = readProof<Chaos>("chaos");
  const rows = Object.entries(chaos?.kinds ?? {}).map(([kind, { hit, late, outcome }]) => [
    ...[cell(kind), cell(outcome), grouped(hit), grouped(late)],
  ]);
  const header = ["in a load", "what happens", "hit a load", "came too late"];
  return table(header, rows.length > 0 ? rows : [[NOT_RUN, "", "", ""]]);
}

function soakFaultTable(): string {
  const soak = readProof<Soak>("soak");
  if (soak === null) return table(["fault", "times"], [[NOT_RUN, ""]]);
  return table(
    ["fault", "times"],
    Object.entries(soak.faults).map(([name, count]) => [name, grouped(count)]),
  );
}

/** What each process has used: memory in MiB, descriptors. */
function soakTable(): string {
  const header = [
    "process",
    "memory: first → last, MiB",
    "highest",
    "growth, MiB",
    "measured for",
    "descriptors",
    "highest",
  ];
  const soak = readProof<Soak>("soak");
  if (soak === null) return table(header, [[NOT_RUN, "", "", "", "", "", ""]]);
  const rows = Object.entries(soak.memory).map(([name, memory]) => {
    const { first, last, peak } = soak.descriptors[name];
    return [
      name,
      `${memory.first} → ${memory.last}`,
      String(memory.peak),
      String(memory.growth),
      `${grouped(memory.seconds)} s${memory.lives > 1 ? `, of ${memory.lives} processes` : ""}`,
      `${first} → ${last}`,
      String(peak),
    ];
  });
  return table(header, rows);
}

/** What is left of so many loads. */
function soakRestTable(): string {
  const soak = readProof<Soak>("soak");
  if (soak === null) return table(["what", "figure"], [[NOT_RUN, ""]]);
  const { lag, catalog, history, logged } = soak;
  const kilobytes = (bytes: number) => `${grouped(Math.round(bytes / 1024))} KiB`;
  const catalogRows = (rows: Record<string, number>) => grouped(sum(Object.values(rows)));
  return table(["what", "figure"], [
    ["lag, the most", `${grouped(lag.most)} rows`],
    ["lag at the end", `${grouped(lag.last)} rows`],
    ["the longest until everyone had caught up after a fault", `${lag.slowest} s`],
    ["rows of the catalog", `${catalogRows(catalog.first)} → ${catalogRows(catalog.last)}`],
    [
      "rows of the history and of plans, with `kafka.prune` every 10 s",
      `${grouped(history.most)} at most`,
    ],
    ["tables of schema `kafka` at the end", kilobytes(history.bytes)],
    ["messages of all programs", kilobytes(logged.programs)],
    ["log of the database's server", kilobytes(logged.server)],
  ]);
}

function fuzzTable(): string {
  const fuzz = readProof<Fuzz>("fuzz");
  if (fuzz === null) return table(["target", "inputs"], [[NOT_RUN, ""]]);
  const rows = Object.entries(fuzz.targets).map(([name, count]) => [name, grouped(count)]);
  return table(["target", "inputs"], [...rows, ["all", grouped(sum(Object.values(fuzz.targets)))]]);
}

function differentialTable(): string {
  const header = ["compared", "values", "rows, batches or reads", "differences"];
  const differential = readProof<Differential>("differential");
  if (differential === null) return table(header, [[NOT_RUN, "", "", ""]]);
  const rows = Object.entries(differential.runs).map(([name, { values, rows, differences }]) => [
    ...[cell(name), grouped(values), grouped(rows), grouped(differences)],
  ]);
  return table(header, rows);
}

/** Each mistake with the first test that found it: `file: name`, as the run writes it. */
function mutationTable(): string {
  const mutations = readProof<Mutations>("mutations")?.mutations ?? [];
  return table(
    ["file", "deliberate mistake", "first test that failed"],
    mutations.map(({ file, change, caughtBy: [first] }) => [
      `\`${file}\``,
      cell(change),
      cell(first?.replace(/^tests\//, "").replace(": ", " › ") ?? "no test"),
    ]),
  );
}

/** The README's promises, `[way, promise]`, as it says them. */
function readmePromises(): [way: string, promise: string][] {
  const text = Deno.readTextFileSync(new URL("README.md", root));
  const [section] = /^## What is promised\n[^]*?(?=^## )/m.exec(text) ?? [""];
  return [...section.matchAll(/^\| (`.+?) +\| (.+?) +\| .+\|$/gm)].map((
    [, way, promise],
  ) => [way, promise]);
}

function promiseTable(): string {
  const rows = readmePromises().map(([way, promise]) => {
    const tests = promiseTests.find(({ of }) => way.startsWith(of))?.tests;
    if (!tests) throw new Error(`Cannot write the table of promises: no test for ${way}`);
    return [way, promise, links(tests)];
  });
  return table(["way", "promise", "test"], rows);
}

/** The parts of docs/promises.md, and how many promises each has. */
function sectionTable(): string {
  const text = Deno.readTextFileSync(new URL("docs/promises.md", root));
  const rows = text.split(/^## /m).slice(1).map((section) => {
    const [title] = section.split("\n", 1);
    const anchor = title.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
    const count = section.match(/^\| .+_test\.ts\]/gm)?.length ?? 0;
    return [`[${title}](promises.md#${anchor})`, grouped(count)];
  });
  return table(["promises about", "each with a test"], rows);
}

/** What is written into docs/trust.md, by its name. */
export const trustBlocks: Readonly<Record<string, () => string>> = {
  "long runs": runTable,
  faults: faultTable,
  "faults in loads": chaosTable,
  "faults of the soak": soakFaultTable,
  "processes of the soak": soakTable,
  "rest of the soak": soakRestTable,
  "wrong input": fuzzTable,
  "answers of others": differentialTable,
  mistakes: mutationTable,
  "promises of the README": promiseTable,
  "other promises": sectionTable,
};
