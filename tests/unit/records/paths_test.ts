import assert from "node:assert/strict";
import { Failure } from "../../../lib/failure.ts";
import { parsePaths } from "../../../lib/records/paths.ts";

const none = { permissions: "none" } as const;

Deno.test("paths: names, elements, quoted names, the whole value", none, () => {
  const cases: [string, (string | number)[][]][] = [
    ["id", [["id"]]],
    ["id, customer.name ,items[0].sku", [["id"], ["customer", "name"], ["items", 0, "sku"]]],
    [".", [[]]],
    [" . , a", [[], ["a"]]],
    ["[0][12].a", [[0, 12, "a"]]],
    ['"a.b"."say ""hi""", "",x."[0]"', [["a.b", 'say "hi"'], [""], ["x", "[0]"]]],
    ['"a, b"', [["a, b"]]],
    ["größe.$ref.@type-x/y", [["größe", "$ref", "@type-x/y"]]],
    ["a\n,\tb", [["a"], ["b"]]],
    ["a[2147483647]", [["a", 2147483647]]],
  ];
  for (const [list, steps] of cases) {
    assert.deepEqual(parsePaths("--fields", list).map((path) => path.steps), steps, list);
  }
  const texts = parsePaths("--fields", ' a.b , "x y"[0] ,.').map(({ text }) => text);
  assert.deepEqual(texts, ["a.b", '"x y"[0]', "."]);
});

Deno.test("paths: what can't be read is named with its character", none, () => {
  const cases: [string, RegExp][] = [
    ["", /--fields: cannot read "" at its end: a name is expected/],
    ["a,", /at its end: a name is expected/],
    ["a,,b", /at character 3: a name is expected/],
    ["a..b", /at character 3: a name is expected/],
    [".a", /at character 2: a lone dot is the whole value/],
    ["a.", /at its end: a name is expected/],
    ["a b", /at character 3: a comma, a dot or \[N\] is expected — names with spaces go in double/],
    ["a[x]", /at character 3: the number of an element is expected — \[0\] is the first/],
    ["a[-1]", /at character 3/],
    ["a[2147483648]", /at character 3/],
    ["a[1", /at character 3/],
    ["a]", /at character 2/],
    ['"open', /at character 1: the quote is not closed/],
    ['x, "a""', /at character 4: the quote is not closed/],
    ['a"b"', /at character 2: a comma/],
    [Array(1002).fill("a").join("."), /a path has at most 1000 steps/],
  ];
  for (const [list, message] of cases) {
    assert.throws(
      () => parsePaths("--fields", list),
      (error) => error instanceof Failure && error.kind === "usage" && message.test(error.message),
      list,
    );
  }
});
