/**
 * `deno task bench:records`: fields of JSON, Avro and Protobuf as CSV rows. First the kernel alone,
 * beside the JavaScript library of each format; then the whole consumer beside kcat, which prints the
 * same values as they are, and beside kcat and jq; then the memory that it takes to read more.
 *
 *     deno task bench:records [--rows 2000000] [--runs 3] [--binaries DIR] [--only json,avro,protobuf]
 */
import { parseArgs } from "node:util";
import { Cluster } from "../../lib/kafka/cluster.ts";
import { produce } from "../../lib/protocol/messages/produce.ts";
import { encodeBatch } from "../../lib/protocol/record.ts";
import { pause } from "../../lib/waiting.ts";
import { orderDocument } from "../orders.ts";
import { type Broker, startBroker } from "../servers/broker.ts";
import { ours } from "./contestants.ts";
import { inTurn, measure, type Result } from "./measure.ts";
import { avroOrders, benchAvro, COUNT, ID, names, orderSchema } from "./records.ts";
import { benchJson, list } from "./records_json.ts";
import { benchProtobuf, protobufOrders, protobufSchema } from "./records_protobuf.ts";
import { createTopic } from "./sections.ts";

const { values: flags } = parseArgs({
  options: {
    rows: { type: "string", default: "2000000" },
    runs: { type: "string", default: "3" },
    binaries: { type: "string" },
    only: { type: "string", default: "json,avro,protobuf" },
  },
});
const PARTITIONS = 8;
/** Records of a batch. */
const BATCH = 1000;
const runs = Number(flags.runs);
const rows = Math.ceil(Number(flags.rows) / (PARTITIONS * BATCH)) * PARTITIONS * BATCH;

const utf8 = new TextEncoder();
const jq =
  "[.id, .customer.name, .customer.address.city, .amount, (.items | tojson), .flags.vip, " +
  ".status, .created, .note, .currency] | @csv";

/** The formats: their values, which are written again and again, and the flags that read them. */
const formats: Record<string, { bench(): void; values(): Uint8Array[]; flags: string[] }> = {
  json: {
    bench: benchJson,
    values: () => Array.from({ length: COUNT }, (_, n) => utf8.encode(orderDocument(n))),
    flags: ["--fields", list],
  },
  avro: {
    bench: benchAvro,
    values: () => avroOrders().values,
    flags: ["--fields", names.join(",")],
  },
  protobuf: {
    bench: benchProtobuf,
    values: () => protobufOrders().values,
    flags: ["--fields", names.join(",")],
  },
};

/** Writes `rows` of these values to all partitions, in batches. */
async function fill(broker: Broker, topic: string, values: readonly Uint8Array[]): Promise<void> {
  const batches: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < values.length; at += BATCH) {
    const records = values.slice(at, at + BATCH)
      .map((value) => ({ key: null, value, headers: [] }));
    batches.push(encodeBatch(records, Date.now()));
  }
  const cluster = new Cluster({
    ...{ brokers: broker.bootstrap.split(","), clientId: "bench", timeout: 60_000 },
    ...{ tls: null, sasl: null, debug: () => {} },
  }, [produce]);
  try {
    for (let n = 0; n < rows / BATCH;) {
      const [partition, batch] = [n % PARTITIONS, batches[n % batches.length]];
      if (n === 0) await cluster.refresh([topic]);
      const connection = await cluster.broker(cluster.leader(topic, partition));
      const [{ errorCode }] = await connection.call(produce, {
        ...{ topic, partition, acks: 1, timeout: 60_000, recordsSize: batch.length },
      }, { tail: batch });
      if (errorCode === 0) n++;
      // A new topic's leaders are not ready at once.
      else if (n < PARTITIONS) await pause(200);
      else throw new Error(`${topic}: the broker answers with error ${errorCode}`);
    }
  } finally {
    cluster.close();
  }
}

/** A schema registry that has the two schemas, under one id: each topic asks for its own. */
function startRegistry(): Deno.HttpServer<Deno.NetAddr> & { url(kind: string): string } {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const [, kind, id] = /^\/(\w+)\/schemas\/ids\/(\d+)$/.exec(new URL(request.url).pathname) ?? [];
    if (id !== `${ID}`) return Response.json({ error_code: 40401, message: "no" }, { status: 404 });
    return Response.json(
      kind === "avro"
        ? { schema: JSON.stringify(orderSchema) }
        : { schemaType: "PROTOBUF", schema: protobufSchema },
    );
  });
  return Object.assign(server, {
    url: (kind: string) => `http://127.0.0.1:${server.addr.port}/${kind}`,
  });
}

function show(results: readonly Result[], bytes: number): void {
  for (const { name, wall, cpu, memory } of results) {
    const figures = [
      `${wall.median.toFixed(2)} s (${wall.least.toFixed(2)} to ${wall.most.toFixed(2)})`,
      `${(rows / wall.median / 1e6).toFixed(2)} M rows/s`,
      `${(bytes / wall.median / 1e6).toFixed(0)} MB/s`,
      `CPU ${cpu.median.toFixed(2)} s`,
      `${memory.median.toFixed(0)} MiB`,
    ];
    console.log(`  ${name.padEnd(14)} ${figures.join("   ")}`);
  }
}

const load = () => Deno.loadavg().map((one) => one.toFixed(1)).join(" ");

const chosen = flags.only.split(",").map((name) => [name, formats[name]] as const);
console.log(`load average ${load()}`);
for (const [, { bench }] of chosen) bench();

await using broker = await startBroker({ steady: true });
const registry = startRegistry();
const program = await ours(broker.bootstrap, flags.binaries);
for (const [name, { values, flags }] of chosen) {
  const topic = `bench-${name}-${crypto.randomUUID().slice(0, 8)}`;
  await createTopic(broker, topic, PARTITIONS);
  const all = values();
  await fill(broker, topic, all);
  const bytes = all.reduce((sum, value) => sum + value.length, 0) / all.length * rows;
  const url = name === "json" ? [] : ["--registry", registry.url(name)];
  const own = [...program.consume!(topic, rows), "--value", name, ...flags, ...url];
  const kcat = ["kcat", "-C", "-b", broker.bootstrap, "-t", topic, "-o", "beginning", "-e", "-q"];
  console.log(`\n${name}: ${rows} records, ${(bytes / 1e6).toFixed(0)} MB; load average ${load()}`);
  const results = await inTurn([
    { name: "gpdb-kafka", run: (warm) => measure({ command: own }, warm ? rows : undefined) },
    { name: "kcat, as it is", run: () => measure({ command: kcat }) },
  ], runs);
  show(results, bytes);
  const [us, them] = results.map(({ wall }) => wall.median);
  console.log(`  wall, of kcat's: ${(us / them).toFixed(2)}`);
  if (name !== "json") continue;
  const piped = `${kcat.join(" ")} | jq -r '${jq}'`;
  const throughJq = await measure({ command: ["bash", "-c", piped] });
  console.log(
    `  kcat | jq -r    ${throughJq.wall.toFixed(2)} s, ${
      (throughJq.wall / us).toFixed(1)
    } times ours`,
  );
  // The same again, three times: what is read grows, and memory must not.
  for (let i = 0; i < 3; i++) await fill(broker, topic, all);
  const [more] = await inTurn([{ name: "four times", run: () => measure({ command: own }) }], 1);
  console.log(
    `  peak memory: ${results[0].memory.median.toFixed(0)} MiB for ${
      (bytes / 1e9).toFixed(1)
    } GB, ` +
      `${more.memory.median.toFixed(0)} MiB for ${(4 * bytes / 1e9).toFixed(1)} GB`,
  );
  console.log(`  load average ${load()}`);
}
await registry.shutdown();
