/**
 * A merge of kafka.load beside the same by hand, in one server, one after the other:
 *
 *     deno run -A scripts/bench_merge.ts [ROWS] [ROUNDS]
 *
 * By hand: COPY of the same rows into a table with the target's types, then DELETE … USING it and
 * INSERT … SELECT from it. As many keys as rows, all of them in the target. Prints medians.
 */
import { join } from "node:path";
import { sourceDdl } from "../lib/greenplum/ddl.ts";
import { schemaSql } from "../lib/greenplum/schema_files.ts";
import { OFFSET, PARTITION, plainField } from "../lib/greenplum/shape.ts";
import { readColumns } from "../lib/load/database.ts";
import { createTopic } from "./demo/crimes.ts";
import { startBroker } from "./servers/broker.ts";
import { startPostgres } from "./servers/postgres.ts";

const rows = Number(Deno.args[0] ?? 1_000_000);
const rounds = Number(Deno.args[1] ?? 3);
const TOPIC = "orders";

await using broker = await startBroker({ own: true, steady: true });
await using pg = await startPostgres({
  settings: { max_wal_size: "8GB", shared_buffers: "512MB" },
});
const { sql } = pg;
await pg.installProgram({
  name: "kafka_consumer",
  entry: new URL("../consumer.ts", import.meta.url),
});
await run(await schemaSql("postgres"));
await sql.unsafe(`
  CREATE TABLE orders (id bigint PRIMARY KEY, customer text, amount numeric(12,2), status text,
    at timestamptz);
  CREATE UNLOGGED TABLE staged (p int, o bigint, id bigint, customer text, amount numeric(12,2),
    status text, at timestamptz)`);
const { target, columns } = await readColumns(sql, "orders");
const readerColumns = [
  { name: PARTITION, type: "integer" },
  { name: OFFSET, type: "bigint" },
  ...columns,
];
await run(
  sourceDdl({
    name: TOPIC,
    topic: TOPIC,
    target,
    columns: readerColumns,
    shape: {
      readerColumns,
      fields: columns.map(plainField),
      selects: [],
      where: null,
      merge: ["id"],
      mergeOrder: null,
      deleteWhen: null,
    },
    brokers: broker.bootstrap,
    configFile: null,
    group: "bench",
    fallback: "earliest",
    onLost: "fail",
    maxRecords: null,
    program: "$HOME/kafka_consumer",
    readerFlags: ["--columns", "partition,offset"],
    isolation: "read_committed",
    rejectLimit: null,
    roles: [],
  }, "postgres"),
);

const file = join(pg.home!, "rows.csv");
{
  using out = await Deno.open(file, { write: true, create: true });
  const utf8 = new TextEncoder();
  for (let at = 0; at < rows;) {
    let text = "";
    for (const end = Math.min(rows, at + 10_000); at < end; at++) {
      // Keys in another order than the table has them.
      const id = at * 7919 % rows;
      text += `${id},customer ${id % 5000},${id % 1000}.${10 + id % 90},paid,2026-01-31 12:00:${
        10 + id % 50
      }+00\n`;
    }
    const bytes = utf8.encode(text);
    for (let done = 0; done < bytes.length;) done += out.writeSync(bytes.subarray(done));
  }
}
await createTopic(broker, TOPIC);
const { success } = await new Deno.Command(Deno.execPath(), {
  args: ["run", "-A", "producer.ts", "-b", broker.bootstrap, "-t", TOPIC, "-q", file],
  cwd: new URL("..", import.meta.url),
}).output();
if (!success) throw new Error("cannot produce the rows");

/** Runs SQL that has its own BEGIN and COMMIT. */
async function run(text: string): Promise<void> {
  const session = await sql.reserve();
  await session.unsafe(text);
  session.release();
}

async function seconds(query: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await query();
  return (performance.now() - started) / 1000;
}

/** The target as it is before each round: all keys, once, and nothing to clean up. */
async function fill(): Promise<void> {
  await sql`TRUNCATE orders`;
  await sql`
    INSERT INTO orders SELECT i, 'customer', 1, 'new', now() FROM generate_series(0, ${
    rows - 1
  }) i`;
  await sql`VACUUM ANALYZE orders`;
  await sql`CHECKPOINT`;
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];
const times: Record<string, number[]> = { load: [], copy: [], merge: [], total: [] };
const [{ reader }] = await sql`SELECT reader FROM kafka.source`;
const [{ ranges }] = await sql`
  SELECT string_agg(partition_no || ':0-' || end_offset, ',') AS ranges FROM kafka.lag`;
for (let round = 0; round < rounds; round++) {
  await fill();
  const copy = await seconds(() =>
    sql.unsafe(`COPY staged FROM PROGRAM '${reader} --ranges ${ranges}' (FORMAT csv)`)
  );
  await sql`ANALYZE staged`;
  const merge = await seconds(() =>
    sql.begin(async (sql) => {
      await sql`DELETE FROM orders t USING staged s WHERE t.id = s.id`;
      await sql`INSERT INTO orders SELECT id, customer, amount, status, at FROM staged`;
    })
  );
  await sql`TRUNCATE staged`;
  await fill();
  const load = await seconds(async () => {
    const [done] = await sql`SELECT rows::int, updated::int FROM kafka.load(${TOPIC})`;
    if (done.rows !== rows || done.updated !== rows) throw new Error(JSON.stringify(done));
  });
  await sql`SELECT kafka.seek(${TOPIC}, 'earliest')`;
  for (const [name, value] of Object.entries({ load, copy, merge, total: copy + merge })) {
    times[name].push(value);
  }
  console.log(
    `round ${round + 1}: kafka.load ${load.toFixed(2)} s; by hand ${(copy + merge).toFixed(2)} s ` +
      `(COPY ${copy.toFixed(2)}, DELETE + INSERT ${merge.toFixed(2)})`,
  );
}
const [load, copy, merge, total] = ["load", "copy", "merge", "total"].map((name) =>
  median(times[name])
);
console.log(`median of ${rounds}, ${rows.toLocaleString("en-US")} rows:`);
console.log(`  kafka.load / all by hand         ${(load / total).toFixed(2)}`);
console.log(`  its merge / DELETE + INSERT      ${((load - copy) / merge).toFixed(2)}`);
