import { sourceDdl } from "../../lib/greenplum/ddl.ts";
import { schemaSql } from "../../lib/greenplum/schema_files.ts";
import { readColumns } from "../../lib/load/database.ts";
import { type Postgres, startPostgres } from "../servers/postgres.ts";
import { type Figures, inTurn } from "./measure.ts";
import { type Bench, createTopic, filled, PARTITIONS, rowsFile, type Table } from "./sections.ts";

const TOPIC = "greenplum";
/** Where the rows' dates have the month first. */
const DATES = "SET datestyle = 'ISO, MDY'";

/**
 * `kafka.load` and web tables of ours beside web tables of kcat, and of `cat` of files: what
 * Greenplum itself needs. In the Greenplum of GPDB_KAFKA_TEST_GREENPLUM, which must be on this
 * machine; none without one. Its segments run kafka_consumer from `--binaries`, or from the home
 * folder of their user.
 */
export async function greenplum(bench: Bench): Promise<Table[]> {
  const url = Deno.env.get("GPDB_KAFKA_TEST_GREENPLUM");
  if (!url) {
    bench.report("greenplum: left out, GPDB_KAFKA_TEST_GREENPLUM names none");
    return [];
  }
  await using pg = await startPostgres({ url });
  const segments = await install(pg, bench);
  const [{ server_version }] = await pg.sql`SHOW server_version`;
  const where = `${segments} segments of PostgreSQL ${server_version}`;
  await filled(bench, TOPIC, { exists: true });
  await splitRows(bench, segments);
  bench.report("greenplum");
  const insertFrom = (table: string) => `INSERT INTO crimes SELECT * FROM ${table}`;
  const inserts = await inTurn([
    {
      name: "gpdb-kafka: kafka.load",
      run: async () => {
        const { found } = (await pg.sql`SELECT count(*)::int AS found FROM kafka.load_history`)[0];
        if (found > 0) await pg.sql`SELECT kafka.seek(${TOPIC}, 'earliest')`;
        return await inserted(pg, bench.rows, `SELECT * FROM kafka.load('${TOPIC}')`);
      },
    },
    ...["ours", "cat", "kcat"].map((table) => ({
      name: names[table],
      run: () => inserted(pg, bench.rows, insertFrom(table)),
    })),
  ], bench.runs);
  const counts = await inTurn(
    ["ours", "cat", "kcat"].map((table) => ({
      name: names[table],
      run: () => counted(pg, bench.rows, table),
    })),
    bench.runs,
  );
  return [
    { title: `Load into Greenplum, ${where}`, id: "greenplum-load", results: inserts },
    { title: `count(*) of a web table, ${where}`, id: "greenplum", results: counts },
  ];
}

const names: Record<string, string> = {
  ours: "gpdb-kafka: web table",
  cat: "web table of cat",
  kcat: "web table of kcat",
};

/** Installs schema, source, table and web tables. Returns the number of segments. */
async function install(pg: Postgres, bench: Bench): Promise<number> {
  const { broker: { bootstrap }, folder } = bench;
  await createTopic(bench.broker, TOPIC);
  await psql(pg, await schemaSql("greenplum"));
  await pg.runFile(new URL("../../sql/crimes/greenplum.sql", import.meta.url));
  const [{ segments }] = await pg.sql`
    SELECT count(*)::int AS segments FROM gp_segment_configuration
    WHERE content >= 0 AND role = 'p'`;
  const [program] = bench.contestants[0].consume!(TOPIC, 0);
  const isCompiled = program.endsWith("/kafka_consumer");
  const consumer = isCompiled ? program : "$HOME/kafka_consumer";
  const { target, columns } = await readColumns(pg.sql, "crimes");
  await pg.runScript(sourceDdl({
    name: TOPIC,
    topic: TOPIC,
    target,
    columns,
    brokers: bootstrap,
    configFile: null,
    group: "bench",
    fallback: "earliest",
    onLost: "fail",
    maxRecords: null,
    program: consumer,
    readerFlags: [],
    isolation: "read_committed",
    rejectLimit: null,
    roles: [],
  }, "greenplum"));
  const share = `for p in $(seq $GP_SEGMENT_ID ${segments} ${PARTITIONS - 1}); do`;
  const commands = {
    ours: `${consumer} -b ${bootstrap} -t ${TOPIC} --commit no`,
    cat: `cat ${folder}/segment-$GP_SEGMENT_ID.csv`,
    kcat: `${share} kcat -C -b ${bootstrap} -t ${TOPIC} -p $p -o beginning -e -q; done`,
  };
  for (const [table, command] of Object.entries(commands)) {
    await pg.sql.unsafe(
      `CREATE READABLE EXTERNAL WEB TABLE ${table} (LIKE crimes) EXECUTE '${command}' ON ALL ` +
        "FORMAT 'CSV' (DELIMITER ',' NULL '' NEWLINE 'LF') ENCODING 'UTF8'",
    );
  }
  return segments;
}

/** Runs a script as users do. */
async function psql({ dsn }: Postgres, script: string): Promise<void> {
  const child = new Deno.Command("psql", {
    args: ["-d", dsn, "-q", "-v", "ON_ERROR_STOP=1"],
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  await new Blob([script]).stream().pipeTo(child.stdin);
  const { success, stderr } = await output;
  if (!success) throw new Error(`psql failed: ${new TextDecoder().decode(stderr)}`);
}

/** The rows in as many files as there are segments, which any user may read. */
async function splitRows(bench: Bench, segments: number): Promise<void> {
  const file = await rowsFile(bench, bench.rows);
  await Deno.chmod(bench.folder, 0o755);
  const { success } = await new Deno.Command("split", {
    args: [
      ...["-n", `l/${segments}`, "-d", "-a", "1", "--additional-suffix=.csv", file],
      `${bench.folder}/segment-`,
    ],
  }).output();
  if (!success) throw new Error(`cannot split ${file}`);
}

/** Runs a statement that must leave `rows` rows in the table, which is then emptied. */
async function inserted(pg: Postgres, rows: number, statement: string): Promise<Figures> {
  const wall = await timed(pg, statement);
  const [{ count }] = await pg.sql`SELECT count(*)::int AS count FROM crimes`;
  if (count !== rows) throw new Error(`${statement} left ${count} rows, not ${rows}`);
  await pg.sql`TRUNCATE crimes`;
  await pg.sql`CHECKPOINT`;
  return { wall, cpu: NaN, memory: NaN };
}

async function counted(pg: Postgres, rows: number, table: string): Promise<Figures> {
  const started = performance.now();
  const [{ count }] = await pg.sql.unsafe(`SELECT count(*)::int AS count FROM ${table}`);
  if (count !== rows) throw new Error(`${table} has ${count} rows, not ${rows}`);
  return { wall: (performance.now() - started) / 1000, cpu: NaN, memory: NaN };
}

/** Seconds that a statement takes, in a session that reads the rows' dates. */
async function timed(pg: Postgres, statement: string): Promise<number> {
  const session = await pg.sql.reserve();
  try {
    await session.unsafe(DATES);
    const started = performance.now();
    await session.unsafe(statement);
    return (performance.now() - started) / 1000;
  } finally {
    await session.unsafe("RESET datestyle");
    session.release();
  }
}
