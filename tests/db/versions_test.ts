/**
 * Each supported release of PostgreSQL, in short: the schema is installed and upgraded, and loads
 * insert, shape, merge, reject and seek. All other tests are for the newest release.
 */
import assert from "node:assert/strict";
import { schemaSql } from "../../lib/greenplum/schema_files.ts";
import { type Broker, startBroker } from "../../scripts/servers/broker.ts";
import { type Postgres, releases, startPostgres } from "../../scripts/servers/postgres.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import {
  addSource,
  dialect,
  installConsumer,
  load,
  ownServer,
  runScript,
} from "../support/load.ts";
import { clientSession } from "../support/load_client.ts";
import { canReject, loadCounts, shapeOf } from "../support/load_shaped.ts";
import { things } from "../support/load_world.ts";

/** The first release that can tell which values do not fit. */
const REJECTS = 16;

const canStart = Deno.build.os === "linux" && Deno.build.arch === "x86_64";

/** A topic of its own with these rows. */
async function topicOf(broker: Broker, ...rows: string[]): Promise<string> {
  const topic = uniqueName("versions");
  await createTopic(broker, topic);
  await produce(broker, topic, rows.map((value) => ({ value })));
  return topic;
}

async function rowsOf({ sql }: Postgres, table: string): Promise<string[]> {
  const rows = await sql.unsafe(`SELECT btrim(t::text, '()') AS row FROM ${table} t ORDER BY id`);
  return rows.map(({ row }) => row);
}

/** The reader prints where each row is from, as shapes require. */
const readerFlags = ["--columns", "partition,offset"];

async function plain(pg: Postgres, broker: Broker): Promise<void> {
  const topic = await topicOf(broker, "0,a", "1,b", "2,c");
  await pg.sql`CREATE TABLE things (id int, name text)`;
  await addSource(pg, broker, { name: "things", topic, table: "things" });
  assert.equal((await pg.sql`SELECT 1 FROM things_peek`).length, 3);
  assert.deepEqual(await load(pg, "things", 2), {
    ...{ rows: 2, records: 2, lag: 1, reason: "max_records", load_no: 1 },
  });
  assert.equal((await load(pg, "things")).rows, 1);
  assert.equal((await load(pg, "things")).rows, 0);
  assert.deepEqual(await rowsOf(pg, "things"), ["0,a", "1,b", "2,c"]);
  await pg.sql`SELECT kafka.seek('things', '0:1')`;
  assert.equal((await load(pg, "things")).rows, 2);
  assert.deepEqual(await rowsOf(pg, "things"), ["0,a", "1,b", "1,b", "2,c", "2,c"]);
  const [status] = await pg.sql`SELECT rows_inserted::int, lag_then::int FROM kafka.status`;
  assert.deepEqual({ ...status }, { rows_inserted: 5, lag_then: 0 });
  assert.equal((await pg.sql`SELECT lag::int FROM kafka.lag`)[0].lag, 0);
  assert.equal((await pg.sql`SELECT kafka.check_source('things')`).length, 1);
}

async function shaped(pg: Postgres, broker: Broker): Promise<void> {
  const topic = await topicOf(broker, "1,5,a", "2,6,TEST", "3,7,c");
  await pg.sql`CREATE TABLE shaped (id int, total numeric(8,2), name text, loaded boolean)`;
  const shape = shapeOf("id integer, amount integer, name text", {
    selects: [{ column: "total", expression: "amount * 1.19" }, {
      ...{ column: "loaded", expression: "true" },
    }],
    where: "name <> 'TEST'",
  });
  await addSource(pg, broker, { name: "shaped", topic, table: "shaped", shape, readerFlags });
  const { inserted, filtered, records } = await loadCounts(pg, "shaped");
  assert.deepEqual([inserted, filtered, records], [2, 1, 3]);
  assert.deepEqual(await rowsOf(pg, "shaped"), ["1,5.95,a,t", "3,8.33,c,t"]);
}

async function merged(pg: Postgres, broker: Broker): Promise<void> {
  const topic = await topicOf(broker, "1,a,u", "2,b,u", "1,c,u", "3,d,u", "3,,d");
  await pg.sql`CREATE TABLE merged (id int PRIMARY KEY, name text)`;
  const shape = shapeOf("id integer, name text, op text", {
    merge: ["id"],
    deleteWhen: "op = 'd'",
  });
  await addSource(pg, broker, { name: "merged", topic, table: "merged", shape, readerFlags });
  assert.equal((await loadCounts(pg, "merged")).inserted, 2);
  assert.deepEqual(await rowsOf(pg, "merged"), ["1,c", "2,b"]);
  await produce(broker, topic, ["2,,d", "1,e,u", "4,f,u"].map((value) => ({ value })));
  const { inserted, updated, deleted } = await loadCounts(pg, "merged");
  assert.deepEqual([inserted, updated, deleted], [1, 1, 1]);
  assert.deepEqual(await rowsOf(pg, "merged"), ["1,e", "4,f"]);
  // Once more from the start: the same table.
  await pg.sql`SELECT kafka.seek('merged', 'earliest')`;
  await load(pg, "merged");
  assert.deepEqual(await rowsOf(pg, "merged"), ["1,e", "4,f"]);
}

async function rejected(pg: Postgres, broker: Broker, release: number): Promise<void> {
  const topic = await topicOf(broker, "1,a", "x,b", "3,c");
  await pg.sql`CREATE TABLE strict (id int, name text)`;
  const shape = shapeOf("id integer, name text", { where: "true" });
  const source = { name: "strict", topic, table: "strict", shape, readerFlags };
  await addSource(pg, broker, source);
  const where = new RegExp(`topic "${topic}" partition 0 offset 1\\b.*"id"`);
  await assert.rejects(load(pg, "strict"), (error: Error) => {
    assert.match(error.message, where);
    assert.match(error.message, /invalid input syntax for type integer: "x"/);
    return true;
  });
  assert.equal(await canReject(pg), release >= REJECTS);
  const adding = addSource(pg, broker, { ...source, rejectLimit: "2 ROWS" });
  if (release < REJECTS) {
    await assert.rejects(adding, /--reject-limit requires PostgreSQL 16 or later/);
    return;
  }
  await adding;
  assert.equal((await loadCounts(pg, "strict")).rejected, 1);
  assert.deepEqual(await rowsOf(pg, "strict"), ["1,a", "3,c"]);
  const [row] = await pg.sql`
    SELECT topic, partition_no, "offset"::int, column_name FROM kafka.rejected`;
  assert.deepEqual(Object.values(row), [topic, 0, 1, "id"]);
}

/** By gpdb-kafka load itself: rows in shares, and a merge. */
async function byClient(pg: Postgres, broker: Broker): Promise<void> {
  const topic = uniqueName("versions");
  await createTopic(broker, topic, { partitions: 2 });
  for (let partition = 0; partition < 2; partition++) {
    const ids = Array.from({ length: 1500 }, (_, i) => 2 * i + partition);
    await produce(broker, topic, ids.map((id) => ({ value: `${id},a` })), partition);
  }
  await pg.sql`CREATE TABLE shared (id int, name text)`;
  await addSource(pg, broker, { name: "shared", topic, table: "shared", via: "client" });
  await using client = clientSession(pg.dsn, 3);
  const { rows, shares } = await client.load("shared");
  assert.deepEqual([rows, shares], [3000, 2]);
  const [{ ids }] = await pg.sql`SELECT count(DISTINCT id)::int AS ids FROM shared`;
  assert.equal(ids, 3000);
  const changes = await topicOf(broker, "1,a", "2,b", "1,c");
  await pg.sql`CREATE TABLE keyed (id int PRIMARY KEY, name text)`;
  const shape = shapeOf("id integer, name text", { merge: ["id"] });
  const keyed = { name: "keyed", topic: changes, table: "keyed", via: "client" as const };
  await addSource(pg, broker, { ...keyed, shape, readerFlags });
  assert.equal((await client.load("keyed")).rows, 2);
  assert.deepEqual(await rowsOf(pg, "keyed"), ["1,c", "2,b"]);
}

/** What gpdb-kafka sql source of 0.1.0 printed, with data; then today's schema and source. */
async function upgraded(pg: Postgres, broker: Broker): Promise<void> {
  const { sql } = pg;
  const topic = uniqueName("versions");
  await createTopic(broker, topic);
  await produce(broker, topic, things("a", "b", "c"));
  const old = new URL(`golden/schema_0.1.0_${dialect}.sql`, import.meta.url);
  await runScript(pg, await Deno.readTextFile(old));
  await sql`CREATE TABLE things (id int, name text)`;
  const connection = `--brokers ${broker.bootstrap} --topic ${topic}`;
  await sql`
    SELECT kafka.add_source(name := 'things', topic := ${topic}, target := 'public.things',
      reader := ${`"$HOME"/kafka_consumer ${connection}`},
      planner := ${`"$HOME"/kafka_consumer plan ${connection} --group upgrade`},
      group_name := 'upgrade', columns := ARRAY['id', 'name'], brokers := ${broker.bootstrap},
      config_file := NULL, fallback := 'earliest', on_lost := 'fail', max_records := NULL)`;
  assert.equal((await load(pg, "things", 2)).rows, 2);
  for (let i = 0; i < 2; i++) await runScript(pg, await schemaSql("postgres"));
  await addSource(pg, broker, { name: "things", topic, table: "things", group: "upgrade" });
  assert.equal((await load(pg, "things")).rows, 1);
  assert.equal((await load(pg, "things")).rows, 0);
  assert.deepEqual(await rowsOf(pg, "things"), ["0,a", "1,b", "2,c"]);
}

Deno.test({
  name: "versions: each release of PostgreSQL is installed, upgraded, and loads in each way",
  ignore: !ownServer || dialect !== "postgres" || !canStart,
  async fn(t) {
    await using broker = await startBroker();
    for (const release of releases) {
      await t.step(`PostgreSQL ${release}`, async (t) => {
        await using server = await startPostgres({ release });
        const [{ version }] = await server.sql`
          SELECT current_setting('server_version_num') AS version`;
        assert.equal(Math.floor(Number(version) / 10_000), release);
        await installConsumer(server);
        await t.step("upgrade from 0.1.0", async () => {
          await using old = await startPostgres({ url: server.dsn });
          await upgraded(old, broker);
        });
        await t.step("install", async () => runScript(server, await schemaSql("postgres")));
        await t.step("plain load, and seek", () => plain(server, broker));
        await t.step("shaped load", () => shaped(server, broker));
        await t.step("merge with deletes", () => merged(server, broker));
        await t.step("loads by a client", () => byClient(server, broker));
        await t.step("rejected row", () => rejected(server, broker, release));
      });
    }
  },
});
