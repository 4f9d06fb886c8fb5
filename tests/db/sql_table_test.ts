/** Tables that `gpdb-kafka sql table` prints from schemas: they are made, loaded, and compared with the values. */
import assert from "node:assert/strict";
import { produce } from "../support/kafka.ts";
import { dialect, load, ownServer } from "../support/load.ts";
import { startWorld } from "../support/load_world.ts";
import { columnsOfTable, makeTable } from "../support/new_table.ts";
import { framed, ScriptedRegistry, subjectsOf } from "../support/registry.ts";
import { bytes, long, map, of, string } from "../unit/records/avro_encode.ts";

const ignore = !ownServer || dialect !== "postgres";
const utf8 = new TextEncoder();

const city = {
  type: "record",
  name: "City",
  fields: [{ name: "name", type: "string", doc: "as it is written there" }],
};

const avroOf = (...more: unknown[]) =>
  JSON.stringify({
    type: "record",
    name: "shop.Order",
    doc: "What the shop's web site sends.",
    fields: [
      { name: "id", type: "long", doc: 'it\'s \\ "unique"' },
      { name: "select", type: ["null", "string"] },
      { name: "amount", type: { type: "bytes", logicalType: "decimal", precision: 9, scale: 2 } },
      { name: "at", type: { type: "long", logicalType: "timestamp-millis" } },
      { name: "City", type: city },
      { name: "tags", type: { type: "map", values: "int" } },
      ...more,
    ],
  });

const avroValue = (id: number, name: string | null, ...more: number[][]) =>
  of(
    long(id),
    name === null ? [0] : [2, ...string(name)],
    bytes(0x30, 0x39),
    long(1_700_000_000_123),
    string(`city "${id}"`),
    map({ 'a"b': long(id) }),
    ...more,
  );

Deno.test({
  name: "sql table: an Avro subject's table holds its values, of each version",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, sql, topic } = world;
    await using registry = new ScriptedRegistry(subjectsOf({
      [`${topic}-value`]: [
        { id: 1, schema: avroOf() },
        { id: 2, schema: avroOf({ name: "vip", type: "boolean", default: false }) },
      ],
    }));
    await produce(broker, topic, [
      { value: framed(1, avroValue(1, "a,b")) },
      { value: framed(2, avroValue(2, null, [1])) },
    ]);
    const args = ["orders", "-t", topic, "-b", broker.bootstrap, "--value", "avro", "--merge"];
    const printed = await makeTable(world, [...args, "id", "--registry", registry.url]);
    assert.match(printed, /: version 2 of subject ".*-value", and 1 older\n/);
    assert.deepEqual(await columnsOfTable(world, "orders"), [
      { name: "id", type: "bigint", required: true, comment: 'it\'s \\ "unique"' },
      { name: "select", type: "text", required: false, comment: "Avro string" },
      { name: "amount", type: "numeric(9,2)", required: true, comment: "Avro decimal" },
      {
        name: "at",
        type: "timestamp with time zone",
        required: true,
        comment: "Avro timestamp-millis",
      },
      { name: "City_name", type: "text", required: true, comment: "as it is written there" },
      { name: "tags", type: "jsonb", required: true, comment: "Avro map" },
      // The first version does not have it.
      { name: "vip", type: "boolean", required: false, comment: "Avro boolean" },
    ]);
    assert.equal((await load({ sql }, "orders")).rows, 2);
    await sql`SET TIME ZONE 'UTC'`;
    const rows = await sql`SELECT row_to_json(orders)::text AS row FROM orders ORDER BY id`;
    assert.deepEqual(rows.map(({ row }) => JSON.parse(row)), [
      {
        id: 1,
        select: "a,b",
        amount: 123.45,
        at: "2023-11-14T22:13:20.123+00:00",
        City_name: 'city "1"',
        tags: { 'a"b': 1 },
        vip: null,
      },
      {
        id: 2,
        select: null,
        amount: 123.45,
        at: "2023-11-14T22:13:20.123+00:00",
        City_name: 'city "2"',
        tags: { 'a"b': 2 },
        vip: true,
      },
    ]);
    const [{ comment }] = await sql`SELECT obj_description('orders'::regclass) AS comment`;
    assert.equal(comment, "What the shop's web site sends.");
    // By its key: the last one of it stays.
    await produce(broker, topic, [{ value: framed(2, avroValue(2, "new", [0])) }]);
    await load({ sql }, "orders");
    const [{ select, vip }] = await sql`SELECT "select", vip FROM orders WHERE id = 2`;
    assert.deepEqual([select, vip], ["new", false]);
  },
});

const PROTO = `syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/any.proto";
// An order.
message Order {
  int64 id = 1; // the shop's number
  string name = 2;
  optional int32 n = 3;
  google.protobuf.Timestamp at = 4;
  google.protobuf.StringValue note = 5;
  Customer customer = 6;
  repeated Line lines = 7;
  map<string, int32> counts = 8;
  oneof pay { string card = 9; int64 cash = 10; }
  Status status = 11;
  google.protobuf.FieldMask mask = 12;
  uint64 big = 13;
  bytes raw = 14;
  google.protobuf.Duration took = 15;
  double score = 16;
  google.protobuf.Any any = 17;
  Nothing nothing = 18;
}
message Customer { string city = 1; Customer parent = 2; bool vip = 3; }
message Line { string sku = 1; }
message Nothing {}
enum Status { NEW = 0; PAID = 1; }
`;

const varint = (value: number) => {
  const out = [];
  for (; value > 127; value = Math.floor(value / 128)) out.push(value % 128 + 128);
  return [...out, value];
};
const part = (field: number, content: Iterable<number>) => {
  const all = [...content];
  return [...varint(field * 8 + 2), ...varint(all.length), ...all];
};
const number = (field: number, value: number) => [...varint(field * 8), ...varint(value)];
const word = (field: number, content: string) => part(field, utf8.encode(content));

const full = [
  ...[...number(1, 1), ...word(2, "Ada"), ...number(3, 7), ...part(4, number(1, 1_700_000_000))],
  ...part(5, word(1, "a note")),
  ...part(6, [...word(1, "Bonn"), ...part(2, word(1, "Köln")), ...number(3, 1)]),
  ...[...part(7, word(1, "S1")), ...part(7, word(1, "S2")), ...part(8, [...word(1, "x"), 16, 5])],
  ...[...number(10, 250), ...number(11, 1), ...part(12, word(1, "id")), ...number(13, 9)],
  ...[...part(14, [1, 255]), ...part(15, number(1, 90))],
  ...[...varint(16 * 8 + 1), 0, 0, 0, 0, 0, 0, 0xf8, 0x3f],
  ...[...part(17, word(1, "type.googleapis.com/shop.Line")), ...part(18, [])],
];

Deno.test({
  name: "sql table: a Protobuf subject's table holds its values, full and empty",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, sql, topic } = world;
    await using registry = new ScriptedRegistry(subjectsOf({
      [`${topic}-value`]: [{ id: 3, schema: PROTO, schemaType: "PROTOBUF" }],
    }));
    await produce(broker, topic, [
      { value: framed(3, full, [0]) },
      { value: framed(3, [], [0]) },
    ]);
    const args = ["orders", "-t", topic, "-b", broker.bootstrap, "--value", "protobuf"];
    await makeTable(world, [...args, "--registry", registry.url]);
    const columns = await columnsOfTable(world, "orders");
    assert.deepEqual(columns.map(({ name, type, required }) => [name, type, required]), [
      ["id", "bigint", true],
      ["name", "text", true],
      ["n", "integer", false],
      ["at", "timestamp with time zone", false],
      ["note", "text", false],
      ["customer_city", "text", false],
      ["customer_parent", "jsonb", false],
      ["customer_vip", "boolean", false],
      ["lines", "jsonb", true],
      ["counts", "jsonb", true],
      ["card", "text", false],
      ["cash", "bigint", false],
      ["status", "text", true],
      ["mask", "jsonb", false],
      ["big", "numeric", true],
      ["raw", "bytea", true],
      ["took", "interval", false],
      ["score", "double precision", true],
      ["any", "jsonb", false],
      ["nothing", "jsonb", false],
    ]);
    assert.equal(columns[0].comment, "the shop's number");
    assert.equal((await load({ sql }, "orders")).rows, 2);
    await sql`SET TIME ZONE 'UTC'`;
    const rows = await sql`SELECT row_to_json(orders)::text AS row FROM orders ORDER BY id`;
    const [empty, one] = rows.map(({ row }) => JSON.parse(row));
    assert.deepEqual(one, {
      id: 1,
      name: "Ada",
      n: 7,
      at: "2023-11-14T22:13:20+00:00",
      note: "a note",
      customer_city: "Bonn",
      customer_parent: { city: "Köln" },
      customer_vip: true,
      lines: [{ sku: "S1" }, { sku: "S2" }],
      counts: { x: 5 },
      card: null,
      cash: 250,
      status: "PAID",
      mask: "id",
      big: 9,
      raw: "\\x01ff",
      took: "00:01:30",
      score: 1.5,
      any: { type_url: "type.googleapis.com/shop.Line" },
      nothing: {},
    });
    assert.deepEqual(empty, {
      ...Object.fromEntries(Object.keys(one).map((name) => [name, null])),
      ...{ id: 0, name: "", lines: [], counts: {}, status: "NEW", big: 0, raw: "\\x", score: 0 },
    });
  },
});
