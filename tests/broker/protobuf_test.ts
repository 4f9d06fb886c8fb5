import assert from "node:assert/strict";
import { Registry } from "../../lib/registry/registry.ts";
import { type Broker, startBroker } from "../../scripts/servers/broker.ts";
import { startRegistry } from "../../scripts/servers/registry.ts";
import { consumer, type Finished, text } from "../support/cli.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import {
  closing,
  framed,
  registryConfigOf,
  ScriptedRegistry,
  subjectsOf,
  type Version,
} from "../support/registry.ts";

const utf8 = new TextEncoder();

function varint(value: number | bigint): number[] {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

const int = (field: number, value: number | bigint) => [...varint(field << 3), ...varint(value)];
const part = (field: number, bytes: Iterable<number>) => {
  const all = [...bytes];
  return [...varint(field << 3 | 2), ...varint(all.length), ...all];
};
const string = (field: number, value: string) => part(field, utf8.encode(value));

/** Message indexes as Confluent's serializers write them: a count and the indexes, zigzag; 0 for [0]. */
const at = (...indexes: number[]) =>
  indexes.length === 1 && indexes[0] === 0
    ? [0]
    : [indexes.length, ...indexes].flatMap((index) => varint(2 * index));

const PROTO = 'syntax = "proto3"; ';
const MONEY =
  'syntax = "proto3"; package shop; message Money { string currency = 1; int64 units = 2; }';
const ORDER = `
syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "shop/money.proto";
message Order {
  message Line { string sku = 1; Money price = 2; }
  enum State { NEW = 0; PAID = 1; }
  int64 id = 1;
  string name = 2;
  repeated Line lines = 3;
  google.protobuf.Timestamp at = 4;
  State state = 5;
  optional bool vip = 6;
}
message Refund { int64 id = 1; string why = 2; }
`;

const line = (sku: string, units: number) => [
  ...string(1, sku),
  ...part(2, [...string(1, "EUR"), ...int(2, units)]),
];
const order = (id: number, name: string) => [
  ...int(1, id),
  ...string(2, name),
  ...part(3, line("a-1", 5)),
  ...part(3, line("b,2", 7)),
  ...part(4, [...int(1, 1_700_000_000), ...int(2, 123_000_000)]),
  ...int(5, 1),
];

/** A topic of its own, and kafka_consumer on it. */
async function world(broker: Broker) {
  const topic = uniqueName("protobuf");
  await createTopic(broker, topic);
  const run = (...args: string[]) =>
    consumer([
      ...["-b", broker.bootstrap, "-t", topic, "-g", topic, "--value", "protobuf"],
      ...args,
    ]);
  return { topic, subject: `${topic}-value`, run };
}

const rowsOf = ({ stdout }: Finished) => text(stdout).split("\n").slice(0, -1);

Deno.test("Protobuf of a real registry becomes columns, with an import of another subject", async () => {
  await using broker = await startBroker();
  await using server = await startRegistry();
  using registry = closing(new Registry(registryConfigOf([server.url])));
  const { topic, subject, run } = await world(broker);
  const money = uniqueName("money");
  await registry.register(money, { kind: "protobuf", text: MONEY });
  const id = await registry.register(subject, {
    kind: "protobuf",
    text: ORDER,
    references: [{ name: "shop/money.proto", subject: money, version: 1 }],
  });
  await produce(broker, topic, [
    { value: framed(id, order(1, 'a "b"'), at(0)) },
    { value: null },
    { value: framed(id, order(-2, ""), at(0)) },
    { value: framed(id, [...int(1, 3), ...string(2, "late")], at(1)) },
    { value: framed(id, line("c", 9), at(0, 0)) },
  ]);
  const finished = await run(
    ...["--registry", server.url, "--columns", "offset,schema"],
    ...["--fields", "id, name, lines[1].sku, lines[0].price.units, at, state, vip, sku"],
  );
  assert.equal(finished.code, 0, finished.stderr);
  assert.deepEqual(rowsOf(finished), [
    `0,${id},1,"a ""b""","b,2",5,2023-11-14T22:13:20.123Z,PAID,,`,
    `2,${id},-2,"","b,2",5,2023-11-14T22:13:20.123Z,PAID,,`,
    `3,${id},3,,,,,,,`,
    `4,${id},,,,,,,,c`,
  ]);
  const whole = await run(
    "--registry",
    server.url,
    "--fields",
    "lines",
    "-o",
    "earliest",
    "-c",
    "1",
  );
  assert.equal(whole.code, 0, whole.stderr);
  assert.deepEqual(JSON.parse(rowsOf(whole)[0].slice(1, -1).replaceAll('""', '"')), [
    { sku: "a-1", price: { currency: "EUR", units: 5 } },
    { sku: "b,2", price: { currency: "EUR", units: 7 } },
  ]);
});

Deno.test("50 versions of a message in one batch", async () => {
  await using broker = await startBroker();
  const { topic, subject, run } = await world(broker);
  const versions = Array.from({ length: 50 }, (_, i): Version => ({
    id: 100 + i,
    schemaType: "PROTOBUF",
    schema: `syntax = "proto3"; message V { ${
      Array.from({ length: i + 1 }, (_, n) => `int32 f${n} = ${n + 1};`).join(" ")
    } }`,
  }));
  await using registry = new ScriptedRegistry(subjectsOf({ [subject]: versions }));
  const order = Array.from({ length: 200 }, (_, i) => (i * 37) % 50);
  const values = order.map((i) =>
    framed(100 + i, Array.from({ length: i + 1 }, (_, n) => int(n + 1, i + 1)).flat(), at(0))
  );
  await produce(broker, topic, values.map((value) => ({ value })));
  const finished = await run("--registry", registry.url, "--fields", "f0,f49,f20");
  assert.equal(finished.code, 0, finished.stderr);
  assert.deepEqual(
    rowsOf(finished),
    order.map((i) => `${i + 1},${i === 49 ? 50 : ""},${i >= 20 ? i + 1 : ""}`),
  );
});

Deno.test("frames that are cut, or of a message, schema or kind that is not there, are bad records", async () => {
  await using broker = await startBroker();
  const { topic, subject, run } = await world(broker);
  await using registry = new ScriptedRegistry(subjectsOf({
    [subject]: [{ id: 1, schema: PROTO + "message M { int32 a = 1; }", schemaType: "PROTOBUF" }],
    other: [
      { id: 2, schema: '"long"' },
      { id: 3, schema: PROTO + "message M { int32 a = ; }", schemaType: "PROTOBUF" },
      { id: 4, schema: PROTO + 'import "x.proto"; message M { X x = 1; }', schemaType: "PROTOBUF" },
    ],
  }));
  const good = int(1, 5);
  await produce(broker, topic, [
    { value: framed(1, good, at(0)) },
    { value: framed(1, good, at(7)) },
    { value: framed(2, good, at(0)) },
    { value: framed(3, good, at(0)) },
    { value: framed(4, good, at(0)) },
    { value: framed(9, good, at(0)) },
    { value: framed(1, []), headers: { h: "x" } },
    { value: framed(1, [], [4, 0x80]) },
    { value: framed(1, [], [...varint(2n ** 62n)]) },
    { value: framed(1, [...good, 0xff], at(0)) },
    { value: framed(1, good, at(0)) },
  ]);
  const finished = await run(
    ...["--registry", registry.url, "--fields", "a", "--bad-record", "skip", "--columns", "offset"],
  );
  assert.equal(finished.code, 0, finished.stderr);
  assert.deepEqual(rowsOf(finished), ["0,5", "10,5"]);
  const reasons = [
    /offset 1: the value cannot be read: schema 1: cannot find the message at \[7\]/,
    /offset 2: the value cannot be read: schema 2 is avro, not protobuf — use --value avro/,
    /offset 3: the value cannot be read: schema 3: cannot read schema.proto, line 1/,
    /offset 4: the value cannot be read: schema 4: .*x\.proto, which is missing/,
    /offset 5: the value cannot be read: the registry has no schema 9 — is it/,
    /offset 6: the value is shorter than its Confluent frame/,
    /offset 7: the value is shorter than its Confluent frame/,
    /offset 8: the value is shorter than its Confluent frame/,
    /offset 9: the value is not valid Protobuf: .*\(byte 9\)/,
  ];
  for (const reason of reasons) assert.match(finished.stderr, reason);
});

Deno.test("values without a frame are read by a .proto file and what it imports", async () => {
  await using broker = await startBroker();
  const { topic, run } = await world(broker);
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/shop`);
  await Deno.writeTextFile(`${folder}/order.proto`, ORDER);
  await Deno.writeTextFile(`${folder}/shop/money.proto`, MONEY);
  await produce(broker, topic, [{ value: Uint8Array.from(order(1, "x")) }]);
  const args = ["--schema", `${folder}/order.proto`, "--message"];
  const finished = await run(...args, "shop.Order", "--fields", "id,lines[0].price.currency");
  assert.equal(finished.code, 0, finished.stderr);
  assert.deepEqual(rowsOf(finished), ["1,EUR"]);
  const wrong: [string[], RegExp][] = [
    [[...args, "shop.Ordr", "--fields", "id"], /--schema: .*did you mean "shop\.Order"/],
    [[...args, "Order", "--fields", "idd"], /--fields: the schema does not have idd: .*"id"/],
    [
      args.slice(0, 2).concat("--fields", "id"),
      /--schema: order.proto has several messages — use --message NAME with one of shop.Order, /,
    ],
  ];
  for (const [args, why] of wrong) {
    const { code, stderr, stdout } = await run(...args);
    assert.equal(code, 64, stderr);
    assert.match(stderr, why);
    assert.equal(stdout.length, 0);
  }
  await Deno.remove(`${folder}/shop/money.proto`);
  const missing = await run(...args, "shop.Order", "--fields", "id");
  assert.equal(missing.code, 64, missing.stderr);
  assert.match(missing.stderr, /--schema: .*shop\/money\.proto, which is missing/);
  await Deno.remove(folder, { recursive: true });
});
