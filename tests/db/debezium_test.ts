/**
 * Events that a real Debezium wrote of a table that changes at random: the table that they are merged
 * into equals it.
 */
import assert from "node:assert/strict";
import postgres from "postgres";
import { startBroker } from "../../scripts/servers/broker.ts";
import {
  avroValues,
  debeziumJars,
  jsonConverters,
  startDebezium,
} from "../../scripts/servers/debezium.ts";
import { type Postgres, startPostgres } from "../../scripts/servers/postgres.ts";
import { registryVariable, startRegistry } from "../../scripts/servers/registry.ts";
import { schemaSql } from "../../lib/greenplum/schema_files.ts";
import { gpdbKafka, text } from "../support/cli.ts";
import { createTopic } from "../support/kafka.ts";
import { dialect, installConsumer, runScript } from "../support/load.ts";
import { loadCounts } from "../support/load_shaped.ts";
import { killProgram } from "../support/processes.ts";
import { Random } from "../support/random.ts";

const hasOwn = dialect === "postgres" && !Deno.env.get("DATABASE_URL");
const jars = hasOwn ? await debeziumJars().catch((error: Error) => error) : null;

/** What both tables have; `place` comes as a number, or as a text. */
const columns = `
  id int PRIMARY KEY, customer text, note text, amount numeric(14,3), ratio double precision,
  at timestamptz, day date, place timestamp, span interval, data bytea, doc jsonb, flag boolean,
  big bigint, code uuid, short varchar(20)`;

interface Variant {
  name: string;
  /** Avro by a schema registry; else JSON. */
  avro: boolean;
  properties: Record<string, string>;
  /** FULL: events have every value. Else large values that did not change are missing in them. */
  identity: "FULL" | "DEFAULT";
  flags: string[];
}

const fields = (place: string, data: string) =>
  `id, customer, note, amount, ratio, at, day, ${place}, span, ${data}, doc, flag, big, code, short`;
const decode = ["--select", "data = decode(data, 'base64')"];

const variants: Variant[] = [
  {
    name: "JSON, large values left out",
    avro: false,
    properties: {
      ...jsonConverters(false),
      "time.precision.mode": "isostring",
      "provide.transaction.metadata": "true",
      "heartbeat.interval.ms": "200",
    },
    identity: "DEFAULT",
    flags: ["--fields", fields("place", "data:text"), ...decode],
  },
  {
    name: "JSON with its schema, REPLICA IDENTITY FULL, numbers for times",
    avro: false,
    properties: jsonConverters(true),
    identity: "FULL",
    flags: [
      ...["--fields", fields("place_us:bigint=place", "data:text"), ...decode],
      ...["--select", "place = timestamp 'epoch' + place_us * interval '1 microsecond'"],
    ],
  },
  {
    name: "Avro, large values left out",
    avro: true,
    properties: { ...jsonConverters(false), "time.precision.mode": "isostring" },
    identity: "DEFAULT",
    flags: ["--fields", fields("place", "data")],
  },
];

/** A random value of a column as SQL writes it. */
function valueOf(random: Random, column: string): string {
  const texts = ["''", `E'a "q"\\n\\t\\\\N\\r'`, "'ü 😀 ''x'''", "'\\.'", "'null'", "'{\"a\",1}'"];
  const hours = () => `interval '${random.int(-99, 99)} hours ${random.int(0, 59)}.25 seconds'`;
  const large = random.int(0, 2) === 0 ? 4_000 : 3;
  if (random.int(0, 7) === 0) return "NULL";
  switch (column) {
    case "note":
      return `repeat('${random.int(0, 9)}é"', ${large})`;
    case "amount":
      return random.int(0, 9) === 0 ? "'NaN'" : `${random.int(-99999, 99999)}.${random.int(0, 9)}5`;
    case "ratio":
      return `${random.next() * 10 ** random.int(-20, 20)}`;
    case "at":
    case "place":
      return `timestamp '2026-01-31 23:59:59.123456' + ${random.int(0, 99)} * ${hours()}`;
    case "day":
      return `date '2026-01-31' + ${random.int(-30000, 30000)}`;
    case "span":
      return hours();
    case "data":
      return `decode(repeat('${random.int(10, 99)}ff00', ${large * random.int(0, 1)}), 'hex')`;
    case "doc":
      return `jsonb_build_object('a', ${
        random.int(0, 9)
      }.50, 'b', repeat('"', ${large}), 'c', null)`;
    case "flag":
      return random.int(0, 1) === 0 ? "true" : "false";
    case "big":
      return `9007199254740993 - ${random.int(0, 9)}`;
    case "code":
      return `md5('${random.int(0, 99)}')::uuid`;
    default:
      return texts[random.int(0, texts.length - 1)];
  }
}

const names = columns.trim().split(/,(?!\d)/).map((column) => column.trim().split(" ")[0]).slice(1);

/** A random statement that changes the table. */
function change(random: Random, identity: Variant["identity"]): string {
  const id = random.int(1, 25);
  const some = () => random.shuffle(names).slice(0, random.int(1, 4));
  const small = ["note", "data", "doc"].map((name) =>
    `coalesce(octet_length(${name}::text), 0) < 1000`
  );
  switch (random.int(0, 6)) {
    case 0:
      return `DELETE FROM orders WHERE id = ${id}`;
    case 1: // An event of a new key lacks what the old row has: see change_events_test.ts.
      return `UPDATE orders SET id = ${random.int(26, 99)} + (SELECT max(id) FROM orders)
        WHERE id = ${id} ${identity === "FULL" ? "" : `AND ${small.join(" AND ")}`}`;
    case 2:
    case 3: {
      const values = names.map((name) => valueOf(random, name));
      return `INSERT INTO orders VALUES (${id}, ${values.join(", ")}) ON CONFLICT DO NOTHING`;
    }
    default: {
      const sets = some().map((name) => `${name} = ${valueOf(random, name)}`);
      const more = random.int(0, 3) === 0 ? `OR id % 5 = ${random.int(0, 4)}` : "";
      return `UPDATE orders SET ${sets.join(", ")} WHERE id = ${id} ${more}`;
    }
  }
}

/** Loads until a load has failed because its program was killed: it has changed nothing. */
async function loadKilled(target: Postgres, rows: () => Promise<string[]>): Promise<void> {
  const before = await rows();
  for (let tries = 1;; tries++) {
    const sql = postgres(target.dsn, { max: 1, onnotice: () => {} });
    const [{ pid }] = await sql`SELECT pg_backend_pid() AS pid`;
    const loading = loadCounts({ sql }, "orders").then(() => null, (error) => `${error}`);
    assert.ok(await killProgram(pid, 30_000), "the load runs no program");
    const error = await loading;
    await sql.end();
    if (error !== null) {
      assert.match(error, /program|signal|killed|failed/);
      assert.deepEqual(await rows(), before);
      return;
    }
    assert.ok(tries < 5, "the program has always ended before it was killed");
    await target.sql`SELECT * FROM kafka.seek('orders', 'earliest')`;
  }
}

for (const { name, avro, properties, identity, flags } of variants) {
  Deno.test({
    name: jars instanceof Error
      ? `debezium: skipped, its jars cannot be fetched (${name})`
      : `debezium: the merged table equals the one that changes (${name})`,
    ignore: !hasOwn || jars instanceof Error,
    async fn() {
      await using broker = await startBroker();
      await using registry = avro
        ? await startRegistry({ own: !Deno.env.get(registryVariable)?.includes("/apis/") })
        : null;
      await using source = await startPostgres({ settings: { wal_level: "logical" } });
      await using target = await startPostgres({ url: source.dsn });
      await installConsumer(source);
      await runScript(target, await schemaSql("postgres"));
      const prefix = `t${crypto.randomUUID().slice(0, 8)}`;
      const topic = `${prefix}.public.orders`;
      await createTopic(broker, topic, { partitions: 3 });
      for (const other of [`${prefix}.public.marks`, `${prefix}.transaction`]) {
        await createTopic(broker, other);
      }
      await createTopic(broker, `__debezium-heartbeat.${prefix}`);
      await target.sql.unsafe(`CREATE TABLE orders (${columns})`);
      await source.sql.unsafe(`
        CREATE TABLE orders (${columns});
        CREATE TABLE marks (n int PRIMARY KEY);
        ALTER TABLE orders REPLICA IDENTITY ${identity};
        ALTER TABLE orders ALTER note SET STORAGE EXTERNAL, ALTER data SET STORAGE EXTERNAL,
          ALTER doc SET STORAGE EXTERNAL`);

      const seed = Number(Deno.env.get("GPDB_KAFKA_TEST_SEED") || Date.now() % 1_000_000);
      const random = new Random(seed);
      const changeAll = async (count: number) => {
        for (let left = count; left > 0;) {
          const statements = Array.from(
            { length: random.int(1, 8) },
            () => change(random, identity),
          );
          left -= statements.length;
          const end = random.int(0, 5) === 0 ? "ROLLBACK" : "COMMIT";
          await runScript(source, `BEGIN; ${statements.join(";\n")}; ${end}`);
        }
      };
      await changeAll(40); // the snapshot's rows

      await using debezium = await startDebezium({
        jars: jars as string,
        dsn: source.dsn,
        bootstrap: broker.bootstrap,
        prefix,
        tables: "public.orders,public.marks",
        properties: {
          "decimal.handling.mode": "string",
          "skipped.operations": "none",
          ...properties,
          ...(registry ? avroValues(registry.url) : {}),
        },
      });
      let mark = 0;
      /** Waits until the topic has all changes so far. */
      const written = async () => {
        await source.sql`INSERT INTO marks VALUES (${++mark})`;
        await debezium.written(`${prefix}.public.marks`, new RegExp(`{n=${mark}}`));
      };
      await written();

      const add = async (source: string, from: string, more: string[]) => {
        const run = await gpdbKafka([
          ...["sql", "source", source, "--for", "postgres", "--table", "orders", "-t", from],
          ...["--dsn", target.dsn, "-b", broker.bootstrap, ...more],
        ]);
        assert.equal(run.code, 0, run.stderr);
        await runScript(target, text(run.stdout));
      };
      const value = registry
        ? ["--value", "avro", "--registry", registry.url]
        : ["--value", "json"];
      const merge = [...value, "--envelope", "debezium", "--merge", "id", ...flags];
      await add("orders", topic, merge);

      const rows = async ({ sql }: { sql: postgres.Sql }) =>
        (await sql`SELECT o::text AS row FROM orders o ORDER BY id`).map(({ row }) => row);
      const loadAll = async (round: string) => {
        // Now and then in parts, of which no one is a state that the table was in.
        if (random.int(0, 1) === 0) {
          await target.sql`SELECT * FROM kafka.load('orders', ${random.int(1, 20)})`;
        }
        await loadCounts(target, "orders");
        assert.deepEqual(await rows(target), await rows(source), `seed ${seed}, ${round}`);
      };
      await loadAll("snapshot");
      for (let round = 1; round <= 4; round++) {
        await changeAll(random.int(5, 80));
        await written();
        if (round === 3) await loadKilled(target, () => rows(target));
        await loadAll(`round ${round}`);
      }
      const [status] = await target.sql`
        SELECT rows_updated::int AS updated, rows_deleted::int AS deleted FROM kafka.status`;
      assert.ok(status.updated > 0 && status.deleted > 0, JSON.stringify(status));

      const count = (value: string) =>
        debezium.records.filter((line) => line.includes(value)).length;
      for (const op of ["r", "c", "u", "d"]) assert.ok(count(`op=${op},`) > 0, op);
      const absent = count("=__debezium_unavailable_value");
      assert.equal(absent > 0, identity === "DEFAULT", `${absent} values that are absent`);

      // A truncated table: named, and what the hint says helps.
      await source.sql`TRUNCATE orders`;
      await written();
      const error = await loadCounts(target, "orders").then(() => assert.fail(), (error) => error);
      assert.match(
        error.message,
        /offset \d+: the table that Debezium reads was truncated \(op t\)$/,
      );
      const [, go] = /^Empty public\.orders, .*: (SELECT .*)$/.exec(error.hint) ??
        /^Empty orders, .*: (SELECT .*)$/.exec(error.hint)!;
      await target.sql`TRUNCATE orders`;
      await target.sql.unsafe(go);
      await changeAll(20);
      await written();
      await loadAll("after TRUNCATE");

      if (properties["provide.transaction.metadata"]) {
        await add("transactions", `${prefix}.transaction`, merge);
        await assert.rejects(
          loadCounts(target, "transactions"),
          /partition 0 offset 0: it is not a change event of Debezium: it has no op/,
        );
      }
    },
  });
}
