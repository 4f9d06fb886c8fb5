import assert from "node:assert/strict";
import { runs } from "../differential/runs.ts";

/** The release that is not fetched for every run of the tests: `deno task differential` has it. */
const older = /PostgreSQL 17/;

for (const [name, run] of Object.entries(runs)) {
  if (older.test(name)) continue;
  Deno.test(`differential: ${name}, the same answers to random input`, async () => {
    const { values, rows, found } = await run({ values: 2000, seed: 3 });
    assert.deepEqual(found, []);
    assert.ok(values > 20 && rows > 20, `${values} values, ${rows} rows`);
  });
}
