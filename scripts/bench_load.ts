/**
 * kafka.load beside COPY FROM a file of the same rows, in one server, one after the other:
 *
 *     deno run -A scripts/bench_load.ts [ROWS] [ROUNDS]
 *
 * And a load with nothing new. Prints medians, and the ratio of each round's pair.
 */
import { join } from "node:path";
import { schemaSql } from "../lib/greenplum/schema_files.ts";
import { sourceDdl } from "../lib/greenplum/ddl.ts";
import { readColumns } from "../lib/load/database.ts";
import { createTopic } from "../tests/support/kafka.ts";
import { runScript } from "../tests/support/load.ts";
import { startBroker } from "./servers/broker.ts";
import { generateRows } from "./generate_rows.ts";
import { startPostgres } from "./servers/postgres.ts";

const rows = Number(Deno.args[0] ?? 2_000_000);
const rounds = Number(Deno.args[1] ?? 5);
const TOPIC = "crimes";

await using broker = await startBroker({ own: true });
await using pg = await startPostgres({
  settings: { max_wal_size: "8GB", shared_buffers: "512MB" },
});
await pg.installProgram({
  name: "kafka_consumer",
  entry: new URL("../consumer.ts", import.meta.url),
});
await runScript(pg, await schemaSql("postgres"));
await pg.runFile(new URL("../sql/crimes/postgres.sql", import.meta.url));
await pg.sql`DROP VIEW crimes_kafka`;
const { target, columns } = await readColumns(pg.sql, "crimes");
await runScript(
  pg,
  sourceDdl({
    name: TOPIC,
    topic: TOPIC,
    target,
    columns,
    brokers: broker.bootstrap,
    configFile: null,
    group: "bench",
    fallback: "earliest",
    onLost: "fail",
    maxRecords: null,
    program: "$HOME/kafka_consumer",
    readerFlags: [],
    isolation: "read_committed",
    rejectLimit: null,
    roles: [],
  }, "postgres"),
);

const file = join(pg.home!, "rows.csv");
const out = await Deno.open(file, { write: true, create: true });
for (const chunk of generateRows({ rows })) {
  for (let at = 0; at < chunk.length;) at += out.writeSync(chunk.subarray(at));
}
out.close();
await createTopic(broker, TOPIC, { partitions: 8 });
const { success } = await new Deno.Command(Deno.execPath(), {
  args: ["run", "-A", "producer.ts", "-b", broker.bootstrap, "-t", TOPIC, "-q", file],
  cwd: new URL("..", import.meta.url),
}).output();
if (!success) throw new Error("cannot produce the rows");

async function seconds(query: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await query();
  return (performance.now() - started) / 1000;
}

async function count(): Promise<void> {
  const [{ count }] = await pg.sql`SELECT count(*)::int FROM crimes`;
  if (count !== rows) throw new Error(`${count} rows, not ${rows}`);
  await pg.sql`TRUNCATE crimes`;
  await pg.sql`CHECKPOINT`;
}

const copies: number[] = [];
const loads: number[] = [];
for (let round = 0; round <= rounds; round++) {
  const copy = await seconds(() => pg.sql.unsafe(`COPY crimes FROM '${file}' (FORMAT csv)`));
  await count();
  if (round > 0) await pg.sql`SELECT kafka.seek('crimes', 'earliest')`;
  const load = await seconds(async () => await pg.sql`SELECT * FROM kafka.load('crimes')`);
  await count();
  if (round === 0) continue; // a warm-up
  copies.push(copy);
  loads.push(load);
  console.log(
    `COPY FROM file ${copy.toFixed(2)} s, kafka.load ${load.toFixed(2)} s, ` +
      `ratio ${(load / copy).toFixed(3)}`,
  );
}
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];
const ratios = loads.map((load, i) => load / copies[i]);
console.log(
  `${rows} rows, medians of ${rounds}: COPY ${median(copies).toFixed(2)} s, ` +
    `kafka.load ${median(loads).toFixed(2)} s, ratio ${median(ratios).toFixed(3)}`,
);

const empty: number[] = [];
for (let i = 0; i < 21; i++) {
  empty.push(await seconds(async () => await pg.sql`SELECT * FROM kafka.load('crimes')`));
}
console.log(
  `nothing new, median of 21: ${(median(empty) * 1000).toFixed(0)} ms, ` +
    `slowest ${(Math.max(...empty) * 1000).toFixed(0)} ms`,
);
