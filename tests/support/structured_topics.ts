/** Topics of JSON, Avro and Protobuf as the documents describe them, and their schema registry. */
import type { Broker } from "../../scripts/servers/broker.ts";
import { orderDocument } from "../../scripts/orders.ts";
import { bytes, long, of, record, string } from "../unit/records/avro_encode.ts";
import { createTopic, produce } from "./kafka.ts";
import { framed, json, ScriptedRegistry, subjectsOf } from "./registry.ts";

export const PAYMENT = JSON.stringify(
  record("shop.Payment", {
    id: "long",
    amount: { type: "bytes", logicalType: "decimal", precision: 9, scale: 2 },
    paid_at: { type: "long", logicalType: "timestamp-millis" },
    card: record("shop.Card", {
      brand: { type: "enum", name: "Brand", symbols: ["VISA", "OTHER"] },
      holder: "string",
    }),
    note: ["null", "string"],
  }),
  null,
  2,
);

export const SHIPMENT = `syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
message Shipment {
  int64 id = 1;
  repeated Line lines = 2;
  google.protobuf.Timestamp sent = 3;
  optional string note = 4;
}
message Line { string sku = 1; int32 quantity = 2; }
`;

const utf8 = new TextEncoder();

/** 1234.56 EUR, paid on 14 November 2023. */
const payment = (id: number) =>
  of(
    long(id),
    bytes(1, 0xe2, 0x40),
    long(1_700_000_000_000),
    [...long(0), ...string("Ada, L.")],
    [0],
  );

/** A field of bytes of a message. */
const part = (number: number, content: Iterable<number>) => {
  const all = [...content];
  return [number * 8 + 2, all.length, ...all];
};

const shipment = (id: number) => [
  ...[8, id],
  ...part(2, [...part(1, utf8.encode("SKU-7")), 16, 2]),
  ...part(3, [8, 0x80, 0xe2, 0xcf, 0xaa, 6]), // 1,700,000,000 s
];

/** The names of the topics in a test; in the documents they are shop-orders, payments, shipments. */
export interface StructuredTopics {
  "shop-orders": string;
  payments: string;
  shipments: string;
}

/** Makes the topics, each with two records in each of two partitions. */
export async function fillStructured(
  broker: Broker,
  { "shop-orders": orders, payments, shipments }: StructuredTopics,
): Promise<ScriptedRegistry> {
  const all = { orders, payments, shipments };
  for (const topic of Object.values(all)) await createTopic(broker, topic, { partitions: 2 });
  for (const partition of [0, 1]) {
    const ids = [1, 2].map((n) => 2 * partition + n);
    const order = (n: number) => ({ key: `{"id": ${n}}`, value: orderDocument(n) });
    await produce(broker, orders, ids.map(order), partition);
    await produce(
      broker,
      payments,
      ids.map((id) => ({ value: framed(3, payment(id)) })),
      partition,
    );
    await produce(
      broker,
      shipments,
      ids.map((id) => ({ value: framed(4, shipment(id), [0]) })),
      partition,
    );
  }
  const known = subjectsOf({
    [`${payments}-value`]: [{ id: 3, schema: PAYMENT }],
    [`${shipments}-value`]: [{ id: 4, schema: SHIPMENT, schemaType: "PROTOBUF" }],
  });
  // What a producer registers gets an id.
  return new ScriptedRegistry((asked, count) =>
    asked.method === "POST" ? json({ id: 5 }) : known(asked, count)
  );
}
