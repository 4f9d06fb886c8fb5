import assert from "node:assert/strict";
import {
  addAvro,
  hasAvroPath,
  missingAvroPaths,
  parseAvroSchema,
  SchemaError,
} from "../../../lib/records/avro.ts";
import { jsonFault } from "../../../lib/records/json_fault.ts";
import type { Path } from "../../../lib/records/paths.ts";
import { ProgramWriter } from "../../../lib/records/program.ts";
import { Random } from "../../support/random.ts";
import { long, of, record, string } from "./avro_encode.ts";
import { RandomAvro } from "./avro_random.ts";
import { rowsOf } from "./avro_rows.ts";

/** What is wrong with a schema. */
function faultOf(schema: unknown, references: unknown[] = []): string {
  const text = (json: unknown) => typeof json === "string" ? json : JSON.stringify(json);
  try {
    parseAvroSchema(text(schema), references.map(text));
  } catch (error) {
    if (error instanceof SchemaError) return error.message;
    throw error;
  }
  return "";
}

const path = (...steps: (string | number)[]): Path => ({ text: steps.join("."), steps });

Deno.test("an error in a schema says in which part of it", () => {
  const fields = (...fields: unknown[]) => ({ type: "record", name: "R", fields });
  const faults: [unknown, string][] = [
    [fields({ name: "a", type: "strng" }), '$.fields[0].type: no type has the name "strng"'],
    [
      fields({ name: "a", type: "int" }, { name: "b", type: { type: "array" } }),
      '$.fields[1].type: an array without "items"',
    ],
    [fields({ name: "b", type: { type: "map" } }), '$.fields[0].type: a map without "values"'],
    [fields({ name: "b" }), '$.fields[0]: the field "b" has no type'],
    [fields({ type: "int" }), "$.fields[0]: a field without a name"],
    [fields(5), "$.fields[0]: a field is an object, not 5"],
    [
      fields({ name: "a", type: "int" }, { name: "a", type: "int" }),
      '$.fields[1]: the record has two fields "a"',
    ],
    [{ type: "record", name: "R" }, '$: a record without a list "fields"'],
    [{ type: "record", fields: [] }, '$: "record" without a name'],
    [{ type: "fixed", name: "F", size: -1 }, "$: a fixed whose size is -1"],
    [{ type: "enum", name: "E", symbols: [1] }, '$: an enum without a list "symbols" of names'],
    [["null", ["int"]], "$[1]: a union directly in a union"],
    [["int", "int"], '$[1]: the union has "int" twice'],
    [[], "$: a union of no types"],
    [{ items: "int" }, '$: an object without "type"'],
    [{ type: "array", items: 7 }, "$.items: a type is a name, an object or a list, not 7"],
    [
      ["null", { type: "fixed", name: "F", size: 1 }, {
        type: "map",
        values: { ...fields(), name: "F" },
      }],
      '$[2].values: the type "F" is defined twice',
    ],
  ];
  for (const [schema, fault] of faults) assert.equal(faultOf(schema), fault);
});

Deno.test("a name that no type has gets the type that ends in it", () => {
  const schema = {
    type: "record",
    name: "shop.Order",
    fields: [
      { name: "a", type: { type: "enum", name: "other.Status", symbols: ["A"] } },
      { name: "b", type: "Status" },
    ],
  };
  assert.equal(
    faultOf(schema),
    '$.fields[1].type: no type has the name "shop.Status" — did you mean "other.Status"?',
  );
});

Deno.test("of text that is not JSON the line is named", () => {
  const faults: [string, string][] = [
    ["", "line 1 is not JSON: it ends too early"],
    ['{\n  "type": "record",\n  "name": }', "line 3 is not JSON: } is unexpected"],
    ['{\n"type": "int",\n}', "line 3 is not JSON: } is unexpected"],
    ['["int"\n"long"]', 'line 2 is not JSON: "long" is unexpected'],
    ['{"type": "int"}\nx', "line 2 is not JSON: x is unexpected"],
    ["\n\n'int'", "line 3 is not JSON: ' is unexpected"],
    ['{"type":\n"int"', "line 2 is not JSON: it ends too early"],
    ["string", "line 1 is not JSON: s is unexpected"],
  ];
  for (const [text, fault] of faults) assert.equal(faultOf(text), fault);
});

Deno.test("text is JSON for the search of its faults exactly when it is for JSON.parse", () => {
  const random = new Random(4);
  const text = '{"a": [1, -2.5e3, {"b": null}, []], "c\\"\\u00e9": true, "d": {}, "e": "\\\\"}\n';
  assert.equal(jsonFault(text), null);
  const pieces = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "0",
    "-",
    "e",
    ".",
    "\\",
    " ",
    "\n",
    "\t",
    "t",
  ];
  for (let i = 0; i < 20000; i++) {
    const at = random.int(0, text.length), piece = pieces[random.int(0, pieces.length - 1)];
    const changed = text.slice(0, at) + piece + text.slice(at + random.int(0, 2));
    let valid = true;
    try {
      JSON.parse(changed);
    } catch {
      valid = false;
    }
    assert.equal(jsonFault(changed) === null, valid, changed);
  }
});

Deno.test("schemas nested without end are an error, not a crash", () => {
  const deep = "$: more than 500 types within each other";
  const nested = (depth: number) =>
    '{"type":"array","items":'.repeat(depth) + '"int"' + "}".repeat(depth);
  assert.equal(faultOf(nested(400)), "");
  assert.ok(faultOf(nested(600)).endsWith("more than 500 types within each other"));
  assert.equal(faultOf(nested(100000)), deep);
  // Each record names the one before it.
  const chain = Array.from(
    { length: 2000 },
    (_, i) => record(`R${i}`, { a: i ? `R${i - 1}` : "int" }),
  );
  assert.ok(faultOf(chain).endsWith("more than 500 types within each other"));
});

Deno.test("names are looked up in the namespace around them, then as they are", () => {
  const schema = {
    type: "record",
    name: "Outer",
    namespace: "a.b",
    fields: [
      { name: "x", type: { type: "fixed", name: "F", size: 1 } },
      { name: "y", type: "F" },
      { name: "z", type: "a.b.F" },
      {
        name: "inner",
        type: {
          type: "record",
          name: "c.Inner",
          fields: [{ name: "f", type: { type: "fixed", name: "F", size: 2 } }, {
            name: "g",
            type: "F",
          }],
        },
      },
      { name: "w", type: ["null", "c.F"] },
    ],
  };
  const rows = rowsOf(schema, ["y"], ["z"], ["inner", "g"], ["w"]);
  assert.equal(rows.one(of([1, 2, 3, 4, 5, 6, 7, 2, 8, 9])), "\\x02,\\x03,\\x0607,\\x0809");
});

Deno.test("types of references are known, those of one that another needs, too", () => {
  const money = record("shop.Money", { units: "long", currency: "string" });
  const line = record("shop.Line", { price: "Money", count: "int" });
  const order = JSON.stringify(record("shop.Order", { line: "Line", total: "shop.Money" }));
  assert.equal(faultOf(order), '$.fields[0].type: no type has the name "shop.Line"');
  const schema = parseAvroSchema(order, [JSON.stringify(money), JSON.stringify(line)]);
  assert.ok(hasAvroPath(schema, path("line", "price", "currency")));
  // A reference that is repeated inside of another one the same way is not a second definition.
  assert.equal(faultOf(record("R", { m: money }), [money]), "");
  const other = record("shop.Money", { units: "int" });
  assert.equal(
    faultOf(record("R", { m: other }), [money]),
    '$.fields[0].type: the type "shop.Money" is defined twice',
  );
  assert.equal(faultOf("{", [money]), "line 1 is not JSON: it ends too early");
  assert.equal(faultOf(order, ["{"]), "reference 1: line 1 is not JSON: it ends too early");
});

Deno.test("a logical type that its type cannot have is ignored", () => {
  const plain: [unknown, number[], string][] = [
    [{ type: "string", logicalType: "date" }, string("s"), "s"],
    [{ type: "int", logicalType: "timestamp-millis" }, long(5), "5"],
    [{ type: "int", logicalType: "constructor" }, long(5), "5"],
    [{ type: "bytes", logicalType: "decimal" }, [2, 7], "\\x07"],
    [{ type: "bytes", logicalType: "decimal", precision: 2, scale: 3 }, [2, 7], "\\x07"],
    [{ type: "bytes", logicalType: "decimal", precision: 0 }, [2, 7], "\\x07"],
    [{ type: "fixed", name: "F", size: 2, logicalType: "uuid" }, [1, 2], "\\x0102"],
    [{ type: "fixed", name: "F", size: 2, logicalType: "duration" }, [1, 2], "\\x0102"],
  ];
  for (const [schema, value, text] of plain) assert.equal(rowsOf(schema, []).one(of(value)), text);
});

Deno.test("a type may be an object around its name, and aliases and defaults are ignored", () => {
  const schema = {
    type: "record",
    name: "R",
    aliases: ["Q"],
    "connect.name": "x",
    fields: [
      { name: "a", type: { type: { type: "int" } }, default: 7, aliases: ["b"], order: "ignore" },
      { name: "c", type: { type: ["null", "string"] }, doc: "text" },
    ],
  };
  assert.equal(rowsOf(schema, ["a"], ["c"], ["b"]).one(of(long(3), [0])), "3,,");
});

Deno.test("a path that no version has is found, with the name that is near", () => {
  const one = parseAvroSchema(JSON.stringify(record("O", { id: "long", amount: "double" })));
  const two = parseAvroSchema(JSON.stringify(record("O", {
    id: "long",
    customer: ["null", record("C", { name: "string", city: "string" })],
    lines: { type: "array", items: record("L", { sku: "string" }) },
    attributes: { type: "map", values: "string" },
  })));
  const has = [
    path(),
    path("id"),
    path("amount"),
    path("customer", "city"),
    path("lines", 9, "sku"),
  ];
  has.push(path("attributes", "any"));
  assert.deepEqual(missingAvroPaths([one, two], has), []);
  const hints: [Path, string][] = [
    [path("amout"), ' — did you mean "amount"?'],
    [path("customer", "nme"), ' — did you mean "name"?'],
    [path("customer", "zzzzzz"), " — it has name, city"],
    [path("lines", "sku"), ""],
    [path("lines", 0, "skv"), ' — did you mean "sku"?'],
    [path("id", "x"), ""],
    [path("attributes", 0), ""],
    [path(0), " — it has id, amount, customer, lines, attributes"],
  ];
  assert.deepEqual(
    missingAvroPaths([one, two], [...has, ...hints.map(([path]) => path)]),
    hints.map(([path, hint]) => ({ path, hint })),
  );
});

Deno.test("a path through a recursive union is looked up in bounded time", () => {
  const schema = parseAvroSchema(JSON.stringify(
    record("A", { n: ["null", "A", record("B", { n: ["null", "A", "B"] })] }),
  ));
  const long = path(...new Array(900).fill("n"));
  const add = () => addAvro(new ProgramWriter(), { byId: new Map(), bare: schema }, [long], 0);
  assert.throws(add, { name: "SchemaError", message: "$: the paths lead to too many places" });
  assert.ok(hasAvroPath(schema, long));
  assert.ok(!hasAvroPath(schema, path(...new Array(900).fill("n"), "x")));
});

Deno.test("every path of a random schema is one that it has", () => {
  for (let seed = 1; seed < 200; seed++) {
    const avro = new RandomAvro(new Random(seed));
    const schema = parseAvroSchema(JSON.stringify(avro.record()));
    for (let i = 0; i < 10; i++) assert.ok(hasAvroPath(schema, path(...avro.path(schema))));
  }
});
