import assert from "node:assert/strict";
import { withTables } from "../../scripts/readme.ts";

Deno.test("the README's tables are those that the programs parse; else: deno task readme", async () => {
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  assert.equal(withTables(readme), readme);
});
