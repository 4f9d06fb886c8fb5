import assert from "node:assert/strict";
import { circlesOf, problemsOf } from "../../../scripts/layers.ts";

const none = { permissions: "none" } as const;

Deno.test(
  "layers: files that import each other are a circle, and so are three of them",
  none,
  () => {
    const files = new Map([
      ["lib/a/one.ts", 'import { two } from "./two.ts";\n'],
      ["lib/a/two.ts", 'import {\n  three,\n} from "../b/three.ts";\n'],
      ["lib/b/three.ts", 'export const x = () => import("../a/one.ts");\n'],
      ["lib/b/four.ts", 'import { one } from "../a/one.ts";\nimport "./five.ts";\n'],
      ["lib/b/five.ts", 'import type { Four } from "./four.ts";\n'],
    ]);
    assert.deepEqual(circlesOf(files), [
      ["lib/a/one.ts", "lib/a/two.ts", "lib/b/three.ts", "lib/a/one.ts"],
      ["lib/b/five.ts", "lib/b/four.ts", "lib/b/five.ts"],
    ]);
  },
);

Deno.test("layers: one file that two others import is not a circle, nor is a comment", none, () => {
  const files = new Map([
    ["lib/a.ts", 'import "./b.ts";\nimport "./c.ts";\nimport assert from "node:assert";\n'],
    ["lib/b.ts", 'import "./d.ts";\n'],
    ["lib/c.ts", 'export { d } from "./d.ts";\nimport "./elsewhere.ts";\n'],
    ["lib/d.ts", '// import "./a.ts";\n * import "./b.ts"\n'],
  ]);
  assert.deepEqual(circlesOf(files), []);
});

Deno.test("layers: an import against the order is a problem of its line", none, () => {
  const text = 'import { a } from "../kafka/a.ts";\nimport { b } from "../cli/b.ts";\n';
  assert.deepEqual(problemsOf("lib/load/x.ts", text), ["lib/load/x.ts:2: load may not import cli"]);
});
