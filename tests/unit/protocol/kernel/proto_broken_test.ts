import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Field,
  type Outcome,
  ProtobufRows,
  readSuites,
  unhex,
} from "../../records/protobuf_rows.ts";
import { concat } from "./records.ts";

const suites = readSuites();

/** Fields of a value that must be a row. */
function fieldsOf(outcome: Outcome): Field[] {
  assert.ok(outcome !== "no room" && "fields" in outcome, JSON.stringify(outcome));
  return outcome.fields;
}

/** The reason of a value that must not be one. */
function reasonOf(outcome: Outcome): string {
  assert.ok(outcome !== "no room" && "reason" in outcome, JSON.stringify(outcome).slice(0, 300));
  return outcome.reason;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push(value % 128 | 128);
  return [...bytes, value];
}

/** A field with a length: its number and bytes. */
function sized(number: number, ...parts: Uint8Array[]): Uint8Array {
  const body = concat(parts);
  return concat([Uint8Array.from([...varint(number * 8 + 2), ...varint(body.length)]), body]);
}

const bytes = (...values: number[]) => Uint8Array.from(values);
const text = (value: string) => new TextEncoder().encode(value);
const proto3 = 'syntax = "proto3";';

for (const { proto, message, paths, cases } of suites) {
  test(`${message}: no byte after a value counts, whatever the value is`, () => {
    const rows = new ProtobufRows(proto, message, paths);
    const whole = cases.filter(({ mutated, hex }) =>
      !mutated && hex.length > 20 && hex.length < 800
    );
    assert.ok(whole.length > 0);
    let accepted = 0, rejected = 0;
    const check = (value: Uint8Array) => {
      const outcome = rows.one(value);
      assert.deepEqual(rows.one(value, 0xff), outcome);
      if (outcome !== "no room" && "fields" in outcome) {
        assert.equal(outcome.fields.length, paths.length);
        accepted++;
      } else rejected++;
    };
    for (const { hex } of whole.slice(0, 2)) {
      const value = unhex(hex);
      for (let end = 0; end < value.length; end++) check(value.slice(0, end));
      for (let bit = 0; bit < 8 * value.length; bit++) {
        const bent = value.slice();
        bent[bit >> 3] ^= 1 << (bit & 7);
        check(bent);
      }
      for (let at = 0; at < value.length; at++) {
        // A length or number of 2^32 - 1, of 2^63, and one that never ends.
        for (
          const wild of [
            [0xff, 0xff, 0xff, 0xff, 0x0f],
            [...Array(9).fill(0x80), 1],
            Array(11).fill(0xff),
          ]
        ) {
          check(concat([value.subarray(0, at), Uint8Array.from(wild), value.subarray(at + 1)]));
        }
      }
    }
    assert.ok(accepted > 0 && rejected > 0, `${accepted} rows, ${rejected} not`);
  });
}

test("a row that has no room is written as soon as it has", () => {
  const { proto, message, paths, cases } = suites.find(({ message }) => message === "shop.Order")!;
  const rows = new ProtobufRows(proto, message, paths);
  for (const { hex, row } of cases.filter(({ row }) => Array.isArray(row)).slice(0, 10)) {
    const value = unhex(hex);
    const whole = fieldsOf(rows.one(value));
    let without = 0;
    for (let room = 0; room < 4000; room += 37) {
      const outcome = rows.one(value, 0, room);
      if (outcome === "no room") without++;
      else assert.deepEqual(fieldsOf(outcome), whole, `${room} bytes of ${JSON.stringify(row)}`);
    }
    assert.ok(without > 0);
  }
});

test("a message of 1,000 fields becomes columns and JSON", () => {
  const fields = Array.from({ length: 1000 }, (_, i) => `int32 f${i} = ${i * 7 + 1};`);
  const paths = [[], ...Array.from({ length: 1000 }, (_, i) => [`f${i}`])];
  const rows = new ProtobufRows(`${proto3} message Wide { ${fields.join("\n")} }`, "Wide", paths);
  const value = Array.from(
    { length: 1000 },
    (_, i) => [...varint((i * 7 + 1) * 8), ...varint(i + 1)],
  );
  const [whole, ...columns] = fieldsOf(rows.one(Uint8Array.from(value.flat())));
  assert.deepEqual(columns, Array.from({ length: 1000 }, (_, i) => String(i + 1)));
  assert.deepEqual(
    Object.values(JSON.parse(whole!)),
    Array.from({ length: 1000 }, (_, i) => i + 1),
  );
  // In any order of the wire.
  const [turned] = fieldsOf(rows.one(Uint8Array.from(value.reverse().flat())));
  assert.equal(turned, whole);
  assert.deepEqual(fieldsOf(rows.one(bytes())), ["{}", ...Array(1000).fill("0")]);
});

test("messages inside each other are followed 100 deep, and no deeper", () => {
  const rows = new ProtobufRows("shop/order.proto", "shop.Tree", [["left"], [
    "left",
    "left",
    "name",
  ]]);
  const nested = (depth: number) => {
    let value = sized(1, text("x"));
    for (let i = 0; i < depth; i++) value = sized(2, value);
    return value;
  };
  assert.match(fieldsOf(rows.one(nested(100)))[0]!, /^(\{"left":){99}\{"name":"x"\}{100}$/);
  assert.match(reasonOf(rows.one(nested(102))), /more than 100 deep/);
  assert.match(reasonOf(rows.one(nested(3000))), /more than 100 deep/);
});

test("groups inside each other are skipped 100 deep, and no deeper", () => {
  const rows = new ProtobufRows(`${proto3} message A { int32 a = 1; }`, "A", [["a"]]);
  const groups = (depth: number) => {
    const start = new Uint8Array(depth).fill(0x13), end = new Uint8Array(depth).fill(0x14);
    return concat([start, bytes(8, 7), end, bytes(8, 5)]);
  };
  assert.deepEqual(fieldsOf(rows.one(groups(100))), ["5"]);
  assert.match(reasonOf(rows.one(groups(101))), /more than 100 deep/);
  assert.match(reasonOf(rows.one(groups(100_000))), /more than 100 deep/);
  assert.match(reasonOf(rows.one(bytes(0x13, 0x1c))), /a group ends that did not begin/);
  assert.match(reasonOf(rows.one(bytes(0x14))), /a group ends that did not begin/);
  assert.match(reasonOf(rows.one(bytes(0x13, 8, 1))), /ends within a field/);
});

test("what is wrong with a value is said with its place", () => {
  const rows = new ProtobufRows("shop/order.proto", "shop.Order", [["deep", "inner", "name"], [
    "id",
  ]]);
  const at = (value: Uint8Array): [string, number] => {
    const outcome = rows.one(value);
    const reason = reasonOf(outcome);
    return [reason, (outcome as { badAt: number }).badAt];
  };
  const cut = "is not valid Protobuf: it ends within a field, or a length reaches past the end";
  assert.deepEqual(at(bytes(0x3a)), [cut, 1]);
  assert.deepEqual(at(bytes(0x3a, 3, 0x0a, 2, 0x0a)), [cut, 4]);
  assert.deepEqual(at(bytes(0x3a, 5, 0x0a, 3, 0x0a, 9, 97)), [cut, 6]);
  assert.deepEqual(at(bytes(0x07)), ["is not valid Protobuf: a field's tag does not exist", 0]);
  assert.deepEqual(at(bytes(8, ...Array(10).fill(0x80), 0)), [
    "is not valid Protobuf: a number has more than 10 bytes",
    11,
  ]);
  assert.equal(reasonOf(rows.one(concat([bytes(0x82, 0x7d, 2, 0xc3, 0x28)]))), "is not UTF-8");
});

test("a message in several parts is what they are together", () => {
  const rows = new ProtobufRows(
    `${proto3} message A { B b = 1; oneof o { B c = 2; int32 d = 3; } }
     message B { repeated int32 list = 1; string text = 2; int32 n = 3; map<string, B> m = 4; B b = 5; }`,
    "A",
    [["b"], ["b", "list"], ["b", "list", 2], ["b", "text"], ["b", "n"], ["b", "b", "list"], [
      "c",
      "list",
    ], ["o"]],
  );
  const b1 = concat([sized(1, bytes(1, 2)), sized(2, text("x")), sized(5, sized(1, bytes(7)))]);
  const b2 = concat([sized(1, bytes(3)), bytes(8, 4, 24, 9), sized(5, sized(1, bytes(8)))]);
  const value = concat([sized(1, b1), sized(2, b1), sized(1, b2)]);
  assert.deepEqual(fieldsOf(rows.one(value)), [
    '{"list":[1,2,3,4],"text":"x","n":9,"b":{"list":[7,8]}}',
    "[1,2,3,4]",
    "3",
    "x",
    "9",
    "[7,8]",
    "[1,2]",
    "c",
  ]);
  // A member of a oneof that comes again after another one begins again, and after itself goes on.
  const c = (...values: number[]) => sized(2, sized(1, bytes(...values)));
  const of = (...parts: Uint8Array[]) => fieldsOf(rows.one(concat(parts))).slice(6);
  assert.deepEqual(of(c(1), c(2)), ["[1,2]", "c"]);
  assert.deepEqual(of(c(1), bytes(24, 5), c(2)), ["[2]", "c"]);
  assert.deepEqual(of(c(1), bytes(24, 5)), [null, "d"]);
  // It is not joined without end.
  const large = sized(1, sized(2, text("y".repeat(30_000))));
  assert.match(reasonOf(rows.one(concat([large, large, large]))), /in too many parts/);
});

test("what is not wanted is skipped, of whatever type it is", () => {
  const rows = new ProtobufRows(`${proto3} message A { int32 a = 1; string s = 2; }`, "A", [["a"], [
    "s",
  ]]);
  const others = [
    [0x18, 0x96, 1],
    [0x19, 1, 2, 3, 4, 5, 6, 7, 8],
    [0x1a, 2, 0xff, 0xff],
    [0x1b, 0x0a, 1, 0, 0x1c],
    [0x1d, 1, 2, 3, 4],
    // Known numbers of other types are unknown fields.
    [0x0a, 1, 5],
    [0x0d, 1, 2, 3, 4],
    [0x10, 5],
  ];
  for (const other of others) {
    const value = bytes(...other, 8, 7, ...other, 0x12, 1, 97, ...other);
    assert.deepEqual(fieldsOf(rows.one(value)), ["7", "a"]);
  }
});

test("tags and numbers may have more bytes than they need", () => {
  const rows = new ProtobufRows(
    `${proto3} message A { int32 a = 1; string s = 2; Time t = 3; } message Time { int64 s = 1; }`,
    "A",
    [["a"], ["s"], ["t", "s"]],
  );
  const long = bytes(
    0x88,
    0,
    0x87,
    0x80,
    0,
    0x92,
    0x80,
    0,
    0x81,
    0,
    97,
    0x9a,
    0,
    0x83,
    0,
    0x88,
    0,
    5,
  );
  assert.deepEqual(fieldsOf(rows.one(long)), ["7", "a", "5"]);
});

test("lists whose elements come in turns are whole, up to as many turns as there is room for", () => {
  const names = Array.from({ length: 100 }, (_, i) => `f${i}`);
  const fields = names.map((name, i) => `repeated int32 ${name} = ${i + 1};`).join("\n");
  const rows = new ProtobufRows(`${proto3} message A { ${fields} }`, "A", [[], ["f7"]]);
  const turn = (value: number) =>
    names.flatMap((_, i) => [...varint((i + 1) * 8), ...varint(value * 100 + i)]);
  const turns = (count: number) =>
    Uint8Array.from(Array.from({ length: count }, (_, value) => turn(value)).flat());
  const [whole, seventh] = fieldsOf(rows.one(turns(30)));
  const expected = names.map((
    name,
    i,
  ) => [name, Array.from({ length: 30 }, (_, n) => n * 100 + i)]);
  assert.deepEqual(JSON.parse(whole!), Object.fromEntries(expected));
  assert.deepEqual(JSON.parse(seventh!), expected[7][1]);
  assert.match(reasonOf(rows.one(turns(3000), 0, 1 << 23)), /in too many parts/);
});
