import assert from "node:assert/strict";
import { problemsOf } from "../../../scripts/words.ts";

Deno.test("words: a phrase of the list is found, with its line and what to write", () => {
  const text = 'fine\nthrow new Error(`"${name}" is none of a, b`);\n';
  assert.deepEqual(problemsOf("a.ts", text), [
    'a.ts:2: "is none of" — write "is not one of"',
  ]);
});

Deno.test("words: two phrases in one line are two problems", () => {
  assert.equal(problemsOf("a.md", "say --x, or it is made anew").length, 2);
});

Deno.test("words: a text without such phrases has no problem", () => {
  const text = '`"${name}" is not one of a, b — use --x`\nthe consumer is 3 offsets behind\n';
  assert.deepEqual(problemsOf("a.ts", text), []);
});
