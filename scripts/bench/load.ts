import { join } from "node:path";
import { sourceDdl } from "../../lib/greenplum/ddl.ts";
import { schemaSql } from "../../lib/greenplum/schema_files.ts";
import { readColumns } from "../../lib/load/database.ts";
import { type Postgres, startPostgres } from "../servers/postgres.ts";
import { type Figures, inTurn } from "./measure.ts";
import { type Bench, createTopic, filled, rowsFile, type Table } from "./sections.ts";

const TOPIC = "crimes";

/**
 * `kafka.load` beside COPY FROM a file of the same rows, and from a program that only copies them, in
 * one server; and a load with nothing new.
 */
export async function load(bench: Bench): Promise<Table[]> {
  await using pg = await startPostgres({
    settings: { max_wal_size: "8GB", shared_buffers: "512MB" },
  });
  await install(pg, bench);
  await createTopic(bench.broker, TOPIC);
  await filled(bench, TOPIC, { exists: true });
  const file = join(pg.home!, "rows.csv");
  await Deno.copyFile(await rowsFile(bench, bench.rows), file);
  await Deno.chmod(file, 0o644);
  bench.report("load");
  const results = await inTurn([
    {
      name: "gpdb-kafka",
      run: async () => {
        const { found } = (await pg.sql`SELECT count(*)::int AS found FROM kafka.load_history`)[0];
        if (found > 0) await pg.sql`SELECT kafka.seek(${TOPIC}, 'earliest')`;
        return await timed(pg, bench.rows, "SELECT * FROM kafka.load('crimes')");
      },
    },
    {
      name: "COPY FROM a file",
      run: () => timed(pg, bench.rows, `COPY crimes FROM '${file}' (FORMAT csv)`),
    },
    {
      name: "COPY FROM PROGRAM cat",
      run: () => timed(pg, bench.rows, `COPY crimes FROM PROGRAM 'cat ${file}' (FORMAT csv)`),
    },
  ], bench.runs);
  await pg.sql`SELECT * FROM kafka.load(${TOPIC})`;
  await pg.sql`TRUNCATE crimes`;
  const nothing = await inTurn([{
    name: "gpdb-kafka",
    run: () => timed(pg, 0, "SELECT * FROM kafka.load('crimes')"),
  }], 21);
  return [
    { title: "Load into PostgreSQL", id: "load", results },
    { title: "A load with nothing new", id: "nothing-new", results: nothing },
  ];
}

async function install(pg: Postgres, { broker, contestants }: Bench): Promise<void> {
  const [compiled] = contestants[0].consume!(TOPIC, 0);
  if (compiled.endsWith("/kafka_consumer")) {
    // Where the server's user can run it.
    await Deno.copyFile(compiled, join(pg.home!, "kafka_consumer"));
  } else {
    const entry = new URL("../../consumer.ts", import.meta.url);
    await pg.installProgram({ name: "kafka_consumer", entry });
  }
  await pg.runScript(await schemaSql("postgres"));
  await pg.runFile(new URL("../../sql/crimes/postgres.sql", import.meta.url));
  await pg.sql`DROP VIEW crimes_kafka`;
  const { target, columns } = await readColumns(pg.sql, "crimes");
  const ddl = sourceDdl({
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
  }, "postgres");
  await pg.runScript(ddl);
}

/** Runs a statement that must leave `rows` rows in the table, which is then emptied. The server's CPU is not known. */
async function timed(pg: Postgres, rows: number, statement: string): Promise<Figures> {
  const started = performance.now();
  await pg.sql.unsafe(statement);
  const wall = (performance.now() - started) / 1000;
  const [{ count }] = await pg.sql`SELECT count(*)::int AS count FROM crimes`;
  if (count !== rows) throw new Error(`${statement} left ${count} rows, not ${rows}`);
  await pg.sql`TRUNCATE crimes`;
  await pg.sql`CHECKPOINT`;
  return { wall, cpu: NaN, memory: NaN };
}
