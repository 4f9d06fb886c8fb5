import assert from "node:assert/strict";
import { editDistance, inShort, inWords, nearest, plain, suggestion } from "../../lib/text.ts";

const none = { permissions: "none" } as const;

Deno.test(
  "letters added, left out, changed, or swapped with their neighbours are one each",
  none,
  () => {
    const cases: [string, string, number][] = [
      ["", "", 0],
      ["", "abc", 3],
      ["crimes", "crimes", 0],
      ["crimes", "crime", 1],
      ["crimes", "crxmes", 1],
      ["crimes", "crimse", 1],
      ["crimes", "rcimse", 2],
      ["ab", "ba", 1],
      ["kitten", "sitting", 3],
    ];
    for (const [a, b, distance] of cases) {
      assert.equal(editDistance(a, b), distance, `${a} ${b}`);
      assert.equal(editDistance(b, a), distance, `${b} ${a}`);
    }
  },
);

Deno.test("the nearest name is suggested if it is near enough for its length", none, () => {
  assert.equal(nearest("crimse", ["orders", "crimes"]), "crimes");
  assert.equal(nearest("CRIMES", ["crimes"]), "crimes");
  assert.equal(nearest("ab", ["ac"]), null);
  assert.equal(nearest("crimes", []), null);
  assert.equal(suggestion("crimse", ["crimes"], "; see --help"), ' — did you mean "crimes"?');
  assert.equal(suggestion("payments", ["crimes"], "; see --help"), "; see --help");
});

Deno.test("text of others has no escape sequences, and is one line", none, () => {
  assert.equal(plain("a\x1b[2Jb\nc\x9bd\x7fé→"), "a [2Jb c d é→");
});

Deno.test("times in words, in a sentence and in a table", none, () => {
  assert.deepEqual([0, 999, 1000, 90_000, 86_400_000].map(inWords), [
    ...["0 ms", "999 ms", "1 s", "1.5 min", "1 days"],
  ]);
  assert.deepEqual([0, 0.2, 60, 750, 11_100, 360_000].map(inShort), [
    ...["0s", "1s", "1m", "12m 30s", "3h 5m", "4d 4h"],
  ]);
});
