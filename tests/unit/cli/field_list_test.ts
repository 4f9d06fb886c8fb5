import assert from "node:assert/strict";
import { isType, parseFields, splitList } from "../../../lib/cli/flags/field_list.ts";

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

Deno.test("field list: a type is one type, with nothing after it", () => {
  const types = [
    ...["int", "text[]", "numeric(10,2)", "numeric(10, -2)[]", "double precision", "Timestamptz"],
    ...["timestamp(3) with time zone", "time without time zone", "character varying(20)"],
    ...["interval day to second(3)", "public.mood", '"My ""type"""."x y"', "geometry(Point,4326)"],
    ...["int[3][]", "bit varying(8)", "interval"],
  ];
  for (const type of types) assert.ok(isType(type), type);
  const others = [
    ...["int AS z", "int AS z, now()", "int, b int", "int)", "text COLLATE c", "int NOT NULL"],
    ...["int;", "", "1", "a.b.c", "numeric(1,2", "now()", "int --", '"a'],
  ];
  for (const text of others) assert.ok(!isType(text), text);
});
