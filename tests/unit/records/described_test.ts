import assert from "node:assert/strict";
import { parseAvroSchema } from "../../../lib/records/avro_schema.ts";
import { describeAvro } from "../../../lib/records/avro_described.ts";
import { type Leaf, leavesOf } from "../../../lib/records/described.ts";
import { JsonSample } from "../../../lib/records/json_sample.ts";
import { describeProtobufFile } from "../../../lib/records/protobuf_described.ts";
import { record } from "./avro_encode.ts";

const short = (leaves: Leaf[] | null) =>
  leaves?.map(({ steps, type, notNull }) =>
    `${steps.join(".") || "."} ${type}${notNull ? " NOT NULL" : ""}`
  );

const avro = (schema: unknown) => describeAvro(parseAvroSchema(JSON.stringify(schema)));
const fields = (all: Record<string, unknown>, name = "R") => avro(record(name, all));

Deno.test("described: each Avro type is the column's type that its values fit", () => {
  const logical = (type: string, logicalType: string, more = {}) => ({
    type,
    logicalType,
    ...more,
  });
  const types: [unknown, string][] = [
    ["boolean", "boolean NOT NULL"],
    ["int", "integer NOT NULL"],
    ["long", "bigint NOT NULL"],
    ["float", "real NOT NULL"],
    ["double", "double precision NOT NULL"],
    ["bytes", "bytea NOT NULL"],
    ["string", "text NOT NULL"],
    ["null", "text"],
    [["null", "long"], "bigint"],
    [["long", "null"], "bigint"],
    [["long"], "jsonb NOT NULL"],
    [["null", "long", "string"], "jsonb"],
    [["long", "string"], "jsonb NOT NULL"],
    [{ type: "enum", name: "E", symbols: ["A"] }, "text NOT NULL"],
    [{ type: "fixed", name: "F", size: 2 }, "bytea NOT NULL"],
    [{ type: "array", items: "int" }, "jsonb NOT NULL"],
    [{ type: "map", values: "int" }, "jsonb NOT NULL"],
    [logical("int", "date"), "date NOT NULL"],
    [logical("long", "time-micros"), "time NOT NULL"],
    [logical("long", "timestamp-nanos"), "timestamptz NOT NULL"],
    [logical("long", "local-timestamp-millis"), "timestamp NOT NULL"],
    [logical("string", "uuid"), "uuid NOT NULL"],
    [logical("bytes", "decimal", { precision: 9, scale: 2 }), "numeric(9,2) NOT NULL"],
    [logical("bytes", "decimal", { precision: 1001, scale: 2 }), "numeric NOT NULL"],
    [logical("bytes", "big-decimal"), "numeric NOT NULL"],
    [logical("int", "timestamp-millis"), "integer NOT NULL"],
  ];
  for (const [type, expected] of types) {
    assert.deepEqual(
      short(leavesOf([fields({ a: type })])),
      [`a ${expected}`],
      JSON.stringify(type),
    );
  }
  assert.deepEqual(short(leavesOf([avro("string")])), [". text NOT NULL"]);
});

Deno.test("described: objects become columns down to three names; what holds itself, and what is deeper, is JSON", () => {
  const deep = record("A", {
    b: record("B", { c: record("C", { d: "int" }), e: ["null", "int"] }),
  });
  assert.deepEqual(short(leavesOf([fields({ a: ["null", deep] })])), [
    "a.b.c jsonb",
    "a.b.e integer",
  ]);
  const tree = record("Tree", { n: "int", left: ["null", "Tree"] });
  assert.deepEqual(short(leavesOf([fields({ t: tree })])), [
    "t.n integer NOT NULL",
    "t.left jsonb",
  ]);
  // Fewer levels, where all of them were too many columns.
  const many = (name: string) =>
    Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`${name}${i}`, "int"]));
  const wide = (name: string) => record(name, many(name));
  assert.deepEqual(
    short(leavesOf([fields({ a: wide("A"), b: wide("B"), c: "int" })])),
    ["a jsonb NOT NULL", "b jsonb NOT NULL", "c integer NOT NULL"],
  );
  assert.equal(leavesOf([fields({ ...many("a"), ...many("b") })]), null);
});

Deno.test("described: a column fits the values of each version, and is NOT NULL only if all are", () => {
  const join = (...versions: Record<string, unknown>[]) =>
    short(leavesOf(versions.map((v) => fields(v))));
  const cases: [unknown, unknown, string][] = [
    ["long", "int", "bigint NOT NULL"],
    ["int", "long", "bigint NOT NULL"],
    ["long", ["null", "long"], "bigint"],
    ["double", "long", "double precision NOT NULL"],
    ["string", "long", "text NOT NULL"],
    ["string", "bytes", "text NOT NULL"],
    [{ type: "map", values: "int" }, { type: "array", items: "int" }, "jsonb NOT NULL"],
  ];
  for (const [newest, older, expected] of cases) {
    assert.deepEqual(join({ a: newest }, { a: older }), [`a ${expected}`]);
  }
  const decimal = (scale: number) => ({
    type: "bytes",
    logicalType: "decimal",
    precision: 9,
    scale,
  });
  assert.deepEqual(join({ a: decimal(2) }, { a: decimal(3) }), ["a numeric NOT NULL"]);
  assert.deepEqual(join({ a: decimal(2) }, { a: "int" }), ["a numeric NOT NULL"]);
  assert.deepEqual(join({ a: "int", b: "int" }, { a: "int" }), ["a integer NOT NULL", "b integer"]);
  assert.deepEqual(join({ a: record("A", { b: "int" }) }, { a: "string" }), ["a.b integer"]);
  assert.deepEqual(join({ a: "string" }, { a: record("A", { b: "int" }) }), ["a text NOT NULL"]);
});

Deno.test("described: of Protobuf proto2's required and optional, groups, comments and editions", () => {
  const of = (text: string, message: string | null = null) => {
    const { name, value } = describeProtobufFile({ text }, message);
    return { name, leaves: leavesOf([value])! };
  };
  const old = of(`syntax = "proto2"; message M {
    required int32 a = 1; /* the first */
    optional int32 b = 2 [default = 7];
    repeated group Item = 3 { required string sku = 1; }
    optional group One = 4 { optional fixed64 n = 1; }
    // Is it
    // well known?
    optional bool yes = 5;
  }`);
  assert.deepEqual(short(old.leaves), [
    "a integer NOT NULL",
    "b integer",
    "item jsonb NOT NULL",
    "one.n numeric",
    "yes boolean",
  ]);
  assert.deepEqual(old.leaves.map(({ comment }) => comment), [
    "the first",
    "Protobuf int32",
    "Protobuf repeated M.Item",
    "Protobuf fixed64",
    "Is it\nwell known?",
  ]);
  const edition = of(`edition = "2023"; message M {
    int32 a = 1; int32 b = 2 [features.field_presence = IMPLICIT];
    int32 c = 3 [features.field_presence = LEGACY_REQUIRED]; }`);
  assert.deepEqual(short(edition.leaves), [
    "a integer",
    "b integer NOT NULL",
    "c integer NOT NULL",
  ]);
  const two = `syntax = "proto3"; message A { message In { int32 x = 1; } In i = 1; }
    message B { A a = 1; }`;
  assert.equal(of(two).name, "B");
  assert.deepEqual(short(of(two, "In").leaves), ["x integer NOT NULL"]);
  assert.throws(() => of('syntax = "proto3"; message A { A a = 1; }'), /--message NAME/);
});

/** What a sample of these values has, by the texts of JSON. */
function sampled(...values: string[]): string[] {
  const sample = new JsonSample();
  for (const value of values) sample.add(value);
  return short(leavesOf([sample.describe()]))!;
}

Deno.test("described: of JSON the types that all of its values fit", () => {
  const of = (...values: string[]) =>
    sampled(...values.map((value) => `{"a": ${value}}`))[0].slice(2);
  const cases: [string[], string][] = [
    [["true", "null"], "boolean"],
    [["1", "-9223372036854775808"], "bigint"],
    [["1", "9223372036854775808"], "numeric"],
    [["1", "1.0"], "numeric"],
    [["1e5"], "numeric"],
    [["1e999999"], "text"],
    [["1", '"1"'], "text"],
    [["1", "true"], "text"],
    [["null"], "text"],
    [["{}", "[1]"], "jsonb"],
    [["[]", "null"], "jsonb"],
    [["{}", "1"], "text"],
    [['"2026-01-31"', "null"], "date"],
    [['"2026-02-29"'], "text"],
    [['"2024-02-29"'], "date"],
    [['"2000-02-29"', '"1900-02-28"'], "date"],
    [['"1900-02-29"'], "text"],
    [['"0000-01-01"'], "text"],
    [['"2026-01-31T12:00:00Z"', '"2026-01-31 12:00+02"'], "timestamptz"],
    [['"2026-01-31T12:00:00.123456789-05:30"'], "timestamptz"],
    [['"2026-01-31T12:00:00"'], "timestamp"],
    [['"2026-01-31T12:00:00Z"', '"2026-01-31T12:00:00"'], "text"],
    [['"2026-01-31T12:00:00Z"', '"2026-01-31"'], "text"],
    [['"2026-01-31T24:00:00Z"'], "text"],
    [['"2026-01-31T12:00:00Z"', '""'], "text"],
    [['"20260131"'], "text"],
  ];
  for (const [values, expected] of cases) assert.equal(of(...values), expected, values.join());
});

Deno.test("described: objects of JSON are columns, unless they have too many names, or are not always objects", () => {
  assert.deepEqual(sampled('{"a": {"b": 1}}', '{"a": null}', '{"a": {"c": {"d": {"e": 1}}}}'), [
    "a.b bigint",
    "a.c.d jsonb",
  ]);
  assert.deepEqual(sampled('{"a": {"b": 1}}', '{"a": [1]}'), ["a jsonb"]);
  assert.deepEqual(sampled('{"a": {"b": 1}}', '{"a": 1}'), ["a text"]);
  const maps = Array.from({ length: 51 }, (_, i) => `{"m": {"k${i}": 1}}`);
  assert.deepEqual(sampled(...maps), ["m jsonb"]);
  assert.equal(sampled(...maps.slice(1)).length, 50);
  assert.deepEqual(sampled("[1]", "[2]"), [". jsonb"]);
  assert.deepEqual(sampled("1", "2"), [". bigint"]);
  assert.deepEqual(sampled("some text", "2"), [". text"]);
  assert.deepEqual(sampled('{"__proto__": 1, "constructor": "x", "toString": null}'), [
    "__proto__ bigint",
    "constructor text",
    "toString text",
  ]);
});

Deno.test("described: JSON nested as deep as a value can be is read", () => {
  const deep = `{"a": 1, "b": ${"[".repeat(50_000)}${"]".repeat(50_000)}}`;
  assert.deepEqual(sampled(deep), ["a numeric", "b jsonb"]);
});

Deno.test("described: a wide schema of many versions costs little", () => {
  const names = Array.from({ length: 200 }, (_, i) => `R${i}`);
  const all = names.map((name) => record(name, Object.fromEntries(names.map((n) => [n, "int"]))));
  const one = avro(record("Top", Object.fromEntries(all.map((r, i) => [`f${i}`, r]))));
  const leaves = leavesOf([one, one, one])!;
  assert.equal(leaves.length, 200);
  const flat = fields(Object.fromEntries(Array.from({ length: 1600 }, (_, i) => [`f${i}`, "int"])));
  assert.equal(leavesOf(Array.from({ length: 100 }, () => flat))!.length, 1600);
  assert.ok(leaves.every(({ type }) => type === "jsonb"));
});
