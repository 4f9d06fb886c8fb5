import assert from "node:assert/strict";
import { test } from "node:test";
import { Flag, Kernel, Stop } from "../../../lib/protocol/kernel/kernel.ts";
import { ProgramWriter } from "../../../lib/records/program.ts";
import {
  addProtobuf,
  missingProtobufPaths,
  ProtobufError,
  type ProtobufMessage,
  readMessageIndexes,
  readProtobuf,
} from "../../../lib/records/protobuf.ts";
import { concat, encodeRecord, random } from "../protocol/kernel/records.ts";
import { goldenProto } from "./protobuf_rows.ts";

/** A file that imports another one, as a registry has them. */
const shop = readProtobuf({
  text: goldenProto("shop/order.proto"),
  name: "order.proto",
  imports: new Map([["shop/common.proto", goldenProto("shop/common.proto")]]),
});

type Steps = readonly (string | number)[];

/** What is wrong with paths that no version has. */
function missing(versions: readonly ProtobufMessage[], ...paths: Steps[]): string[] {
  const written = paths.map((steps) => ({ text: "x", steps }));
  return missingProtobufPaths(versions, written).map(({ hint }) => hint);
}

/** The message of the error that reading a text ends with. */
function errorOf(text: string, imports?: ReadonlyMap<string, string>): string {
  try {
    readProtobuf({ text, name: "a.proto", imports });
  } catch (error) {
    assert.ok(error instanceof ProtobufError, String(error));
    return error.message;
  }
  return "no error";
}

const proto3 = 'syntax = "proto3";\n';

test("an error of a .proto file names the file and the line", () => {
  assert.equal(
    errorOf(`${proto3}message A {\n  int32 x 1;\n}`),
    "cannot read a.proto, line 3: illegal token '1', '=' expected",
  );
  assert.equal(
    errorOf('import "b.proto";', new Map([["b.proto", `${proto3}\nmessage {`]])),
    "cannot read b.proto, line 3: illegal type name '{'",
  );
  assert.equal(
    errorOf(`${proto3}message A { int32 x = 1`),
    "cannot read a.proto, line 2: the file ends too early, ';' expected",
  );
});

test("a .proto file that is not whole is an error that says what is missing", () => {
  assert.equal(
    errorOf(`${proto3}message A { Foo x = 1; }`),
    "cannot read a.proto: no such Type or Enum 'Foo' in Type .A",
  );
  assert.equal(
    errorOf(`${proto3}import "shop/b.proto";`),
    "cannot read a.proto: it imports shop/b.proto, which is missing",
  );
  assert.match(errorOf(`${proto3}message A { int32 a = 1; int32 b = 1; }`), /duplicate id 1/);
  assert.match(errorOf(`${proto3}message A { int32 a = 0; }`), /field a of A has number 0/);
  assert.match(errorOf(`${proto3}message A { int32 a = 536870912; }`), /has number 536870912/);
});

test("files may import each other, and the files that protoc knows", () => {
  const schema = readProtobuf({
    text: `${proto3}package a; import "b.proto"; message A { b.B b = 1; }`,
    name: "a.proto",
    imports: (name) =>
      name === "b.proto"
        ? `${proto3}package b; import "a.proto"; import "google/type/money.proto";
           import "google/protobuf/descriptor.proto"; import "confluent/meta.proto";
           extend google.protobuf.FieldOptions { string note = 50000; }
           message B { a.A a = 1; google.type.Money money = 2 [(note) = "x"]; }`
        : undefined,
  });
  assert.deepEqual(schema.names, ["a.A"]);
  assert.deepEqual(missing([schema.message("a.A")], ["b", "money", "units"]), []);
});

test("a message is found by its name, and another name is an error with the nearest", () => {
  assert.equal(shop.message("shop.Order"), shop.message("Order"));
  assert.throws(() => shop.message("shop.Ordr"), {
    message:
      'cannot find message shop.Ordr: order.proto does not have it — did you mean "shop.Order"?',
  });
  for (const name of ["toString", "__proto__", "", "shop", "x.y"]) {
    assert.throws(() => shop.message(name), /order.proto does not have it; its messages are shop/);
  }
});

test("a message is found by the indexes of a frame, in which enums do not count", () => {
  const schema = readProtobuf({
    text: `${proto3} enum E { Z = 0; } message A { enum F { Y = 0; } message B { message C {} }
      map<string, int32> m = 1; message D {} } message G {}`,
  });
  const at = (...indexes: number[]) => schema.messageAt(indexes).name;
  assert.deepEqual([at(0), at(0, 0), at(0, 0, 0), at(0, 1), at(1)], ["A", "B", "C", "D", "G"]);
  assert.throws(() => at(2), /cannot find the message at \[2\]/);
  assert.throws(() => at(1, 0), /cannot find the message at \[1, 0\]/);
});

test("message indexes are read as they stand in a frame", () => {
  const read = (...bytes: number[]) => readMessageIndexes(Uint8Array.from(bytes));
  assert.deepEqual(read(0, 9), { indexes: [0], size: 1 });
  assert.deepEqual(read(2, 0, 9), { indexes: [0], size: 2 });
  assert.deepEqual(read(4, 2, 0xac, 0x02), { indexes: [1, 150], size: 4 });
  for (
    const bytes of [[], [4, 2], [1], [2, 1], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0], [0xfe, 1]]
  ) {
    assert.equal(read(...bytes), undefined);
  }
});

test("a path that a message lacks is an error that says why, with the nearest name", () => {
  const lack = (...path: (string | number)[]) => missing([shop.message("Order")], path)[0];
  assert.equal(
    lack("scalars", "txt"),
    ': shop.Scalars has no field "txt" — did you mean "text"?',
  );
  assert.equal(
    lack("lists", "money", "units"),
    ": lists.money is repeated — use lists.money[0].units for " +
      "its first element, or lists.money for all of it as JSON",
  );
  assert.match(lack("lists", "i32", "x"), /use lists.i32\[0\] for/);
  assert.match(lack("scalars", 0), /scalars is not repeated, it is shop.Scalars/);
  assert.match(lack("scalars", "i32", "x"), /scalars.i32 is int32: it has no fields/);
  assert.match(lack("maps", "money", "x"), /the keys of maps.money are int32, and "x" is not one/);
  assert.match(lack("choice", "what", "x"), /choice.what is a oneof/);
  assert.match(lack("__proto__"), /has no field "__proto__"; its fields are scalars, optionals/);
  assert.equal(lack("choice", "what"), undefined);
  assert.equal(lack("maps", "money", "5", "units"), undefined);
  assert.equal(lack(), undefined);
});

test("a path that one version has is not missing", () => {
  const [old, now] = ["message A { int32 a = 1; }", "message A { int32 a = 1; int32 b = 2; }"]
    .map((text) => readProtobuf({ text: proto3 + text }).message("A"));
  assert.deepEqual(missing([old, now], ["a"], ["b"]), []);
  assert.deepEqual(missing([now, old], ["b"]).length, 0);
  assert.match(missing([old, now], ["c"])[0], /its fields are a, b/);
});

test("a cut or changed .proto file is read, or an error of its own kind", () => {
  const text = goldenProto("shop/legacy.proto");
  const below = random(3);
  for (let end = 0; end < text.length; end += 7) errorOf(text.slice(0, end));
  for (let i = 0; i < 500; i++) {
    const at = below(text.length);
    const other = text[below(text.length)];
    errorOf(text.slice(0, at) + other + text.slice(at + 1 + below(3)));
  }
  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
    errorOf(`${proto3}message ${name} { int32 ${name} = 1; enum E { ${name} = 0; } E e = 2; }`);
  }
  assert.match(errorOf(`${proto3}${"message A {".repeat(10_000)}`), /cannot read a.proto/);
});

test("a default that is not exactly known is an error, and not another number", () => {
  const text = "message A { optional int64 n = 1 [default = 9223372036854775807]; }";
  const type = readProtobuf({ text }).message("A");
  const paths = [{ text: "n", steps: ["n"] }];
  assert.throws(() => addProtobuf(new ProgramWriter(), { framed: [], bare: type }, paths, 0), {
    name: "ProtobufError",
    message: /cannot use the default of field n of A/,
  });
});

test("framed values of several schemas and messages become rows of one batch", () => {
  const v1 = readProtobuf({
    text: `${proto3}message A { int32 id = 1; message B { string id = 7; } }`,
  });
  const v2 = readProtobuf({ text: `${proto3}message A { string name = 2; int64 id = 4; }` });
  const key = (id: number, ...indexes: number[]) => Uint8Array.from([0, 0, 0, id, ...indexes]);
  const writer = new ProgramWriter();
  const framed = [
    { key: key(1, 0), message: v1.messageAt([0]) },
    { key: key(1, 4, 0, 0), message: v1.messageAt([0, 0]) },
    { key: key(2, 0), message: v2.messageAt([0]) },
  ];
  const paths = ["id", "name", "id"].map((name) => ({ text: name, steps: [name] }));
  const { source, slots, next } = addProtobuf(writer, { framed, bare: null }, paths, 3);
  assert.deepEqual([slots, next], [[3, 4, 3], 5]);
  const kernel = new Kernel();
  kernel.load(writer.finish({
    columns: [{ kind: "schema" }, ...slots.map((slot) => ({ kind: "slot" as const, slot }))],
    slots: next,
    value: source,
    fixed: 64,
    factor: 0,
  }));
  const value = (frame: Uint8Array, ...bytes: number[]) =>
    concat([Uint8Array.of(0), frame, Uint8Array.from(bytes)]);
  const values = [
    value(key(1, 0), 8, 5),
    value(key(2, 0), 0x12, 1, 97, 0x20, 6),
    value(key(1, 4, 0, 0), 0x3a, 2, 98, 44),
    value(key(1, 0)),
    value(key(3, 0), 8, 5),
  ];
  const records = concat(values.map((value, delta) => encodeRecord({ delta, value })));
  kernel.reserve(records.length + 1 << 20);
  kernel.bytes.set(records, kernel.start);
  const end = kernel.start + records.length;
  const out = end + 64;
  const flags = Flag.guard | Flag.noValue;
  const what = {
    start: kernel.start,
    end,
    count: 9,
    out,
    enough: out + 9999,
    flags,
    offset: 0,
    time: 0,
  };
  const to = kernel.fields(what);
  assert.equal(
    new TextDecoder().decode(kernel.bytes.slice(out, to)),
    '1,5,,5\n2,6,a,6\n1,"b,",,"b,"\n1,0,,0\n',
  );
  assert.deepEqual([kernel.stop, kernel.emitted], [Stop.schema, 4]);
  const frame = kernel.bytes.subarray(kernel.valueAt + 1, kernel.valueAt + 5);
  assert.deepEqual([...frame], [0, 0, 0, 3]);
});

test("a key and a value may both be messages, of which parts are joined", () => {
  const text = `${proto3}message A { B b = 1; } message B { repeated int32 list = 1; }`;
  const message = readProtobuf({ text }).message("A");
  const writer = new ProgramWriter();
  const paths = [{ text: "b.list", steps: ["b", "list"] }, { text: "b", steps: ["b"] }];
  const key = addProtobuf(writer, { framed: [], bare: message }, paths, 0, "key");
  const value = addProtobuf(writer, { framed: [], bare: message }, paths, key.next, "value");
  const slots = [...key.slots, ...value.slots];
  const kernel = new Kernel();
  kernel.load(writer.finish({
    columns: slots.map((slot) => ({ kind: "slot" as const, slot })),
    slots: value.next,
    key: key.source,
    value: value.source,
    fixed: 64,
    factor: 0,
  }));
  const parts = (...numbers: number[]) =>
    Uint8Array.from(numbers.flatMap((number) => [10, 3, 10, 1, number]));
  const record = encodeRecord({ delta: 0, key: parts(1, 2, 3), value: parts(4, 5) });
  kernel.reserve(1 << 20);
  kernel.bytes.set(record, kernel.start);
  const end = kernel.start + record.length, out = end + 64;
  const flags = Flag.guard | Flag.noValue;
  const what = { start: kernel.start, end, count: 1, out, enough: out + 999, flags };
  const to = kernel.fields({ ...what, offset: 0, time: 0 });
  assert.equal(
    new TextDecoder().decode(kernel.bytes.slice(out, to)),
    '"[1,2,3]","{""list"":[1,2,3]}","[4,5]","{""list"":[4,5]}"\n',
  );
});
