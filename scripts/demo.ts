/**
 * The main job, from nothing: a Kafka topic becomes rows of a PostgreSQL table, read by four
 * segment readers that the database itself runs; `deno task demo`. All it starts is stopped and
 * removed at the end, on Ctrl-C too.
 */
import { Failure } from "../lib/failure.ts";
import { exitCodes } from "../lib/cli/exit_codes.ts";
import { type Broker, startBroker } from "./broker.ts";
import { generateRows } from "./generate_rows.ts";
import { type Postgres, startPostgres } from "./postgres.ts";

const TOPIC = "crimes";
const PARTITIONS = 8;
const SEGMENTS = 4;
const root = new URL("../", import.meta.url);

const cleanup = new AsyncDisposableStack();

/** Remembers to stop what is being started, whether or not the start is finished by then. */
function own<T extends AsyncDisposable>(starting: Promise<T>): Promise<T> {
  cleanup.defer(async () => {
    const started = await starting.catch(() => null);
    await started?.[Symbol.asyncDispose]();
  });
  return starting;
}

/** Says what is done, does it, and says what came of it and how long it took. */
async function step<T>(what: string, work: Promise<T>, outcome: (result: T) => string): Promise<T> {
  const started = performance.now();
  const terminal = Deno.stderr.isTerminal();
  if (terminal) say(Deno.stderr, `\r  … ${what}`);
  try {
    const result = await work;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    if (terminal) say(Deno.stderr, "\r\x1b[K");
    say(Deno.stdout, `  ✓ ${what}: ${outcome(result)} (${seconds} s)\n`);
    return result;
  } catch (error) {
    if (terminal) say(Deno.stderr, "\r\x1b[K");
    throw error;
  }
}

function say(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += to.writeSync(bytes.subarray(at));
}

const grouped = (count: number) => Math.round(count).toLocaleString("en-US");

async function createTopic(broker: Broker): Promise<number> {
  const run = await broker.run("org.apache.kafka.tools.TopicCommand", [
    ...["--bootstrap-server", broker.bootstrap, "--create", "--topic", TOPIC],
    ...["--partitions", `${PARTITIONS}`],
  ]);
  if (run.code !== 0) {
    throw new Failure("broker", `cannot create topic "${TOPIC}": ${run.stderr.trim()}`);
  }
  return PARTITIONS;
}

/** Pipes generated rows into kafka_producer, as a shell would. */
async function produce(broker: Broker, rows: number, start: number): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "producer.ts", "-b", broker.bootstrap, "-t", TOPIC, "-q"],
    cwd: root,
    stdin: "piped",
    stderr: "piped",
  }).spawn();
  const said = new Response(child.stderr).text();
  const writer = child.stdin.getWriter();
  try {
    for (const chunk of generateRows({ rows, start })) await writer.write(chunk);
    await writer.close();
  } catch {
    // It ended early: its status and its words say why.
  }
  const { code } = await child.status;
  if (code !== 0) throw new Failure("broker", (await said).trim());
  return rows;
}

/** Lets the database run its segment readers, all at once. Returns the rows they brought. */
async function load({ sql }: Postgres): Promise<number> {
  const inserts = Array.from(
    { length: SEGMENTS },
    (_, i) => sql.unsafe(`INSERT INTO crimes SELECT * FROM crimes_kafka_${i}`),
  );
  return (await Promise.all(inserts)).reduce((sum, { count }) => sum + count, 0);
}

async function showTypes({ sql }: Postgres): Promise<void> {
  const types = await sql<{ type: string; count: number }[]>`
    SELECT primary_type AS type, count(*)::int AS count
    FROM crimes GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 8`;
  const most = types[0]?.count ?? 1;
  const width = Math.max(...types.map(({ type }) => type.length));
  say(Deno.stdout, "\n");
  for (const { type, count } of types) {
    const bar = "█".repeat(Math.max(1, Math.round(40 * count / most)));
    say(Deno.stdout, `    ${type.padEnd(width)} ${bar} ${grouped(count)}\n`);
  }
}

async function demo(): Promise<void> {
  const started = performance.now();
  say(Deno.stdout, "A Kafka topic becomes rows of a table\n\n");
  const [broker, postgres] = await Promise.all([
    step("Kafka", own(startBroker()), (b) => `${b.version} on ${b.bootstrap}, ${b.way}`),
    step(
      "PostgreSQL",
      own(startPostgres({ settings: { datestyle: "ISO, MDY" } })),
      (p) => `on ${new URL(p.dsn).host}`,
    ),
  ]);
  await step(`topic ${TOPIC}`, createTopic(broker), (n) => `${n} partitions`);
  await step("produced", produce(broker, 100_000, 1), (n) => `${grouped(n)} rows`);
  const prepare = async () => {
    await postgres.installProgram({ name: "kafka_consumer", entry: new URL("consumer.ts", root) });
    await postgres.runFile(new URL("sql/crimes/postgres.sql", root), {
      "gpdb_kafka.command": `$HOME/kafka_consumer --brokers ${broker.bootstrap} --topic ${TOPIC}`,
      "gpdb_kafka.slots": `${SEGMENTS}`,
    });
  };
  await step("table crimes", prepare(), () => `${SEGMENTS} segment readers`);
  const loads = async (what: string) => {
    const began = performance.now();
    const perSecond = (rows: number) =>
      rows === 0 ? "" : `, ${grouped(rows / (performance.now() - began) * 1000)} rows/s`;
    return await step(what, load(postgres), (n) => `${grouped(n)} rows${perSecond(n)}`);
  };
  const found = [await loads("first load")];
  await step("produced", produce(broker, 10_000, 100_001), (n) => `${grouped(n)} rows more`);
  found.push(await loads("second load"), await loads("third load"));
  const [{ count }] = await postgres.sql<{ count: number }[]>`
    SELECT count(DISTINCT id)::int AS count FROM crimes`;
  await showTypes(postgres);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(Deno.stdout, `\n${grouped(count)} rows, each once, after ${seconds} s\n`);
  if (found.join() !== "100000,10000,0" || count !== 110_000) {
    throw new Failure("incomplete", `the loads found ${found.join(", ")} rows, ${count} differ`);
  }
}

const interrupted = new Promise<number>((resolve) => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      say(Deno.stderr, `\n${signal}: stopping what was started\n`);
      resolve(exitCodes[signal].code);
    });
  }
});

const finished = demo().then(() => exitCodes.done.code, (error) => {
  if (!(error instanceof Failure)) throw error;
  say(Deno.stderr, `demo: ${error.message}\n`);
  return exitCodes[error.kind].code;
});
const code = await Promise.race([finished, interrupted]);
await cleanup.disposeAsync();
Deno.exit(code);
