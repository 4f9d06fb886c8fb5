/**
 * Nested fields of JSON records become typed columns of a PostgreSQL table, without SQL between the
 * two; `deno task demo:json`. All it starts is stopped and removed at the end.
 */
import { Failure } from "../lib/failure.ts";
import { borrowTopic, pipe, root, startServers } from "./demo/crimes.ts";
import { grouped, perform, say, step } from "./demo/stage.ts";
import { orderDocument } from "./orders.ts";
import type { Broker } from "./servers/broker.ts";
import type { Postgres } from "./servers/postgres.ts";

const DOCUMENTS = 50_000;

/** The table's columns: name, type, path. */
const columns = [
  ["id", "bigint", "id"],
  ["customer", "text", "customer.name"],
  ["city", "text", "customer.address.city"],
  ["amount", "numeric", "amount"],
  ["first_sku", "text", "items[0].sku"],
  ["items", "jsonb", "items"],
  ["vip", "boolean", "flags.vip"],
  ["created", "timestamptz", "created"],
] as const;

const fields = columns.map(([, , path]) => path).join(", ");

function* documents(): Generator<Uint8Array> {
  const utf8 = new TextEncoder();
  for (let n = 1; n <= DOCUMENTS; n++) yield utf8.encode(`${orderDocument(n)}\n`);
}

/** JSON with a member on a line, where it does not fit into one line. */
function pretty(value: unknown, indent: number): string {
  const whole = JSON.stringify(value);
  if (indent + whole.length < 80 || typeof value !== "object" || value === null) return whole;
  const margin = `\n${" ".repeat(indent + 2)}`;
  const isList = Array.isArray(value);
  const members = Object.entries(value).map(([name, member]) =>
    `${isList ? "" : `"${name}": `}${pretty(member, indent + 2)}`
  );
  const [open, close] = isList ? "[]" : "{}";
  return `${open}${margin}${members.join(`,${margin}`)}\n${" ".repeat(indent)}${close}`;
}

/** Lets the database run kafka_consumer. Returns the number of rows. */
async function load({ sql }: Postgres, broker: Broker, topic: string): Promise<number> {
  const { count } = await sql.unsafe(
    `COPY orders FROM PROGRAM '$HOME/kafka_consumer -b ${broker.bootstrap} -t ${topic} ` +
      `-o earliest --value json --fields "${fields}"' (FORMAT csv)`,
  );
  return count;
}

/** Prints some lines of equal columns. */
function table(lines: readonly (readonly string[])[]): void {
  const widths = lines[0].map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  for (const line of lines) {
    const cells = line.map((cell, i) => cell.padEnd(widths[i]));
    say(Deno.stdout, `    ${cells.join("  ").trimEnd()}\n`);
  }
}

async function showRows({ sql }: Postgres): Promise<void> {
  await sql`SET TIME ZONE 'UTC'`;
  const rows = await sql<Record<string, string>[]>`
    SELECT id::text, customer, city, amount::text, first_sku, jsonb_array_length(items) || ' items'
      AS items, vip::text, to_char(created, 'YYYY-MM-DD HH24:MI') AS created
    FROM orders ORDER BY orders.id LIMIT 3`;
  say(Deno.stdout, "\n");
  table([
    columns.map(([name]) => name),
    columns.map(([, type]) => type),
    ...rows.map((row) => columns.map(([name]) => row[name])),
  ]);
}

await perform(async () => {
  say(Deno.stdout, "Nested JSON becomes typed columns\n\n");
  const [broker, postgres] = await startServers();
  // A broker that KAFKA_BROKERS names may have a topic of that name.
  const own = broker.way !== "KAFKA_BROKERS";
  const topic = own ? "orders" : `orders-${crypto.randomUUID().slice(0, 8)}`;
  await step(`topic ${topic}`, borrowTopic(broker, topic), (n) => `${n} partitions`);
  const produced = pipe(broker, topic, documents());
  await step("produced", produced, () => `${grouped(DOCUMENTS)} documents`);
  say(Deno.stdout, `\nOne of them:\n\n    ${pretty(JSON.parse(orderDocument(1)), 4)}\n\n`);
  await postgres.installProgram({ name: "kafka_consumer", entry: new URL("consumer.ts", root) });
  const { sql } = postgres;
  await sql.unsafe(
    `CREATE TABLE orders (${columns.map(([name, type]) => `${name} ${type}`).join(", ")})`,
  );
  // In two lines, as documents are not wide.
  const half = fields.indexOf(" amount");
  const [start, rest] = [fields.slice(0, half), fields.slice(half + 1)];
  say(
    Deno.stdout,
    `    kafka_consumer -t ${topic} --value json --fields "${start}\n      ${rest}"\n\n`,
  );
  const began = performance.now();
  const rows = await step("load", load(postgres, broker, topic), (n) => {
    const perSecond = n / (performance.now() - began) * 1000;
    return `${grouped(n)} rows, ${grouped(perSecond)} rows/s`;
  });
  await showRows(postgres);
  const [{ vips, total }] = await sql<{ vips: number; total: string }[]>`
    SELECT count(*) FILTER (WHERE vip)::int AS vips, sum(amount)::text AS total FROM orders`;
  say(Deno.stdout, `\n${grouped(rows)} orders, ${grouped(vips)} of VIPs, together ${total} EUR\n`);
  if (rows !== DOCUMENTS || vips !== DOCUMENTS / 2) {
    throw new Failure("incomplete", `${rows} of ${DOCUMENTS} rows came, ${vips} of VIPs`);
  }
});
