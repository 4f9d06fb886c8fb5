import assert from "node:assert/strict";
import { fuzz, report } from "../fuzz/fuzz.ts";
import type { Target } from "../fuzz/target.ts";

Deno.test("ten seconds of wrong input: every decoder and parser has an answer to it", async () => {
  const result = await fuzz({ seconds: 10, seed: 1 });
  assert.deepEqual(result.found, []);
  for (const [name, { tried }] of result.tallies) assert.ok(tried > 0, `${name} was not tried`);
  assert.match(report(result), /^\d+ inputs in \d+ s, seed 1, \d+ MiB$/m);
});

Deno.test("what wrong input finds is reported with a number, and comes again by it", async () => {
  const target: Target = {
    name: "broken",
    run(random, tried) {
      tried.input = Uint8Array.of(random.int(0, 99));
      if (tried.input[0] === 7) throw new TypeError("seven");
    },
  };
  const { found, tallies } = await fuzz({ seconds: 0.5, seed: 3, targets: [target] });
  assert.equal(found.length, 3, "a target is given up after three faults");
  assert.ok(tallies.get("broken")!.tried > found[2].number);
  for (const { number, error, input } of found) {
    assert.match(error, /^TypeError: seven/);
    assert.equal(input, "Bw==");
    const again = await fuzz({ seconds: 0, seed: 3, from: number, targets: [target] });
    assert.equal(again.found[0].number, number);
  }
});
