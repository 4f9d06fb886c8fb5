/**
 * Where the documents' commands are run: a copy of the checkout, and a broker and a database that
 * stand for those of the documents.
 */
import { delimiter, join } from "node:path";
import postgres from "postgres";
import { freePorts } from "../../scripts/servers/broker/ports.ts";
import { type Broker, startBroker } from "../../scripts/servers/broker.ts";
import { generateRows } from "../../scripts/generate_rows.ts";
import { quoteWord } from "../../lib/greenplum/quote.ts";
import { schemaSql } from "../../lib/greenplum/schema_files.ts";
import { startPostgres } from "../../scripts/servers/postgres.ts";
import { copyCheckout } from "../../scripts/compile/checkout.ts";
import { commandLine, consumer, producer, text } from "./cli.ts";
import { scp, ssh } from "./hosts.ts";
import { isInstalled } from "./installed.ts";
import { record } from "../unit/records/avro_encode.ts";
import { createTopic, deleteTopic, withAdmin } from "./kafka.ts";
import { fillStructured, PAYMENT, SHIPMENT } from "./structured_topics.ts";
import { addSource, installConsumer, runScript } from "./load.ts";

export interface World extends AsyncDisposable {
  broker: Broker;
  /** Where the commands are run. */
  folder: string;
  /** The environment that they have. */
  env: Record<string, string>;
  /** Sessions of the superuser in its database. */
  sql: postgres.Sql;
  /** A command with the names of this world's hosts; nothing else in it is changed. */
  here(command: string): string;
  /** The other way round: output with the names of the documents' hosts. */
  asShown(output: string): string;
  /** Makes topic crimes with rows that group loader has read, and their table and source. */
  fill(): Promise<void>;
  /** Writes some more rows to topic crimes. */
  write(): Promise<void>;
  /** Deletes topic crimes, if there is one. */
  removeTopic(): Promise<void>;
}

const password = "of-the-test";

export async function startWorld(): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const { folder } = stack.use(await copyCheckout());
  const broker = stack.use(await startBroker({ own: true }));
  const pg = stack.use(await startPostgres());
  await installConsumer(pg);
  for (const role of ["gpadmin SUPERUSER", "etl"]) {
    await pg.sql.unsafe(`CREATE ROLE ${role} LOGIN PASSWORD '${password}'`);
  }
  await pg.sql`CREATE DATABASE warehouse OWNER gpadmin`;
  const { host, hostname, port } = new URL(pg.dsn);
  const dsn = (user: string) => `postgres://${user}:${password}@${host}/warehouse`;
  const sql = postgres(dsn("gpadmin"), { max: 2, onnotice: () => {} });
  stack.defer(() => sql.end({ timeout: 1 }));
  const bin = await Deno.makeTempDir({ prefix: "gpdb-kafka-documents-" });
  stack.defer(() => Deno.remove(bin, { recursive: true }));
  await makePrograms(bin, {
    KAFKA_BROKERS: broker.bootstrap,
    DATABASE_URL: dsn("gpadmin"),
    // What Greenplum gives to a command: the statement that reads from it.
    GP_QUERY_STRING: "/* kafka-plan topic=crimes */ SELECT 1",
  });
  await makeFiles(folder, join(bin, "hosts"));
  const [free] = freePorts(1);
  const registry = stack.use(
    await fillStructured(broker, {
      "shop-orders": "shop-orders",
      payments: "payments",
      shipments: "shipments",
    }),
  );
  const more = ["plain-payments", "plain-shipments", "receipts", "exports"];
  for (const topic of more) await createTopic(broker, topic);
  const owned = stack.move();
  return {
    broker,
    folder,
    sql,
    env: {
      PATH: `${bin}${delimiter}${Deno.env.get("PATH")}`,
      HOSTS: join(bin, "hosts"),
      ...{ PGHOST: hostname, PGPORT: port, PGUSER: "gpadmin", PGPASSWORD: password },
      // A person has none of these set, unless a document says so.
      ...{ KAFKA_BROKERS: "", KAFKA_PEERS: "", KAFKA_CONFIG: "", DATABASE_URL: "" },
      NO_COLOR: "1",
    },
    here: (command) =>
      command
        .replaceAll(/\bbroker\d:9092\b/g, broker.bootstrap)
        .replaceAll(/postgres:\/\/(\w+)@coordinator\/warehouse\b/g, (_, user) => dsn(user))
        .replaceAll("http://registry:8081", registry.url)
        .replaceAll("127.0.0.1:9187", `127.0.0.1:${free}`)
        // In a sentence a task is called by what comes after `npx -y deno@2.9.6`. One demo that
        // starts a broker is enough.
        .replace(/^task (demo:)?/, (_, more) =>
          `${more ? `KAFKA_BROKERS=${broker.bootstrap} ` : ""}deno task ${more ?? ""}`)
        // The database is a PostgreSQL.
        .replace(/^(gpdb-kafka sql (?:schema|source|table)\b)/, "$1 --for postgres"),
    asShown: (output) =>
      output
        .replaceAll(broker.bootstrap, "broker1:9092")
        .replaceAll(host, "coordinator")
        .replaceAll(`host ${Deno.hostname()}`, "host coordinator"),
    async fill() {
      await createTopic(broker, "crimes", { partitions: 4 });
      for (const [partition, rows] of [1500, 100, 100, 100].entries()) {
        await produceRows(broker, rows, partition);
      }
      check(await consumer(["-b", broker.bootstrap, "-t", "crimes", "-g", "loader"]));
      const session = { sql };
      await runScript(session, await Deno.readTextFile(join(folder, "sql/crimes/postgres.sql")));
      await sql`GRANT INSERT ON crimes TO etl`;
      await runScript(session, await schemaSql("postgres"));
      await addSource(session, broker, { name: "crimes", topic: "crimes", table: "crimes" });
    },
    write: () => produceRows(broker, 10, 1),
    async removeTopic() {
      const topics = await withAdmin(broker, (admin) => admin.listTopics());
      if (topics.includes("crimes")) await deleteTopic(broker, "crimes");
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Writes rows to one partition of topic crimes; `before`: the ID before the first row's. */
export async function produceRows(
  broker: Broker,
  rows: number,
  partition: number,
  before = 100_000 * partition,
): Promise<void> {
  const args = ["-b", broker.bootstrap, "-t", "crimes", "-p", `${partition}`];
  const lines = [...generateRows({ rows, start: before + 1 })].map(text).join("");
  check(await producer(args, { stdin: lines }));
}

/** Throws an Error if a program failed. */
export function check({ code, stderr }: { code: number; stderr: string }): void {
  if (code !== 0) throw new Error(stderr);
}

/** Puts the programs of the documents into a folder, and stand-ins for those of other hosts. */
async function makePrograms(bin: string, env: Record<string, string>): Promise<void> {
  const write = (name: string, script: string) =>
    Deno.writeTextFile(join(bin, name), script, { mode: 0o755 });
  const words = (line: readonly string[]) => line.map(quoteWord).join(" ");
  const script = (line: readonly string[]) => `#!/bin/sh\nexec ${words(line)} "$@"\n`;
  const set = ["env", ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
  await write("kafka_consumer", script([...set, ...commandLine("consumer", [])]));
  await write("kafka_producer", script([...set, ...commandLine("producer", [])]));
  await write("gpdb-kafka", script([...set, ...commandLine("main", [])]));
  await write("deno", script([Deno.execPath()]));
  // The Deno of the tests, whichever is named: npx would fetch it.
  await write("npx", '#!/bin/sh\n[ "$1" = -y ] && shift\nshift\nexec deno "$@"\n');
  await write("scp", scp);
  await write("ssh", ssh);
  // gpscp -f HOSTS FILE =:FOLDER, and gpssh -f HOSTS COMMAND
  for (const name of ["gpscp", "gpsync"]) {
    await write(
      name,
      '#!/bin/sh\n[ "$1" = -f ] && [ -s "$2" ] && [ -s "$3" ] && [ "${4#=:/}" != "$4" ]\n',
    );
  }
  await write("gpssh", '#!/bin/sh\n[ "$1" = -f ] && [ -s "$2" ] && exec sh -c "$3"\n');
  if (!await isInstalled("psql", ["--version"])) {
    const psql = new URL("psql.ts", import.meta.url).pathname;
    await write("psql", script([Deno.execPath(), "run", "-A", "--quiet", psql]));
  }
}

/** Writes the files that the documents name. */
async function makeFiles(folder: string, hosts: string): Promise<void> {
  const write = (name: string, content: string) =>
    Deno.writeTextFile(join(folder, name), content, { mode: 0o755 });
  const program = "#!/bin/sh\necho kafka_consumer 0.0.0\n";
  await write("kafka_consumer", program);
  await Deno.mkdir(join(folder, "dist/linux-x86_64"), { recursive: true });
  await write("dist/linux-x86_64/kafka_consumer", program);
  await write("segment_hosts", "sdw1\nsdw2\n");
  for (const host of ["sdw1", "sdw2"]) {
    await Deno.mkdir(join(hosts, `gpadmin@${host}`), { recursive: true });
  }
  await write("payment.avsc", PAYMENT);
  await write("shipment.proto", SHIPMENT);
  await write("receipts.csv", `1,2.50,true,"[{""sku"": ""a""}]"\n2,,false,[]\n`);
  const sale = { id: "long", amount: ["null", "double"], paid: "boolean", lines: "string" };
  await write("receipts.avsc", JSON.stringify(record("Sale", sale)));
  const job = new URL("../unit/greenplum/gpss/csv_v2.yaml", import.meta.url);
  await write("job.yaml", (await Deno.readTextFile(job)).replaceAll('"Data"', "public"));
  await write("loader.offsets", "crimes 0 1500\n");
  const rows = [...generateRows({ rows: 50, start: 90_001 })].map(text).join("");
  await write("crimes.csv", rows);
  const packed = new Response(rows).body!.pipeThrough(new CompressionStream("gzip"));
  await Deno.writeFile(join(folder, "crimes.csv.gz"), packed);
}
