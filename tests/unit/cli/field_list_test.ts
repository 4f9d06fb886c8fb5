import assert from "node:assert/strict";
import { parseFields, splitList } from "../../../lib/cli/flags/field_list.ts";

Deno.test("field list: names, paths and types, with commas where they belong to one of these", () => {
  const list =
    "id, customer=customer.name, total:numeric(10,2)=sum, at:timestamptz, lines[0].sku, " +
    '"odd, name=x"."a.b", "Q ""t"""=x, .';
  assert.throws(() => parseFields("--fields", list), /"\." is not NAME/);
  const fields = parseFields("--fields", list.replace(", .", ", all=."));
  assert.deepEqual(fields.map(({ name, type, path, mapped }) => [name, type, path, mapped]), [
    ["id", "", "id", false],
    ["customer", "", "customer.name", true],
    ["total", "numeric(10,2)", "sum", true],
    ["at", "timestamptz", "at", false],
    ["sku", "", "lines[0].sku", false],
    ["a.b", "", '"odd, name=x"."a.b"', false],
    ['Q "t"', "", "x", true],
    ["all", "", ".", true],
  ]);
  assert.deepEqual(splitList("a,b(c,d),[e,f]"), ["a", "b(c,d)", "[e,f]"]);
});

Deno.test("field list: what is not a field is named", () => {
  for (const item of ["", "=a", "a=", "a:", "a:1nt", "a:int; DROP=b", ":int=a"]) {
    assert.throws(
      () => parseFields("--fields", `x, ${item}`),
      (error: Error) => error.message.startsWith(`--fields: "${item}" is not NAME`),
      item,
    );
  }
});
