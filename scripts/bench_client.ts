/**
 * `gpdb-kafka load` of a source that it reads itself (--via client) beside psql's \copy of the same
 * rows from a file, in one server, in turn:
 *
 *     deno run -A scripts/bench_client.ts [ROWS] [ROUNDS] [PROGRAM|-] [JOBS]
 *
 * Each is timed as a whole process; PROGRAM is a compiled gpdb-kafka instead of this checkout (-). With
 * JOBS also a load by that many connections. Prints medians, and the peak memory of gpdb-kafka. Needs
 * psql and GNU time.
 */
import { join } from "node:path";
import { sourceDdl } from "../lib/greenplum/ddl.ts";
import { schemaSql } from "../lib/greenplum/schema_files.ts";
import { type Figures, inTurn, measure } from "./bench/measure.ts";
import { createTopic } from "./demo/crimes.ts";
import { generateRows } from "./generate_rows.ts";
import { startBroker } from "./servers/broker.ts";
import { startPostgres } from "./servers/postgres.ts";

const rows = Number(Deno.args[0] ?? 2_000_000);
const rounds = Number(Deno.args[1] ?? 3);
const entry = new URL("../main.ts", import.meta.url).pathname;
const compiled = Deno.args[2] ?? "-";
const program = compiled === "-" ? [Deno.execPath(), "run", "-A", entry] : [compiled];
const jobs = Number(Deno.args[3] ?? 1);
const TOPIC = "crimes";

await using broker = await startBroker({ own: true, steady: true });
await using pg = await startPostgres({
  settings: { max_wal_size: "8GB", shared_buffers: "512MB" },
});
const { sql, dsn } = pg;
await pg.runScript(await schemaSql("postgres"));
await pg.runFile(new URL("../sql/crimes/postgres.sql", import.meta.url));
await sql`DROP VIEW crimes_kafka`;
await pg.runScript(sourceDdl({
  name: TOPIC,
  via: "client",
  topic: TOPIC,
  target: { schema: "public", table: "crimes" },
  columns: null,
  brokers: broker.bootstrap,
  configFile: null,
  group: "bench",
  fallback: "earliest",
  onLost: "fail",
  maxRecords: null,
  program: "",
  readerFlags: [],
  isolation: "read_committed",
  rejectLimit: null,
  roles: [],
}, "postgres"));

const file = join(pg.home!, "rows.csv");
{
  using out = await Deno.open(file, { write: true, create: true });
  for (const chunk of generateRows({ rows })) {
    for (let at = 0; at < chunk.length;) at += out.writeSync(chunk.subarray(at));
  }
}
await createTopic(broker, TOPIC);
const { success } = await new Deno.Command(Deno.execPath(), {
  args: ["run", "-A", "producer.ts", "-b", broker.bootstrap, "-t", TOPIC, "-q", file],
  cwd: new URL("..", import.meta.url),
}).output();
if (!success) throw new Error("cannot produce the rows");

/** Runs a command that must leave all rows in the table, which is then emptied. */
async function timed(command: readonly string[]): Promise<Figures> {
  const figures = await measure({ command });
  const [{ count }] = await sql`SELECT count(*)::int AS count FROM crimes`;
  if (count !== rows) throw new Error(`${command[0]} left ${count} rows, not ${rows}`);
  await sql`TRUNCATE crimes`;
  // The same source again, from its start.
  await sql`DELETE FROM kafka.load_history`;
  await sql`CHECKPOINT`;
  return figures;
}

const load = [...program, "load", TOPIC, "--dsn", dsn, "--once", "--quiet"];
const results = await inTurn([
  { name: "gpdb-kafka load", run: () => timed(load) },
  {
    name: "psql \\copy",
    run: () => timed(["psql", dsn, "-qc", `\\copy crimes FROM '${file}' (FORMAT csv)`]),
  },
  ...(jobs > 1
    ? [{ name: `--jobs ${jobs}`, run: () => timed([...load, "--jobs", `${jobs}`]) }]
    : []),
], rounds);
for (const { name, wall, cpu, memory } of results) {
  console.log(
    `${name.padEnd(16)} ${wall.median.toFixed(2)} s (${wall.least.toFixed(2)} to ` +
      `${wall.most.toFixed(2)}), CPU ${cpu.median.toFixed(2)} s, ${Math.round(memory.most)} MiB`,
  );
}
const [one, copy, ...several] = results;
const ratio = ({ wall }: typeof one) => (wall.median / copy.wall.median).toFixed(2);
console.log(
  `median of ${rounds}, ${rows.toLocaleString("en-US")} rows: ` +
    [one, ...several].map((load) => `${load.name} ${ratio(load)}`).join(", "),
);
