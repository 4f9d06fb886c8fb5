import assert from "node:assert/strict";
import { runs } from "../differential/runs.ts";

for (const [name, run] of Object.entries(runs)) {
  Deno.test(`differential: ${name}, the same answers to random input`, async () => {
    const { values, rows, found } = await run({ values: 2000, seed: 3 });
    assert.deepEqual(found, []);
    assert.ok(values > 20 && rows > 20, `${values} values, ${rows} rows`);
  });
}
