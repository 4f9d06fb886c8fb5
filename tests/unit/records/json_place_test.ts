import assert from "node:assert/strict";
import { jsonPlace } from "../../../lib/records/json_place.ts";

const none = { permissions: "none" } as const;

/** The path of what is at the first `^` of a text, which is not part of it. */
const place = (text: string) => {
  const at = text.indexOf("^");
  return jsonPlace(new TextEncoder().encode(text.replace("^", "")), at);
};

Deno.test("the path of a byte of JSON, as --fields writes it", none, () => {
  const cases: [string, string][] = [
    ["^", ""],
    ['{"a":^', "a"],
    ['{"a":1, ^b', ""],
    ['{"a":{"b":[1,{"c":2},{"c":^x', "a.b[2].c"],
    ['{"a":{"b":1},"c":[[],[^', "c[1][0]"],
    ['{"odd name":{"x\\"y":^', '"odd name"."x""y"'],
    ['{"a":"]}{","b":^', "b"],
    ['{"a":"\\"","b":^', "b"],
    ['{"\\u0061b":^', "ab"],
    ["]]}}^", ""],
    [',,"x":^', ""],
    ['{"open^', ""],
    [`${'{"a":'.repeat(50)}^`, `…${".a".repeat(12)}`],
    [`{"${"x".repeat(100)}":^`, `${"x".repeat(64)}…`],
  ];
  for (const [text, path] of cases) assert.equal(place(text), path, text);
});

Deno.test("the path of a byte of anything at all is found", none, () => {
  const bytes = new TextEncoder().encode('{"a\\":[1,{"b":"\\\\"},[]],"c":{}}');
  for (let cut = 0; cut <= bytes.length; cut++) {
    for (let at = 0; at <= bytes.length + 1; at++) {
      assert.equal(typeof jsonPlace(bytes.subarray(cut), at), "string");
    }
  }
});
