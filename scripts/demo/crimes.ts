/** The crimes topic and table, as the demos set them up. */
import { Failure } from "../../lib/failure.ts";
import { type Broker, startBroker } from "../servers/broker.ts";
import { generateRows } from "../generate_rows.ts";
import { type Postgres, startPostgres } from "../servers/postgres.ts";
import { own, step } from "./stage.ts";

export const TOPIC = "crimes";
export const PARTITIONS = 8;
export const SEGMENTS = 4;
export const root = new URL("../../", import.meta.url);

/** Starts a broker and a database, both at once. */
export async function startServers(): Promise<[Broker, Postgres]> {
  return await Promise.all([
    step("Kafka", own(startBroker()), (b) => `${b.version} on ${b.bootstrap}, ${b.way}`),
    step(
      "PostgreSQL",
      own(startPostgres({ settings: { datestyle: "ISO, MDY" } })),
      (p) => `on ${new URL(p.dsn).host}`,
    ),
  ]);
}

/** Creates a topic by Kafka's own tool. Returns the number of its partitions. */
export async function createTopic(broker: Broker, topic = TOPIC): Promise<number> {
  const run = await broker.run("org.apache.kafka.tools.TopicCommand", [
    ...["--bootstrap-server", broker.bootstrap, "--create", "--topic", topic],
    ...["--partitions", `${PARTITIONS}`],
  ]);
  if (run.code !== 0) {
    throw new Failure("broker", `cannot create topic "${topic}": ${run.stderr.trim()}`);
  }
  return PARTITIONS;
}

/** Creates a topic that goes away at the end: a broker that KAFKA_BROKERS names may stay. */
export async function borrowTopic(broker: Broker, topic: string): Promise<number> {
  const partitions = await createTopic(broker, topic);
  const args = ["--bootstrap-server", broker.bootstrap, "--delete", "--topic", topic];
  const remove = async () => {
    if (broker.way === "KAFKA_BROKERS") {
      await broker.run("org.apache.kafka.tools.TopicCommand", args);
    }
  };
  await own(Promise.resolve({ [Symbol.asyncDispose]: remove }));
  return partitions;
}

/** Pipes generated rows into kafka_producer, as a shell would; `more` are its arguments. */
export async function produce(
  broker: Broker,
  rows: number,
  start: number,
  topic = TOPIC,
  more: string[] = [],
): Promise<number> {
  const args = ["run", "-A", "--quiet", "producer.ts", "-b", broker.bootstrap, "-t", topic, "-q"];
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args, ...more],
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

/** Makes table crimes, and its segment readers, which the server runs. */
export async function prepareTable(
  broker: Broker,
  postgres: Postgres,
  topic = TOPIC,
): Promise<void> {
  await postgres.installProgram({ name: "kafka_consumer", entry: new URL("consumer.ts", root) });
  await postgres.runFile(new URL("sql/crimes/postgres.sql", root), {
    "gpdb_kafka.command": `$HOME/kafka_consumer --brokers ${broker.bootstrap} --topic ${topic}`,
    "gpdb_kafka.slots": `${SEGMENTS}`,
  });
}

/** Lets the database run its segment readers, all at once. Returns the rows they brought. */
export async function load({ sql }: Pick<Postgres, "sql">): Promise<number> {
  const inserts = Array.from(
    { length: SEGMENTS },
    (_, i) => sql.unsafe(`INSERT INTO crimes SELECT * FROM crimes_kafka_${i}`),
  );
  return (await Promise.all(inserts)).reduce((sum, { count }) => sum + count, 0);
}
