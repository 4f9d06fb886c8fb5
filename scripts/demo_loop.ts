/**
 * The shell scripts that the first gpdb-kafka came with, as tasks: a loop that loads what is new,
 * a loop that counts the table's rows, and the round trip through Kafka, a table and Kafka again.
 *
 *     deno task demo:load [--every 5s] [--rounds N]
 *     deno task demo:count [--every 1s] [--rounds N]
 *     deno task demo:roundtrip [--rows N]
 *
 * Without DATABASE_URL they start a broker and a database, and a producer that sends rows all the
 * while. With it, load and count work on that database, which must have the tables of sql/crimes.
 */
import { parseArgs } from "node:util";
import postgres from "postgres";
import { parseCount, parseDuration } from "../lib/cli/values.ts";
import { Failure } from "../lib/failure.ts";
import { databaseProblem } from "../lib/load/errors.ts";
import { pause } from "../lib/waiting.ts";
import {
  borrowTopic,
  load,
  prepareTable,
  produce,
  root,
  SEGMENTS,
  startServers,
  TOPIC,
} from "./demo/crimes.ts";
import { grouped, own, perform, say, step } from "./demo/stage.ts";
import type { Postgres } from "./servers/postgres.ts";

/** What the producer sends at a time, and how long it waits then. */
const BATCH = 2000;
const PAUSE = 2000; // milliseconds

/** A database whose table crimes grows. */
interface Growing {
  sql: postgres.Sql;
  /** Inserts what is new. Returns the number of rows. */
  load(): Promise<number>;
}

/**
 * The database of DATABASE_URL, else one of ours with a broker and a producer that keeps writing.
 */
async function start(): Promise<Growing> {
  const url = Deno.env.get("DATABASE_URL");
  if (url) {
    // The rows' dates are written 04/30/2014 11:00:00 PM.
    const connection = { datestyle: "ISO, MDY" };
    const sql = postgres(url, { max: 1, onnotice: () => {}, connection });
    await own(Promise.resolve({ [Symbol.asyncDispose]: () => sql.end({ timeout: 1 }) }));
    return {
      sql,
      load: async () => (await sql`INSERT INTO crimes SELECT * FROM crimes_kafka`).count,
    };
  }
  const [broker, server] = await startServers();
  // A broker that KAFKA_BROKERS names may have topics of that name.
  const topic = `${TOPIC}-${crypto.randomUUID().slice(0, 8)}`;
  await step(`topic ${topic}`, borrowTopic(broker, topic), (n) => `${n} partitions`);
  await step("table crimes", prepareTable(broker, server, topic), () => `${SEGMENTS} readers`);
  say(Deno.stdout, `\nDATABASE_URL=${server.dsn}\n\n`);
  feed(async (first) => {
    await produce(broker, BATCH, first, topic);
  });
  return { sql: server.sql, load: () => load(server) };
}

/** Sends rows, waits, and sends again, until the process ends. */
function feed(send: (first: number) => Promise<void>): void {
  (async () => {
    for (let first = 1;; first += BATCH) {
      await send(first);
      await pause(PAUSE);
    }
  })().catch((error) => say(Deno.stderr, `the producer has ended: ${error.message}\n`));
}

async function count({ sql }: Pick<Postgres, "sql">): Promise<number> {
  const [{ rows }] = await sql<{ rows: string }[]>`SELECT count(*) AS rows FROM crimes`;
  return Number(rows);
}

/** Does something every so often, and again where the database said no. */
async function repeat(every: number, rounds: number, work: () => Promise<string>): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    const line = await work().catch((error) =>
      `failed: ${databaseProblem(error)?.message ?? error}`
    );
    say(Deno.stdout, `${new Date().toISOString().slice(11, 19)}  ${line}\n`);
    if (round < rounds) await pause(every);
  }
}

async function loadLoop(every: number, rounds: number): Promise<void> {
  const growing = await start();
  await repeat(every, rounds, async () => {
    const rows = await growing.load();
    return `INSERT ${grouped(rows)} rows; ${grouped(await count(growing))} in the table`;
  });
}

async function countLoop(every: number, rounds: number): Promise<void> {
  const growing = await start();
  if (!Deno.env.get("DATABASE_URL")) {
    // Nobody else loads it.
    feed(async () => {
      await growing.load();
    });
  }
  let last = 0;
  await repeat(every, rounds, async () => {
    const rows = await count(growing);
    const more = rows - last;
    last = rows;
    return `${grouped(rows).padStart(12)} rows  ${more > 0 ? `+${grouped(more)}` : ""}`;
  });
}

/** Rows into a topic, into the table, out into another topic, and into a second table. */
async function roundTrip(rows: number): Promise<void> {
  if (Deno.env.get("DATABASE_URL")) {
    throw new Failure(
      "usage",
      "demo:roundtrip puts programs on a server of its own: unset DATABASE_URL",
    );
  }
  const [broker, server] = await startServers();
  const there = `${TOPIC}-${crypto.randomUUID().slice(0, 8)}`;
  const back = `${there}-back`;
  await Promise.all([borrowTopic(broker, there), borrowTopic(broker, back)]);
  await step("rows to topic", produce(broker, rows, 1, there), (n) => `${grouped(n)} rows`);
  await prepareTable(broker, server, there);
  await step("topic to table", load(server), (n) => `${grouped(n)} rows`);
  const entry = new URL("producer.ts", root);
  const program = await server.installProgram({ name: "kafka_producer", entry });
  const { sql } = server;
  const out = sql.unsafe(
    `COPY crimes TO PROGRAM '${program} -b ${broker.bootstrap} -t ${back} --split csv ` +
      "--key-column 1 --codec lz4 -q' (FORMAT csv)",
  );
  await step("table to topic", out, ({ count }) => `${grouped(count)} rows`);
  await sql`CREATE TABLE crimes_back (LIKE crimes)`;
  const again = sql.unsafe(
    `COPY crimes_back FROM PROGRAM '$HOME/kafka_consumer -b ${broker.bootstrap} -t ${back} ` +
      "-o earliest' (FORMAT csv)",
  );
  await step("topic to table", again, ({ count }) => `${grouped(count)} rows`);
  const [{ differ }] = await sql`
    SELECT (SELECT count(*) FROM (TABLE crimes EXCEPT ALL TABLE crimes_back) a)
      + (SELECT count(*) FROM (TABLE crimes_back EXCEPT ALL TABLE crimes) b) AS differ`;
  const found = await count(server);
  if (Number(differ) !== 0 || found !== rows) {
    throw new Failure(
      "incomplete",
      `${found} of ${rows} rows came, ${differ} differ on the way back`,
    );
  }
  say(Deno.stdout, `\n${grouped(rows)} rows came back as they were\n`);
}

await perform(async () => {
  const { positionals: [what], values } = parseArgs({
    args: Deno.args,
    allowPositionals: true,
    options: { every: { type: "string" }, rounds: { type: "string" }, rows: { type: "string" } },
  });
  const rounds = values.rounds === undefined ? Infinity : parseCount("--rounds", values.rounds, 1);
  const every = (otherwise: string) => parseDuration("--every", values.every ?? otherwise);
  if (what === "load") return await loadLoop(every("5s"), rounds);
  if (what === "count") return await countLoop(every("1s"), rounds);
  if (what === "roundtrip") return await roundTrip(parseCount("--rows", values.rows ?? "20000", 1));
  throw new Failure("usage", "use load, count or roundtrip");
});
