/** A table that `gpdb-kafka sql table` prints from records of JSON: it is made, loaded, compared. */
import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { gpdbKafka, text } from "../support/cli.ts";
import { createTopic, kafkajs, produce, uniqueName } from "../support/kafka.ts";
import { dialect, load, ownServer } from "../support/load.ts";
import { startWorld } from "../support/load_world.ts";
import { leavesOf } from "../../lib/records/described.ts";
import { JsonSample } from "../../lib/records/json_sample.ts";
import { startPostgres } from "../../scripts/servers/postgres.ts";
import { Random } from "../support/random.ts";
import { columnsOfTable, makeTable } from "../support/new_table.ts";

/** Fields of every kind, and names that are hard to write. */
function document(n: number): string {
  const long = "x".repeat(70);
  return JSON.stringify({
    id: n,
    amount: n % 2 === 0 ? 1.5 : 3,
    big: n,
    mixed: n % 2 === 0 ? "text" : n,
    ok: n % 3 === 0,
    at: `2026-01-${String(1 + n % 28).padStart(2, "0")}T12:00:00.5+02:00`,
    day: "2026-02-28",
    perhaps: n % 2 === 0 ? "2026-02-28" : "2026-02-30",
    none: null,
    sometimes: n === 1004 ? "here" : undefined,
    customer: { name: n % 2 === 0 ? "Ann" : "Bob", address: { city: "Bonn", geo: { x: 1 } } },
    tags: [n],
    counts: Object.fromEntries([[`key${n % 100}`, n]]),
    "customer_name": "the other one",
    "odd, \"name\" 'it' = $HOME \\": "odd",
    [`${long}a`]: "first",
    [`${long}b`]: "second",
    order: "reserved",
    ctid: "system",
    "kafka$x": "own",
    "": "empty",
    ".": "dot",
    " a ": "blanks",
    '"b"': "quotes",
    "c[0]": "brackets",
    "d:e=f,g": "signs",
    // No column.
    "h\ti": "tab",
    "ü.ö": { ".": { "": "deep" } },
  }).replace(`"big":${n}`, `"big":${n === 1004 ? "9223372036854775808" : n}`);
}

Deno.test({
  name: "sql table: a table from the last 1,000 JSON records holds them, whatever their names are",
  ignore: !ownServer || dialect !== "postgres",
  async fn() {
    await using world = await startWorld(3);
    const { broker, sql, topic } = world;
    const values = Array.from({ length: 1005 }, (_, n) => document(n));
    // Before the last 1,000, though not before the table: it has no column.
    values[0] = '{"early": 1, "id": 0}';
    await produce(broker, topic, values.slice(0, 1003).map((value) => ({ value })), 0);
    await produce(broker, topic, [
      { value: null },
      ...values.slice(1003).map((value) => ({ value })),
    ], 2);
    const args = ["orders", "-t", topic, "-b", broker.bootstrap, "--value", "json"];
    const printed = await makeTable(world, args);
    const columns = await columnsOfTable(world, "orders");
    const long = "x".repeat(54);
    assert.deepEqual(
      columns.map(({ name, type }) => `${name.replace(/_[0-9a-f]{8}$/, "_HASH")}: ${type}`),
      [
        "id: bigint",
        "amount: numeric",
        "big: numeric",
        "mixed: text",
        "ok: boolean",
        "at: timestamp with time zone",
        "day: date",
        "perhaps: text",
        "none: text",
        "customer_name: text",
        "customer_address_city: text",
        "customer_address_geo: jsonb",
        "tags: jsonb",
        "counts: jsonb",
        "customer_name_2: text",
        "odd, \"name\" 'it' = $HOME \\: text",
        `${long}_HASH: text`,
        `${long}_HASH: text`,
        "order: text",
        "ctid_: text",
        "_kafka$x: text",
        "value: text",
        "._: text",
        " a : text",
        '"b": text',
        "c[0]: text",
        "d:e=f,g: text",
        "ü.ö_._: text",
        "sometimes: text",
      ],
    );
    assert.ok(columns.every(({ required }) => !required));
    // The null value is one of the last 1,000.
    const comments = new Map(columns.map(({ name, comment }) => [name, comment]));
    assert.equal(comments.get("id"), "JSON: integer in 999 of 999 records");
    assert.equal(comments.get("mixed"), "JSON: string in 500 of 999 records, integer in 499");
    assert.match(printed, /^-- Topic .*: the last 999 records, JSON\n/);
    assert.equal((await load({ sql }, "orders")).rows, 1005);
    const rows = await sql`SELECT row_to_json(orders)::text AS row FROM orders WHERE id = 1004`;
    const loaded = Object.entries(JSON.parse(rows[0].row)).map(([name, value]) =>
      [name.replace(/_[0-9a-f]{8}$/, "_HASH"), value] as const
    );
    const value = JSON.parse(values[1004]);
    assert.deepEqual(loaded.map(([, value]) => value), [
      ...[1004, 1.5, value.big, "text", false, loaded[5][1], "2026-02-28", "2026-02-28", null],
      ...["Ann", "Bonn", { x: 1 }, [1004], { key4: 1004 }, "the other one", "odd"],
      ...["first", "second", "reserved", "system", "own", "empty", "dot", "blanks"],
      ...["quotes", "brackets", "signs", "deep", "here"],
    ]);
    const [{ same }] =
      await sql`SELECT at = '2026-01-25T12:00:00.5+02:00' AS same FROM orders WHERE id = 1004`;
    assert.ok(same);
  },
});

Deno.test("sql table: records are found before a thousand offsets that have none", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("sparse");
  await createTopic(broker, topic);
  await produce(broker, topic, [{ value: '{"id": 1}' }, { value: '{"id": 2, "name": "x"}' }]);
  const producer = kafkajs(broker).producer({
    ...{ transactionalId: topic, maxInFlightRequests: 1, idempotent: true },
  });
  await producer.connect();
  try {
    const transaction = await producer.transaction();
    const messages = Array.from({ length: 1500 }, () => ({ value: '{"aborted": 1}' }));
    await transaction.send({ topic, messages });
    await transaction.abort();
  } finally {
    await producer.disconnect();
  }
  const run = await gpdbKafka(["sql", "table", topic, "--value", "json", "-b", broker.bootstrap]);
  assert.equal(run.code, 0, run.stderr);
  assert.match(text(run.stdout), /: the last 2 records, JSON\n/);
  assert.match(text(run.stdout), /\(\n {2}"id" bigint,\n {2}"name" text\n\)/);
});

/** A text that may be a time, or a number, or nearly so. */
function nearly(random: Random): string {
  const pick = (...some: string[]) => some[random.int(0, some.length - 1)];
  const two = (most: number) => String(random.int(0, most)).padStart(2, "0");
  if (random.int(0, 2) === 0) {
    const digits = () => pick("0", "7", "12", "9223372036854775807", "9".repeat(40));
    return pick("", "-") + digits() + pick("", "", `.${digits()}`) +
      pick("", "", `e${pick("", "-", "+")}${pick("0", "5", "300", "15000", "20000")}`);
  }
  const date = `${pick("2026", "2024", "1900", "0001", "9999", "0000")}-${two(13)}-${two(32)}`;
  const time = `${pick("T", " ")}${two(25)}:${two(60)}${
    pick("", `:${two(60)}${pick("", ".5", ".123456789")}`)
  }`;
  const zone = pick("", "", "Z", `${pick("+", "-")}${two(16)}${pick("", `:${two(60)}`, two(60))}`);
  return date + pick("", time + zone);
}

Deno.test({
  name:
    "sql table: what is called a time or a number is one to the database, whatever its settings are",
  async fn() {
    await using pg = await startPostgres();
    const random = new Random(20261126);
    const found = new Map<string, number>();
    for (const style of ["ISO, MDY", "SQL, DMY", "German"]) {
      const texts = Array.from({ length: 2000 }, () => nearly(random)).map((text) => {
        const isNumber = /^-?(0|[1-9])/.test(text) && !/^\d{4}-/.test(text);
        const sample = new JsonSample();
        sample.add(`{"a": ${isNumber ? text : JSON.stringify(text)}}`);
        const [{ type }] = leavesOf([sample.describe()])!;
        found.set(type, (found.get(type) ?? 0) + 1);
        return { text, type };
      });
      const casts = texts.map(({ text, type }) => `'${text}'::${type}`);
      await pg.sql.unsafe(`SET datestyle = '${style}'; SET timezone = 'Asia/Kolkata'`);
      for (let at = 0; at < casts.length; at += 100) {
        await pg.sql.unsafe(`SELECT ${casts.slice(at, at + 100).join(", ")}`);
      }
    }
    for (const type of ["text", "date", "timestamp", "timestamptz", "bigint", "numeric"]) {
      assert.ok(found.get(type)! > 50, `${type}: ${found.get(type)}`);
    }
  },
});
