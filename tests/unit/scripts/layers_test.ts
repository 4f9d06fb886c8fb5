import assert from "node:assert/strict";
import {
  allProblems,
  circles,
  folderProblems,
  problemsOf,
  sizeProblems,
} from "../../../scripts/layers.ts";

Deno.test("layers: the project has no problem, and each of its folders is in the map", async () => {
  assert.deepEqual(await allProblems(), []);
});

Deno.test("layers: a file that imports what its folder may not is named with its line", () => {
  const cases: [string, string, string | null][] = [
    ["lib/kafka/a.ts", 'import { a } from "../protocol/b.ts";', null],
    ["lib/kafka/a.ts", 'import { a } from "../failure.ts";', null],
    ["lib/kafka/a.ts", 'import { a } from "../consume/b.ts";', "kafka may not import consume"],
    ["lib/kafka/a.ts", 'await import("../cli/b.ts");', "kafka may not import cli"],
    ["lib/protocol/a.ts", 'import "../failure.ts";', "protocol imports nothing outside itself"],
    [
      "lib/load/a.ts",
      'import { Kafka } from "kafkajs";',
      "kafkajs is used in lib/kafka/kafkajs alone",
    ],
    ["lib/cli/a.ts", "Deno.exit(1);", "Deno.exit and Deno.args belong to the entries"],
    ["lib/cli/a.ts", "// Deno.exit(1);", null],
    ["lib/cli/a.ts", 'const words = ["from", "to"];', null],
    ["main.ts", 'import { a } from "./lib/cli/a.ts";', null],
    ["main.ts", 'import { a } from "./lib/kafka/a.ts";', "an entry may not import kafka"],
    ["lib/load/a.ts", 'import postgres from "postgres";', null],
    ["scripts/a.ts", 'import { parse } from "csv-parse/sync";', null],
    [
      "scripts/a.ts",
      'import { a } from "../tests/support/a.ts";',
      "scripts import nothing of tests",
    ],
    [
      "lib/load/a.ts",
      'import { parse } from "csv-parse/sync";',
      "csv-parse/sync is a package for development — runtimePackages lists others",
    ],
  ];
  for (const [path, line, problem] of cases) {
    assert.deepEqual(problemsOf(path, `\n${line}\n`), problem ? [`${path}:2: ${problem}`] : []);
  }
  assert.match(problemsOf("main.ts", "\n".repeat(80))[0], /an entry has at most 60 lines/);
});

Deno.test("layers: a folder that is not in the map is named, and one that is gone", () => {
  const [missing, ...gone] = folderProblems(["lib/new", "tests/unit/any"]);
  assert.match(missing, /^lib\/new: the folder is not in the map/);
  assert.ok(gone.includes("sql: the map has a folder that does not exist — scripts/layers.ts"));
});

Deno.test("layers: files that import each other in a circle are named", () => {
  const texts = new Map([
    ["lib/a.ts", 'import "./b.ts";\nimport type { C } from "./c.ts";'],
    ["lib/b.ts", 'import "./c.ts";'],
    ["lib/c.ts", 'import "./b.ts";'],
  ]);
  assert.deepEqual(circles(texts), ["circle: lib/b.ts → lib/c.ts → lib/b.ts"]);
});

Deno.test("layers: a file that two others import is no circle, and a comment is no import", () => {
  const texts = new Map([
    ["lib/a.ts", 'import {\n  b,\n} from "./b.ts";\nawait import("./c.ts");'],
    ["lib/b.ts", 'export { d } from "./d.ts";'],
    ["lib/c.ts", 'import "./d.ts";\nimport "./elsewhere.ts";'],
    ["lib/d.ts", '// import "./a.ts";\n * import "./b.ts";'],
  ]);
  assert.deepEqual(circles(texts), []);
});

Deno.test("layers: a file written by hand that is too long is named, a made one is not", () => {
  const lines = (count: number) => "x\n".repeat(count);
  const texts = new Map([
    ["lib/a.ts", lines(330)],
    ["docs/b.md", lines(331)],
    ["lib/protocol/kernel/kernel_wasm.ts", lines(999)],
    ["tests/db/golden/c.sql", lines(999)],
  ]);
  assert.deepEqual(sizeProblems(texts), [
    "docs/b.md: 331 lines — split it, a file has at most 330",
  ]);
});
