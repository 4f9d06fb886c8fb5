import assert from "node:assert/strict";
import { dialect, ownServer } from "../support/load.ts";
import { faults } from "../soak/faults.ts";
import { soak } from "../soak/soak.ts";

Deno.test({
  name: "soak: half a minute of faults: rows exact, nothing grows, everyone catches up",
  ignore: !ownServer || dialect === "greenplum",
  async fn() {
    const soaked = await soak({ minutes: 0.5, seed: 1 });
    for (const name of Object.keys(faults)) assert.ok(soaked.faults[name] > 0, name);
    assert.equal(soaked.lag.last, 0);
    assert.ok(soaked.pages > 2, `${soaked.pages} pages`);
    for (const courses of [soaked.memory, soaked.descriptors]) {
      assert.equal(Object.keys(courses).length, 9, `${Object.keys(courses)}`);
    }
  },
});
