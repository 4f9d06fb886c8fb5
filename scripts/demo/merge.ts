/** The end of the demo: a table that follows its topic, by merges of kafka.load. */
import { Failure } from "../../lib/failure.ts";
import { quoteWord } from "../../lib/greenplum/quote.ts";
import { schemaSql } from "../../lib/greenplum/schema_files.ts";
import type { Broker } from "../servers/broker.ts";
import type { Postgres } from "../servers/postgres.ts";
import { borrowTopic, pipe, root } from "./crimes.ts";
import { say, step } from "./stage.ts";

/** How rows become records: the first field is the key, and a row without others a tombstone. */
const records = [
  ...["--key-column", "1", "--key-cut", "--tombstone"],
  ...["--value", "json", "--columns", "id,customer,amount:number,status"],
];

/** How records become rows, and what a tombstone does to the row with its key. */
const source = [
  ...["--value", "json", "--fields", "customer, amount, status"],
  ...["--key", "json", "--key-fields", "id=.", "--merge", "id", "--tombstones", "delete"],
];

/** Shows that a changed and a deleted record are changed and gone in the table. */
export async function showMerge(broker: Broker, postgres: Postgres): Promise<void> {
  const { sql } = postgres;
  say(Deno.stdout, "\nAnd a table that follows its topic\n\n");
  // A broker that KAFKA_BROKERS names may have a topic of that name.
  const own = broker.way !== "KAFKA_BROKERS";
  const topic = own ? "orders" : `orders-${crypto.randomUUID().slice(0, 8)}`;
  await step(`topic ${topic}`, borrowTopic(broker, topic), (n) => `${n} partitions`);
  const rows = ["1,Ann,10.00,new", "2,Bob,20.00,new", "3,Eve,30.00,new"];
  await step("produced", send(broker, topic, rows), () => "orders 1, 2 and 3");
  await sql`
    CREATE TABLE orders (id bigint PRIMARY KEY, customer text, amount numeric, status text)`;
  await step("table orders", addSource(broker, postgres, topic), () => `source of kafka.load`);
  const half = source.indexOf("--key");
  const [first, second] = [source.slice(0, half), source.slice(half)].map((words) =>
    words.map(quoteWord).join(" ")
  );
  say(Deno.stdout, `\n    gpdb-kafka sql source orders ${first} \\\n      ${second}\n\n`);
  await load(postgres, "3 inserted, 0 updated, 0 deleted");
  await showOrders(postgres, ["1 Ann 10.00 new", "2 Bob 20.00 new", "3 Eve 30.00 new"]);
  await step(
    "produced",
    send(broker, topic, ["1,Ann,15.00,paid", "2,,,"]),
    () => "order 1 is changed, order 2 is deleted",
  );
  await load(postgres, "0 inserted, 1 updated, 1 deleted");
  await showOrders(postgres, ["1 Ann 15.00 paid", "3 Eve 30.00 new"]);
  say(Deno.stdout, "Order 1 is changed and order 2 is gone in the table\n");
}

async function send(broker: Broker, topic: string, rows: readonly string[]): Promise<void> {
  const lines = [new TextEncoder().encode(`${rows.join("\n")}\n`)];
  await pipe(broker, topic, lines, records);
}

/** Installs schema kafka, and runs what `gpdb-kafka sql source` prints. */
async function addSource(broker: Broker, postgres: Postgres, topic: string): Promise<void> {
  const url = new URL(postgres.dsn);
  const env = { PGPASSWORD: decodeURIComponent(url.password) };
  url.password = "";
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--quiet", "main.ts", "sql", "source", "orders", "--for", "postgres"],
      ...["--topic", topic, "--brokers", broker.bootstrap, "--dsn", url.href, ...source],
    ],
    cwd: root,
    env,
  }).output();
  const [printed, said] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (code !== 0) throw new Failure("incomplete", said.trim());
  const session = await postgres.sql.reserve();
  try {
    for (const text of [await schemaSql("postgres"), printed]) await session.unsafe(text);
  } finally {
    session.release();
  }
}

/** Calls kafka.load, and says what it did. Throws Failure if that is not what it should be. */
async function load({ sql }: Postgres, expected: string): Promise<void> {
  const loading = sql<{ inserted: string; updated: string; deleted: string }[]>`
    SELECT inserted, updated, deleted FROM kafka.load('orders')`;
  let found = "";
  await step("load", loading, ([{ inserted, updated, deleted }]) => {
    return found = `${inserted} inserted, ${updated} updated, ${deleted} deleted`;
  });
  if (found !== expected) throw new Failure("incomplete", `the load did this: ${found}`);
}

async function showOrders({ sql }: Postgres, expected: readonly string[]): Promise<void> {
  const rows = await sql<{ line: string }[]>`
    SELECT concat_ws(' ', id, customer, amount, status) AS line FROM orders ORDER BY id`;
  const lines = rows.map(({ line }) => line);
  say(Deno.stdout, `\n${lines.map((line) => `    ${line}\n`).join("")}\n`);
  if (lines.join() !== expected.join()) throw new Failure("incomplete", "these are other orders");
}
