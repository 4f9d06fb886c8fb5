import assert from "node:assert/strict";
import { mutated, mutations } from "../../../scripts/mutations.ts";

const root = new URL("../../../", import.meta.url);

Deno.test("mutations: each one's place is in its file, once, and its tests exist", async () => {
  assert.ok(mutations.length >= 30);
  for (const mutation of mutations) {
    const text = await Deno.readTextFile(new URL(mutation.file, root));
    assert.notEqual(mutated(text, mutation), text, mutation.change);
    for (const file of mutation.tests) {
      const tests = await Deno.readTextFile(new URL(file, root));
      assert.ok(mutation.filter === undefined || tests.includes(mutation.filter), mutation.change);
    }
  }
});

Deno.test("mutations: a place that is not there, or there twice, is an error", () => {
  const mutation = { file: "a.ts", change: "x", find: "ab", replace: "c", tests: [] };
  assert.equal(mutated("1 ab 2", mutation), "1 c 2");
  for (const text of ["1 2", "ab ab"]) {
    assert.throws(() => mutated(text, mutation), /a\.ts has not exactly one "ab"/);
  }
});
