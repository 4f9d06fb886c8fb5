/**
 * What the kernel makes of structured records a second, alone, beside the JavaScript library of the
 * format in the same run: 10 fields of each value as CSV rows. Times are medians of one run.
 *
 *     deno run -A scripts/bench/records.ts
 */
import avsc from "avsc";
import { Buffer } from "node:buffer";
import { encodeBatch } from "../../lib/protocol/record.ts";
import { Batch } from "../../lib/protocol/record_batch.ts";
import { Flag, Kernel } from "../../lib/protocol/kernel/kernel.ts";
import { addAvro, parseAvroSchema } from "../../lib/records/avro.ts";
import type { Added } from "../../lib/records/json.ts";
import type { Path } from "../../lib/records/paths.ts";
import { ProgramWriter } from "../../lib/records/program.ts";

export const COUNT = 4000;
const RUNS = 400;
const ID = 7;

const orderSchema = {
  type: "record",
  name: "shop.Order",
  fields: [
    { name: "id", type: "long" },
    { name: "customer", type: "string" },
    { name: "amount", type: "double" },
    { name: "quantity", type: "int" },
    { name: "paid", type: "boolean" },
    { name: "placed", type: { type: "long", logicalType: "timestamp-millis" } },
    { name: "status", type: { type: "enum", name: "Status", symbols: ["NEW", "PAID", "SENT"] } },
    { name: "note", type: ["null", "string"] },
    { name: "city", type: "string" },
    { name: "weight", type: ["null", "float"] },
  ],
};
const names = orderSchema.fields.map(({ name }) => name);

type Order = Record<string, unknown>;

function order(n: number): Order {
  return {
    id: 10_000_000 + n * 7919,
    customer: `Customer ${n % 1000}`,
    amount: n * 37 % 100000 / 100,
    quantity: n % 50,
    paid: n % 2 === 1,
    placed: 1_700_000_000_000 + n * 1001,
    status: ["NEW", "PAID", "SENT"][n % 3],
    note: n % 3 ? null : "leave it at the door",
    city: ["Chicago", "New York, NY", "Århus"][n % 3],
    weight: n % 4 ? n % 100 / 8 : null,
  };
}

function framed(id: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(5 + value.length);
  new DataView(bytes.buffer).setUint32(1, id);
  bytes.set(value, 5);
  return bytes;
}

/** Median of the times that `work` takes, seconds. */
export function time(work: () => void): number {
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const began = performance.now();
    work();
    times.push(performance.now() - began);
  }
  return times.toSorted((a, b) => a - b)[RUNS >> 1] / 1000;
}

export function report(name: string, seconds: number, bytes: number): number {
  const millions = COUNT / seconds / 1e6;
  const size = (bytes / seconds / 1e9).toFixed(2);
  console.log(`  ${name.padEnd(28)} ${millions.toFixed(2).padStart(6)} M rows/s  ${size} GB/s`);
  return millions;
}

/** The kernel's rows of these values, by what a front end adds to the program. */
export function kernelRows(
  values: readonly Uint8Array[],
  add: (writer: ProgramWriter) => Added,
): { run: () => void; text: () => string } {
  const records = values.map((value) => ({ key: null, value, headers: [] }));
  const batch = encodeBatch(records, 0);
  const kernel = new Kernel();
  const writer = new ProgramWriter();
  const { source, slots, next } = add(writer);
  kernel.load(writer.finish({
    columns: slots.map((slot) => ({ kind: "slot", slot })),
    slots: next,
    value: source,
    fixed: 256,
    factor: 0,
  }));
  const room = 4 * batch.length + 65536;
  kernel.reserve(kernel.start - Kernel.DATA + batch.length + room + 128);
  kernel.bytes.set(batch, kernel.start);
  const from = kernel.start + Batch.records, end = kernel.start + batch.length;
  let out = 0;
  const run = () => {
    out = kernel.fields({
      start: from,
      end,
      count: COUNT,
      out: end + 64,
      enough: end + 64 + room,
      flags: Flag.guard | Flag.noValue,
      offset: 0,
      time: 0,
    });
    if (kernel.emitted !== COUNT) throw new Error(`${kernel.emitted} rows came out`);
  };
  return { run, text: () => new TextDecoder().decode(kernel.bytes.slice(end + 64, out)) };
}

/** A field as CSV, the way a program around a decoder writes it. */
export function csvField(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return String(value);
  return value === "" || /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

function csvRow(value: Order): string {
  let row = "";
  for (const name of names) {
    const field = value[name];
    if (row !== "") row += ",";
    row += csvField(name === "placed" ? new Date(field as number).toISOString() : field);
  }
  return row;
}

function benchAvro(): void {
  const type = avsc.Type.forSchema(orderSchema as avsc.Schema);
  const orders = Array.from({ length: COUNT }, (_, n) => order(n));
  const values = orders.map((value) => framed(ID, type.toBuffer(value)));
  const bytes = values.reduce((sum, value) => sum + value.length, 0);
  const schema = parseAvroSchema(JSON.stringify(orderSchema));
  const paths: Path[] = names.map((name) => ({ text: name, steps: [name] }));
  const kernel = kernelRows(
    values,
    (writer) => addAvro(writer, { byId: new Map([[ID, schema]]), bare: null }, paths, 0),
  );
  console.log(`Avro, ${names.length} fields, ${(bytes / COUNT).toFixed(0)} bytes a value, framed:`);
  const own = report("kernel, to CSV", time(kernel.run), bytes);
  const buffers = values.map((value) => Buffer.from(value.buffer));
  const decode = () => buffers.forEach((buffer) => type.decode(buffer, 5));
  report("avsc, to objects", time(decode), bytes);
  let rows = "";
  const toCsv = () => {
    rows = "";
    for (const buffer of buffers) rows += csvRow(type.decode(buffer, 5).value) + "\n";
  };
  const theirs = report("avsc, to CSV", time(toCsv), bytes);
  if (rows !== kernel.text()) throw new Error("the rows differ");
  console.log(`  kernel beside avsc, both to CSV: ${(own / theirs).toFixed(1)} times`);
}

if (import.meta.main) benchAvro();
