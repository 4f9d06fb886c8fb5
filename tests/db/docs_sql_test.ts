/**
 * The SQL that README, docs and sql/crimes show, as it stands there: only brokers and topics are
 * those of the test. On PostgreSQL with stand-ins for web tables, or on a Greenplum that is given.
 */
import assert from "node:assert/strict";
import { generateRows } from "../../scripts/generate_rows.ts";
import { type Broker, startBroker } from "../../scripts/servers/broker.ts";
import type { Postgres } from "../../scripts/servers/postgres.ts";
import { consumer, text } from "../support/cli.ts";
import { createTopic, produce, type TestRecord, uniqueName } from "../support/kafka.ts";
import { fillStructured, type StructuredTopics } from "../support/structured_topics.ts";
import { addSource, dialect, installKafka, ownServer, startDatabase } from "../support/load.ts";
import {
  dropWebTable,
  forPostgres,
  greenplumProblems,
  sqlBlocks,
  webTables,
} from "../support/web_tables.ts";

const root = new URL("../../", import.meta.url);
const onGreenplum = dialect === "greenplum";

const read = (path: string) => Deno.readTextFile(new URL(path, root));

/** Paths below a folder, where there is one. */
async function below(folder: string, ending: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(new URL(folder, root))).catch(() => []);
  const paths = await Promise.all(entries.map(async ({ name, isDirectory }) => {
    const path = `${folder}${name}`;
    return isDirectory ? await below(`${path}/`, ending) : path.endsWith(ending) ? [path] : [];
  }));
  return paths.flat().sort();
}

/** All SQL blocks of the documents, in order. */
async function documented(): Promise<{ where: string; sql: string }[]> {
  const paths = ["README.md", ...await below("docs/", ".md")];
  const texts = await Promise.all(paths.map(read));
  return texts.flatMap((markdown, i) =>
    sqlBlocks(markdown).map((sql, n) => ({ where: `${paths[i]}, SQL block ${n + 1}`, sql }))
  );
}

Deno.test("SQL shown: each command is one line, and Greenplum's reserved words have quotes", async () => {
  const blocks = await documented();
  const files = await below("sql/", ".sql");
  assert.ok(blocks.length >= 5 && files.length >= 8);
  const all = [
    ...blocks,
    ...await Promise.all(files.map(async (where) => ({ where, sql: await read(where) }))),
  ];
  const problems = all.flatMap(({ where, sql }) =>
    greenplumProblems(sql).map((problem) => `${where}: ${problem}`)
  );
  assert.deepEqual(problems, []);
});

Deno.test("SQL shown: what the check finds", () => {
  const table = (columns: string, command: string) =>
    `CREATE EXTERNAL WEB TABLE t (${columns}) EXECUTE '${command}' ON ALL\n` +
    "FORMAT 'CSV' (DELIMITER ',' NULL '' NEWLINE 'LF') ENCODING 'UTF8';";
  assert.deepEqual(greenplumProblems(table('"partition" int, log_no int', "a -b")), []);
  assert.deepEqual(greenplumProblems(table("partition int", "a\n -b")), [
    '"partition" is reserved in Greenplum: a name needs quotes',
    "the command of t has more than one line: the shell runs each by itself",
  ]);
  assert.throws(() => webTables("CREATE EXTERNAL WEB TABLE t (a int) EXECUTE 'x' ON HOST;"));
});

const crimes = [1300, 10, 0, 100]; // records of each partition: kafka.seek's example needs them

interface Topics extends StructuredTopics {
  crimes: string;
  events: string;
  readings: string;
}

/** Topics with records as the documents describe them. */
async function fill(broker: Broker): Promise<Topics> {
  const topics = {
    crimes: uniqueName("crimes"),
    events: uniqueName("events"),
    readings: uniqueName("readings"),
    ...{ "shop-orders": uniqueName("orders"), payments: uniqueName("payments") },
    shipments: uniqueName("shipments"),
  };
  await createTopic(broker, topics.crimes, { partitions: crimes.length });
  await createTopic(broker, topics.events, { partitions: 2 });
  await createTopic(broker, topics.readings);
  const rows = text(
    await new Blob([...generateRows({ rows: 1410, newlines: false })] as BlobPart[]).bytes(),
  ).split("\n");
  for (const [partition, count] of crimes.entries()) {
    const records: TestRecord[] = rows.splice(0, count).map((value) => ({ value }));
    if (count > 0) await produce(broker, topics.crimes, records, partition);
  }
  const event = (user: string, amount: number) => ({
    key: user,
    value: JSON.stringify({ user, amount, more: "a, b\nc" }),
    headers: { trace: "t-1" },
    timestamp: Date.UTC(2026, 0, 31, 12),
  });
  await produce(broker, topics.events, [event("ann", 1.5)], 0);
  await produce(broker, topics.events, [event("bob", 2)], 1);
  await produce(broker, topics.readings, [{ value: new Uint8Array([0, 0x5c, 0xff]) }]);
  return topics;
}

/** Runs SQL of a document against this broker's topics. */
async function run(
  pg: Postgres,
  { broker, registry }: { broker: Broker; registry: string },
  topics: Topics,
  sql: string,
): Promise<void> {
  const [{ name: database }] = await pg.sql`SELECT quote_ident(current_database()) AS name`;
  let here = sql.replaceAll(/\b(broker1|localhost):9092\b/g, broker.bootstrap)
    .replaceAll("http://registry:8081", registry)
    .replaceAll("DATABASE warehouse", `DATABASE ${database}`);
  for (const [name, topic] of Object.entries(topics)) {
    here = here.replaceAll(new RegExp(`(-t|--topic) ${name}\\b`, "g"), `$1 ${topic}`);
  }
  await pg.sql.unsafe(onGreenplum ? here : forPostgres(here));
}

Deno.test({
  name: "SQL shown: it runs, and reads and writes every record",
  ignore: !ownServer,
  async fn() {
    await using broker = await startBroker();
    await using pg = await startDatabase();
    await installKafka(pg);
    if (!onGreenplum) {
      const entry = new URL("producer.ts", root);
      await pg.installProgram({ name: "kafka_producer", entry });
      await pg.sql`CREATE EXTENSION file_fdw`;
      await pg.sql`CREATE SERVER stand_in FOREIGN DATA WRAPPER file_fdw`;
    }
    await pg.sql`CREATE TABLE events (at timestamptz, "user" text, amount numeric)`;
    const topics = await fill(broker);
    await using registry = await fillStructured(broker, topics);
    const servers = { broker, registry: registry.url };
    const count = async (table: string) =>
      Number((await pg.sql.unsafe(`SELECT count(*) FROM ${table}`))[0].count);

    await run(pg, servers, topics, await read("sql/crimes/greenplum.sql"));
    await addSource(pg, broker, { name: "crimes", topic: topics.crimes, table: "crimes" });
    await pg.sql`CREATE ROLE etl`;
    for (const { where, sql } of await documented()) {
      // PostgreSQL's
      if (onGreenplum && /pg_execute_server_program|FROM PROGRAM/.test(sql)) continue;
      for (const { name } of webTables(sql)) await pg.sql.unsafe(dropWebTable(name, onGreenplum));
      await run(pg, servers, topics, sql).catch((error) => {
        throw new Error(`${where}: ${error.message}\n${sql}`, { cause: error });
      });
    }
    assert.equal(await count("crimes"), 1410); // once, by the first group
    assert.equal(await count("crimes_kafka"), 1410); // by another one
    assert.deepEqual(
      (await pg.sql`SELECT at, "user", amount FROM events ORDER BY 2`).map((row) =>
        Object.values(row)
      ),
      [[new Date("2026-01-31T12:00Z"), "ann", "1.5"], [
        new Date("2026-01-31T12:00Z"),
        "bob",
        "2",
      ]],
    );
    assert.equal(await count("events_kafka"), 0); // the INSERT has read them
    const readings = await pg.sql`SELECT "offset"::int, value FROM readings_kafka`;
    assert.deepEqual(
      readings.map(({ offset, value }) => [offset, [...value]]),
      [[0, [0, 0x5c, 0xff]]],
    );

    // The web table, and on PostgreSQL COPY too.
    const orders = await pg.sql`SELECT id, customer, city, amount::text, sku, vip,
      created = '2023-11-14 22:13:21.001Z' AS on_time, jsonb_array_length(items) AS items
      FROM orders ORDER BY id`;
    const times = onGreenplum ? 1 : 2;
    assert.equal(orders.length, 4 * times);
    assert.deepEqual(
      Object.values(orders[0]),
      ["100007919", "Grace Hopper", "New York", "0.37", "SKU-13", false, true, 2],
    );
    const payments = await pg.sql`SELECT "offset"::int, schema_id, id::int, amount::text, brand,
      paid_at = '2023-11-14 22:13:20Z' AS on_time, note FROM payments_kafka ORDER BY id`;
    assert.deepEqual(
      payments.map((row) => Object.values(row)),
      [1, 2, 3, 4].map((id) => [(id - 1) % 2, 3, id, "1234.56", "VISA", true, null]),
    );
    const shipments = await pg.sql`SELECT id::int, sku, quantity, lines->0->>'sku' AS first, note,
      sent = '2023-11-14 22:13:20Z' AS on_time FROM shipments_kafka ORDER BY id`;
    assert.deepEqual(
      shipments.map((row) => Object.values(row)),
      [1, 2, 3, 4].map((id) => [id, "SKU-7", 2, "SKU-7", null, true]),
    );

    const back = uniqueName("back");
    await createTopic(broker, back, { partitions: 2 });
    await run(pg, servers, { ...topics, crimes: back }, await read("sql/crimes/writable.sql"));
    await pg.sql`INSERT INTO crimes_to_kafka SELECT * FROM crimes`;
    const rows = await consumer(["-b", broker.bootstrap, "-t", back]);
    assert.equal(rows.code, 0, rows.stderr);
    assert.equal(text(rows.stdout).trimEnd().split("\n").length, 1410);
  },
});
