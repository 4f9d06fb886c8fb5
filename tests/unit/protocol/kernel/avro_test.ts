import assert from "node:assert/strict";
import { Stop } from "../../../../lib/protocol/kernel/kernel.ts";
import {
  array,
  block,
  bytes,
  double,
  long,
  map,
  of,
  record,
  string,
} from "../../records/avro_encode.ts";
import { AvroRows, framed, rowsOf } from "../../records/avro_rows.ts";

const cut = "ends inside its Avro value";
const order = record("Order", {
  id: "long",
  name: "string",
  tags: { type: "array", items: "string" },
  prices: { type: "map", values: "double" },
  note: ["null", "string"],
});
const rest = [[0], [0], [0]];

Deno.test("lengths and counts that are negative or wild are bad records, at their byte", () => {
  const rows = rowsOf(order, ["id"], ["name"], ["tags"], ["prices"], ["note"]);
  const long1 = long(1);
  const wrong = (value: Uint8Array) => {
    const { reason, badAt, badSlot, emitted } = rows.run([value]);
    assert.equal(emitted, 0);
    return [reason, badAt, badSlot];
  };
  const negative = "has a length that is negative or reaches past its end";
  const name = string("n");
  assert.deepEqual(wrong(of(long1, long(-1), ...rest)), [negative, 1, 1]);
  assert.deepEqual(wrong(of(long1, long(2 ** 40), ...rest)), [cut, 1, 1]);
  assert.deepEqual(wrong(of(long1, long(-(2n ** 63n)), ...rest)), [negative, 1, 1]);
  assert.deepEqual(wrong(of(long1, long(2n ** 63n - 1n), ...rest)), [cut, 1, 1]);
  assert.deepEqual(wrong(of(long1, name, long(2n ** 63n - 1n))), [cut, 13, -1]);
  assert.deepEqual(wrong(of(long1, name, long(2 ** 31))), [cut, 8, -1]);
  assert.deepEqual(wrong(of(long1, name, long(-(2n ** 63n)), long(0)))[0], cut);
  assert.deepEqual(wrong(of(long1, name, long(-3), long(-1)))[0], negative);
  assert.deepEqual(wrong(of(long1, name, long(-3), long(2 ** 40)))[0], cut);
  assert.deepEqual(wrong(of(long1, name, [0], long(2 ** 50)))[0], cut);
  const branch = "has a branch that the Avro union does not have";
  assert.deepEqual(wrong(of(long1, name, [0], [0], long(2))), [branch, 5, -1]);
  assert.deepEqual(wrong(of(long1, name, [0], [0], long(-1))), [branch, 5, -1]);
});

Deno.test("a number of more bits than its type is a bad record; zeros before its end are not", () => {
  const tooLong = "[has a number of more bits than its Avro type]";
  const rows = rowsOf("long", []);
  assert.equal(rows.one(of(new Array(9).fill(0x80), [0])), "0");
  assert.equal(rows.one(of(new Array(9).fill(0xff), [1])), String(-(2n ** 63n)));
  assert.equal(rows.one(of(new Array(9).fill(0xff), [2])), tooLong);
  assert.equal(rows.one(of(new Array(10).fill(0x80), [0])), tooLong);
  assert.equal(rows.one(of(new Array(500).fill(0xff))), tooLong);
  assert.equal(rows.one(of(new Array(9).fill(0xff))), `[${cut}]`);
  const int = rowsOf("int", []);
  assert.equal(int.one(of(long(2 ** 31 - 1))), "2147483647");
  assert.equal(int.one(of(long(2 ** 31))), tooLong);
  assert.equal(int.one(of(long(-(2 ** 31)))), "-2147483648");
  assert.equal(int.one(of(long(-(2 ** 31) - 1))), tooLong);
});

Deno.test("an enum's and a boolean's values are those that the schema has", () => {
  const symbols = rowsOf({ type: "enum", name: "E", symbols: ["A", "B"] }, []);
  assert.equal(symbols.one(of(long(1))), "B");
  for (const index of [2, -1, 2 ** 40]) {
    assert.equal(symbols.one(of(long(index))), "[has a symbol that the Avro enum does not have]");
  }
  assert.equal(rowsOf("boolean", []).one(of([2])), "[has a boolean that is not 0 or 1]");
});

Deno.test("text that no field can hold is a bad record, also inside JSON", () => {
  for (const schema of ["string", ["null", "string", "int"], record("R", { s: "string" })]) {
    const rows = rowsOf(schema, []);
    const before = Array.isArray(schema) ? long(1) : [];
    assert.equal(rows.one(of(before, bytes(97, 0))), "[holds a NUL byte]");
    for (
      const wrong of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82], [
        0xf4,
        0x90,
        0x80,
        0x80,
      ]]
    ) {
      assert.equal(rows.one(of(before, bytes(97, ...wrong))), "[is not UTF-8]");
    }
  }
  const keys = rowsOf({ type: "map", values: "int" }, []);
  assert.equal(keys.one(of(long(1), bytes(0xff), long(1), [0])), "[is not UTF-8]");
});

Deno.test("what is not wanted is skipped, whatever its type is, and blocks by their sizes", () => {
  const inner = record("In", { a: "string", b: ["null", "In"], c: { type: "array", items: "In" } });
  const schema = record("R", {
    first: "int",
    pair: record("P", { x: "double", y: "float", z: "boolean" }),
    tree: inner,
    many: { type: "map", values: { type: "array", items: ["null", "string", "P"] } },
    none: { type: "array", items: "null" },
    last: "string",
  });
  const rows = rowsOf(schema, ["last"]);
  const leaf = [...string("leaf"), 0, 0];
  const tree = [...string("t"), ...long(1), ...leaf, ...array(leaf, leaf)];
  const pair = new Array(13).fill(0);
  const many = map({ k: array([0], [2, ...string("s")], [4, ...pair]), l: [0] });
  const value = of(long(5), pair, tree, many, long(900000), [0], string("end"));
  assert.equal(rows.one(value), "end");
  for (let size = 0; size < value.length; size++) {
    assert.equal(rows.one(value.subarray(0, size)), `[${cut}]`);
  }
  const sized = block([leaf, leaf], true);
  const alike = of(long(5), pair, string("t"), [0], sized, [0], [0], [0], string("end"));
  assert.equal(rows.one(alike), "end");
});

Deno.test("elements are counted over blocks, with and without sizes", () => {
  const rows = rowsOf({ type: "array", items: "string" }, [0], [2], [3], [5], [6]);
  const texts = ["a", "b", "c", "d", "e", "f"].map(string);
  const expected = "a,c,d,f,";
  for (const sizes of [[6], [1, 5], [2, 2, 2], [3, 3], [5, 1]]) {
    for (const sized of [true, false]) {
      let at = 0;
      const blocks = sizes.flatMap((size) => block(texts.slice(at, at += size), sized));
      assert.equal(rows.one(of(blocks, [0])), expected);
    }
  }
  // Nothing of the first two blocks is wanted: they are stepped over by their sizes.
  const later = rowsOf({ type: "array", items: "string" }, [5]);
  const blocks = [[0, 2], [2, 4], [4, 6]].map(([from, to]) => block(texts.slice(from, to), true));
  assert.equal(later.one(of(...blocks, [0])), "f");
});

Deno.test("a block whose items do not fill it is a bad record where they are read", () => {
  const wrong = "[has an array or map whose block is not as long as it says]";
  const rows = rowsOf({ type: "array", items: "int" }, [0]);
  assert.equal(rows.one(of(long(-2), long(3), [2, 4, 6], [0])), wrong);
  assert.equal(rows.one(of(long(-2), long(1), [2, 4], [0])), wrong);
  assert.equal(rows.one(of(long(-(2n ** 63n)), long(1), [2], [0])).startsWith("["), true);
  const all = rowsOf({ type: "array", items: "int" }, []);
  assert.equal(all.one(of(long(-2), long(3), [2, 4, 6], [0])), wrong);
});

Deno.test("of a map's equal keys the last one counts, with nothing of the first", () => {
  const schema = { type: "map", values: record("V", { a: ["null", "int"], b: ["null", "int"] }) };
  const rows = rowsOf(schema, ["k", "a"], ["k", "b"], ["k"], ["l", "a"]);
  const one = [...string("k"), ...long(1), ...long(5), ...long(1), ...long(6)];
  const two = [...string("k"), 0, ...long(1), ...long(7)];
  assert.equal(rows.one(of(block([one, two]), [0])), ',7,"{""a"":null,""b"":7}",');
});

Deno.test("recursion is followed 1,000 deep, and deeper is a bad record", () => {
  const schema = record("List", { value: "int", next: ["null", "List"] });
  const list = (depth: number) => {
    const bytes = new Uint8Array(2 * depth + 2).fill(2);
    bytes[2 * depth + 1] = 0;
    return bytes;
  };
  const deep = "[is nested more than 1,000 deep]";
  const first = rowsOf(schema, ["value"]);
  assert.equal(first.one(list(1000)), "1");
  assert.equal(first.one(list(1001)), deep);
  assert.equal(first.one(list(100000)), deep);
  const whole = rowsOf(schema, ["next"]);
  const json = whole.one(list(900));
  assert.equal(JSON.parse(json.slice(1, -1).replaceAll('""', '"')).next.value, 1);
  assert.equal(whole.one(list(100000)), deep);
  const nested = rowsOf(record("T", { t: { type: "array", items: "T" } }), []);
  assert.equal(nested.one(of(new Array(50000).fill(2))).startsWith("["), true);
});

Deno.test("a record that holds itself without end has no values", () => {
  assert.equal(rowsOf(record("A", { a: "A" }), []).one(of()), "[is nested more than 1,000 deep]");
  assert.equal(rowsOf(record("A", { a: "A" }), ["a", "a"]).one(of()).startsWith("["), true);
});

Deno.test("arrays of items without bytes are bounded", () => {
  const tooMany = "[has an array of more than 1,000,000 items without bytes]";
  const schema = { type: "array", items: { type: "array", items: "null" } };
  const rows = rowsOf(schema, [], [0, 3]);
  assert.equal(rows.one(of(array(array(), [...long(2), 0]))), '"[[],[null,null]]",');
  const started = performance.now();
  assert.equal(rows.one(of(array([...long(2n ** 62n), 0]))), tooMany);
  assert.equal(rows.one(of(array([...long(-(2n ** 62n)), 0, 0]))), tooMany);
  const many = Array.from({ length: 5000 }, () => [...long(1000000), 0]);
  const roomy = new AvroRows(new Map([[null, JSON.stringify(schema)]]), [[]], 1 << 26);
  assert.equal(roomy.one(of(array(...many))), tooMany);
  assert.ok(performance.now() - started < 5000);
});

Deno.test("a field's JSON that has no room stops the batch before its record", () => {
  const names = Array.from({ length: 50 }, (_, i) => [`a long name of a field ${i}`, "int"]);
  const schema = record("Wide", Object.fromEntries(names));
  const value = of(new Array(50).fill(2));
  const schemas = new Map([[null, JSON.stringify(schema)]]);
  const large = new AvroRows(schemas, [[]]).run([value, value, value]);
  assert.equal(large.emitted, 3);
  const row = large.rows.length / 3;
  for (const room of [10, 500, Math.floor(row), Math.floor(2.5 * row)]) {
    const { stop, emitted, rows } = new AvroRows(schemas, [[]], room).run([value, value, value]);
    assert.equal(stop, Stop.enough);
    assert.equal(rows, large.rows.slice(0, emitted * row));
    assert.ok(emitted <= room / row);
  }
  const text = rowsOf({ type: "array", items: "string" }, []);
  assert.ok(text.one(of(array(string("\u0001".repeat(100000))))).startsWith('"[""\\u0001\\u0001'));
});

Deno.test("of a schema of 1,000 fields the first, the last and a few between are found", () => {
  const kinds = ["int", "string", "double", ["null", "string"], "boolean"];
  const fields = Object.fromEntries(
    Array.from({ length: 1000 }, (_, i) => [`field_${i}`, kinds[i % kinds.length]]),
  );
  const values = Array.from({ length: 1000 }, (_, i) => {
    return [long(i), string(`text ${i}`), double(i / 4), [0], [i & 1]][i % 5];
  });
  const wanted = [0, 999, 501, 777, 13];
  const rows = rowsOf(record("Wide", fields), ...wanted.map((i) => [`field_${i}`]));
  assert.equal(rows.one(of(...values)), "0,true,text 501,194.25,");
  assert.equal(rows.one(of(...values.slice(0, -1))), `[${cut}]`);
  const all = rowsOf(
    record("Wide", fields),
    ...Array.from({ length: 1000 }, (_, i) => [`field_${i}`]),
  );
  assert.equal(all.one(of(...values)).split(",").length, 1000);
});

Deno.test("50 versions of a schema in one batch are read each by its own", () => {
  const schemas = new Map<number, string>();
  const values: Uint8Array[] = [];
  const expected: string[] = [];
  for (let version = 1; version <= 50; version++) {
    // Each version has one field more before the id, and an amount of another type.
    const more = Array.from({ length: version }, (_, i) => [`extra_${i}`, "string"]);
    const amount = ["int", "double", "string", ["null", "long"]][version % 4];
    const schema = record("V", { ...Object.fromEntries(more), id: "long", amount });
    schemas.set(version * 7, JSON.stringify(schema));
  }
  for (let i = 0; i < 2000; i++) {
    const version = i * 31 % 50 + 1;
    const more = new Array(version).fill(string("x"));
    const amount = [long(i), double(i + 0.5), string(`n${i}`), i % 3 ? [2, ...long(i)] : [0]];
    values.push(framed(version * 7, of(...more, long(i), amount[version % 4])));
    const text = [`${i}`, `${i + 0.5}`, `n${i}`, i % 3 ? `${i}` : ""][version % 4];
    expected.push(`${i},${text},${version > 20 ? "x" : ""}`);
  }
  const outcome = new AvroRows(schemas, [["id"], ["amount"], ["extra_20"]]).run(values);
  assert.equal(outcome.stop, Stop.done);
  assert.deepEqual(outcome.rows.trimEnd().split("\n"), expected);
});
