/**
 * The same as records.ts for Protobuf, beside protobufjs: 10 fields of each value as CSV rows.
 *
 *     deno run -A scripts/bench/records_protobuf.ts
 */
import { Buffer } from "node:buffer";
import protobuf from "protobufjs";
import type { Path } from "../../lib/records/paths.ts";
import { addProtobuf, readProtobuf } from "../../lib/records/protobuf.ts";
import { COUNT, csvField, kernelRows, report, time } from "./records.ts";

/** What follows the 0x00 of a frame: schema 7, its first message. */
const FRAME = Uint8Array.of(0, 0, 0, 7, 0);
const FRAME_SIZE = 1 + FRAME.length;

const text = `syntax = "proto3";
package shop;
message Placed { int64 seconds = 1; int32 nanos = 2; }
enum Status { NEW = 0; PAID = 1; SENT = 2; }
message Order {
  int64 id = 1;
  string customer = 2;
  double amount = 3;
  int32 quantity = 4;
  bool paid = 5;
  google.protobuf.Timestamp placed = 6;
  Status status = 7;
  optional string note = 8;
  string city = 9;
  optional float weight = 10;
}`;
const own = text.replace(
  "package shop;",
  'package shop; import "google/protobuf/timestamp.proto";',
);
const names = "id customer amount quantity paid placed status note city weight".split(" ");

/** An order as protobufjs has it. */
interface Order {
  id: protobuf.Long | number;
  placed: { seconds: protobuf.Long | number; nanos: number };
  status: number;
  [name: string]: unknown;
}

function order(n: number): Order {
  return {
    id: 10_000_000 + n * 7919,
    customer: `Customer ${n % 1000}`,
    amount: n * 37 % 100000 / 100,
    quantity: n % 50,
    paid: n % 2 === 1,
    placed: { seconds: 1_700_000_000 + n, nanos: n % 1000 * 1e6 },
    status: n % 3,
    ...(n % 3 ? {} : { note: "leave it at the door" }),
    city: ["Chicago", "New York, NY", "Århus"][n % 3],
    ...(n % 4 ? { weight: n % 100 / 8 } : {}),
  };
}

const statuses = ["NEW", "PAID", "SENT"];

function csvRow(value: Order): string {
  let row = "";
  for (const name of names) {
    let field = value[name];
    if (name === "placed") {
      const { seconds, nanos } = value.placed;
      field = new Date(Number(seconds) * 1000 + nanos / 1e6).toISOString();
    } else if (name === "status") field = statuses[value.status];
    else if (name === "note" || name === "weight") {
      field = Object.hasOwn(value, name) ? field : null;
    }
    if (row !== "") row += ",";
    row += csvField(typeof field === "object" && field !== null ? String(field) : field);
  }
  return row;
}

function benchProtobuf(): void {
  const root = protobuf.parse(text, { keepCase: true }).root;
  root.addJSON(protobuf.common.get("google/protobuf/timestamp.proto")!.nested!);
  const type = root.lookupType("shop.Order");
  const values = Array.from({ length: COUNT }, (_, n) => {
    const body = type.encode(order(n)).finish();
    const bytes = new Uint8Array(FRAME_SIZE + body.length);
    bytes.set(FRAME, 1);
    bytes.set(body, FRAME_SIZE);
    return bytes;
  });
  const bytes = values.reduce((sum, value) => sum + value.length, 0);
  const message = readProtobuf({ text: own }).message("shop.Order");
  const paths: Path[] = names.map((name) => ({ text: name, steps: [name] }));
  const kernel = kernelRows(
    values,
    (writer) => addProtobuf(writer, { framed: [{ key: FRAME, message }], bare: null }, paths, 0),
  );
  const size = (bytes / COUNT).toFixed(0);
  console.log(`Protobuf, ${names.length} fields, ${size} bytes a value, framed:`);
  const ours = report("kernel, to CSV", time(kernel.run), bytes);
  const bodies = values.map((value) => Buffer.from(value.buffer, FRAME_SIZE));
  const decode = () => bodies.forEach((body) => type.decode(body));
  const objects = report("protobufjs, to objects", time(decode), bytes);
  let rows = "";
  const toCsv = () => {
    rows = "";
    for (const body of bodies) rows += csvRow(type.decode(body) as unknown as Order) + "\n";
  };
  const theirs = report("protobufjs, to CSV", time(toCsv), bytes);
  if (rows !== kernel.text()) throw new Error("the rows differ");
  console.log(
    `  kernel beside protobufjs, both to CSV: ${(ours / theirs).toFixed(1)} times; ` +
      `beside its objects alone: ${(ours / objects).toFixed(1)} times`,
  );
}

if (import.meta.main) benchProtobuf();
