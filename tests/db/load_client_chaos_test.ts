/**
 * Exactly once, whatever happens, for a source that gpdb-kafka reads itself: rounds of loads from a
 * real broker into a real PostgreSQL, in each of which something goes wrong.
 * GPDB_KAFKA_CHAOS_ROUNDS says how many, GPDB_KAFKA_CHAOS_SEED which.
 */
import assert from "node:assert/strict";
import { type Broker, startBroker } from "../../scripts/servers/broker.ts";
import type { Postgres } from "../../scripts/servers/postgres.ts";
import { schemaSql } from "../../lib/greenplum/schema_files.ts";
import { PartlyLoaded } from "../../lib/load/database.ts";
import { start } from "../support/cli.ts";
import { consoleConsume, createTopic, groupOffsets, produce, withAdmin } from "../support/kafka.ts";
import { addSource, dialect, load, runScript, startDatabase } from "../support/load.ts";
import { type ClientSession, clientSession } from "../support/load_client.ts";
import { Random } from "../support/random.ts";

const rounds = Number(Deno.env.get("GPDB_KAFKA_CHAOS_ROUNDS") || 24);
const seed = Number(Deno.env.get("GPDB_KAFKA_CHAOS_SEED") || Date.now() % 1_000_000);

const TOPIC = "events";
const MOST_PARTITIONS = 12;
/** What may come of a load that something is done to. */
const EXPECTED = /57014|57P01|25P03|CONNECTION|ECONNRESET|EPIPE|broker|incomplete|40P01|40001/;

interface World {
  broker: Broker;
  pg: Postgres;
  /** Of all rounds: it must work again after each of them. */
  client: ClientSession;
  random: Random;
  /** How many connections load. */
  jobs: number;
  partitions: number;
  written: number;
}

/** Each takes one round, and returns what came of it. A load that must succeed throws. */
const events: Record<string, (world: World) => Promise<string>> = {
  async "plain load"({ client }) {
    return `${(await client.load(TOPIC)).rows} rows`;
  },

  async "load cancelled"(world) {
    return await during(world, async (running) => {
      await pause(world.random.int(0, 400));
      running.cancel();
    });
  },

  async "backend terminated"(world) {
    return await during(world, async () => {
      await pause(world.random.int(0, 400));
      await signalBackends(world, "pg_terminate_backend");
    });
  },

  async "statement cancelled"(world) {
    return await during(world, async () => {
      await pause(world.random.int(0, 400));
      await signalBackends(world, "pg_cancel_backend");
    });
  },

  async "loader killed -9"(world) {
    return await killed(world, world.jobs);
  },

  async "loaders with other jobs at once, all killed -9"(world) {
    return (await Promise.all([1, 2, 4].map((jobs) => killed(world, jobs)))).join(" and ");
  },

  async "session that has nothing to do terminated"(world) {
    const other = clientSession(world.pg.dsn, 2);
    const waiting = outcome(other.load(TOPIC));
    const outcomes = await during(world, async () => {
      await pause(world.random.int(0, 300));
      await signalBackends(world, "pg_terminate_backend", "AND state = 'idle in transaction'");
    });
    const also = await waiting;
    await other[Symbol.asyncDispose]();
    return `${outcomes} and ${also}`;
  },

  async "session idle for too long"(world) {
    const { pg } = world;
    const dsn = new URL(pg.dsn);
    dsn.searchParams.set("idle_in_transaction_session_timeout", `${world.random.int(1, 60)}`);
    await using client = clientSession(dsn.href, world.jobs);
    return await outcome(client.load(TOPIC));
  },

  async "statement_timeout"(world) {
    const dsn = new URL(world.pg.dsn);
    dsn.searchParams.set("statement_timeout", `${world.random.int(5, 200)}`);
    await using client = clientSession(dsn.href, world.jobs);
    return await outcome(client.load(TOPIC));
  },

  async "broker killed -9 and restarted"(world) {
    const [node] = world.broker.nodes;
    return await during(world, async () => {
      await pause(world.random.int(0, 300));
      await node.kill();
      await node.start();
    });
  },

  async "max_records small"({ client, random }) {
    const { rows, reason } = await client.load(TOPIC, random.int(1, 5));
    return `${rows} rows, ${reason}`;
  },

  async "two sessions at once"({ pg, client, random, jobs }) {
    await using other = clientSession(pg.dsn, jobs + 1);
    const loads = await Promise.all([client.load(TOPIC, random.int(1, 30)), other.load(TOPIC)]);
    return loads.map(({ rows }) => `${rows} rows`).join(" and ");
  },

  async "kafka.load in SQL"({ pg }) {
    await assert.rejects(load(pg, TOPIC), /cannot load source "events" with kafka.load/);
    return "rejected";
  },

  async "partitions added"(world) {
    const loading = world.client.load(TOPIC);
    if (world.partitions < MOST_PARTITIONS) {
      world.partitions++;
      await withAdmin(world.broker, (admin) =>
        admin.createPartitions({
          topicPartitions: [{ topic: TOPIC, count: world.partitions }],
        }));
    }
    return `${(await loading).rows} rows, then ${world.partitions} partitions`;
  },
};

async function signalBackends({ pg }: World, call: string, which = ""): Promise<void> {
  await pg.sql.unsafe(`
    SELECT ${call}(pid) FROM pg_stat_activity
    WHERE application_name LIKE 'gpdb-kafka load%' AND datname = current_database() ${which}`);
}

/** A process that loads, until it is killed. */
async function killed({ pg, random }: World, jobs: number): Promise<string> {
  const flags = ["--jobs", `${jobs}`, "--once", "--quiet"];
  const child = start("main", ["load", TOPIC, "--dsn", pg.dsn, ...flags]);
  await pause(random.int(300, 1500));
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended already.
  }
  const { code, signal } = await child.output();
  return signal ?? `ended with ${code}`;
}

/** Starts a load, does something to it, and returns how it ended. */
async function during(
  { client }: World,
  action: (running: { cancel(): void }) => Promise<void>,
): Promise<string> {
  const running = client.start(TOPIC);
  const ended = outcome(running.done);
  await action(running);
  return await ended;
}

async function outcome(done: Promise<{ rows: number }>): Promise<string> {
  try {
    return `${(await done).rows} rows all the same`;
  } catch (thrown) {
    const error = thrown instanceof PartlyLoaded ? thrown.cause : thrown;
    const { code, kind, message } = error as { code?: string; kind?: string; message: string };
    assert.match(`${code} ${kind} ${message}`, EXPECTED);
    return `failed: ${code ?? kind}`;
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * Writes records to some partitions, enough for several shares if there are such; a new partition
 * may not be known everywhere yet.
 */
async function write(world: World): Promise<void> {
  const { broker, random } = world;
  const [least, most, size] = world.jobs === 1 ? [1, 60, 2000] : [500, 3000, 50];
  for (let left = random.int(0, 3 * world.jobs); left > 0; left--) {
    const partition = random.int(0, world.partitions - 1);
    const records = Array.from({ length: random.int(least, most) }, () => ({
      value: `${world.written++},"some ""payload"" ${"x".repeat(random.int(0, size))}"`,
    }));
    for (let tries = 1;; tries++) {
      try {
        await produce(broker, TOPIC, records, partition);
        break;
      } catch (error) {
        if (tries === 20) throw error;
        await pause(250);
      }
    }
  }
}

/** `partition offset id` of every record, as Kafka's own consumer reads them. */
async function topicRecords({ broker, written }: World): Promise<string[]> {
  const args = ["partition", "offset"].flatMap((name) => ["--property", `print.${name}=true`]);
  const bytes = await consoleConsume(broker, TOPIC, written, args);
  return new TextDecoder().decode(bytes).trim().split("\n").map((line) =>
    line.replace(/^Partition:(\d+)\tOffset:(\d+)\t(\d+),.*$/, "$1 $2 $3")
  ).sort();
}

for (const jobs of [1, 3]) {
  Deno.test({
    name: `client: ${rounds} rounds of trouble, and every record is there once; --jobs ${jobs}`,
    ignore: dialect === "greenplum",
    fn: () => trouble(jobs),
  });
}

async function trouble(jobs: number): Promise<void> {
  await using broker = await startBroker({ own: true });
  await using pg = await startDatabase();
  await runScript(pg, await schemaSql("postgres"));
  await using client = clientSession(pg.dsn, jobs);
  const world = { broker, pg, client, jobs, random: new Random(seed), partitions: 3, written: 0 };
  await createTopic(broker, TOPIC, { partitions: world.partitions });
  await pg.sql`
      CREATE TABLE events (partition_no int, offset_no bigint, id bigint, payload text)`;
  const readerFlags = ["--columns", "partition,offset"];
  const via = "client";
  await addSource(pg, broker, { name: TOPIC, topic: TOPIC, table: "events", readerFlags, via });

  let order: string[] = [];
  for (let round = 1; round <= rounds; round++) {
    if (order.length === 0) order = world.random.shuffle(Object.keys(events));
    const event = order.pop()!;
    await write(world);
    let outcome: string;
    try {
      outcome = await events[event](world);
    } catch (error) {
      throw new Error(`seed ${seed}, round ${round}, ${event}: ${error}`, { cause: error });
    }
    if (Deno.env.get("GPDB_KAFKA_CHAOS_ROUNDS")) console.log(`${round}: ${event}: ${outcome}`);
  }
  while ((await client.load(TOPIC)).records > 0);

  const rows = await pg.sql`
      SELECT partition_no || ' ' || offset_no || ' ' || id AS row,
        payload LIKE 'some "payload" %' AS whole
      FROM events`;
  const loaded = rows.map(({ row }) => row).sort();
  assert.equal(loaded.length, world.written, `seed ${seed}`);
  assert.deepEqual(loaded, await topicRecords(world), `seed ${seed}`);
  assert.ok(rows.every(({ whole }) => whole));

  // The history says so too: what each load took starts where the one before it ended.
  const history = await pg.sql`SELECT ranges, rows FROM kafka.load_history ORDER BY load_no`;
  const begun = await pg.sql`SELECT 1 FROM kafka.load_plan GROUP BY load_no HAVING count(*) > 1`;
  assert.equal(begun.length > 0, jobs > 1, "shares of one load have been planned with one number");
  const next = new Map<string, string>();
  for (const { ranges } of history) {
    for (const range of ranges.split(",").filter(Boolean)) {
      const [partition, from, to] = range.split(/[:-]/);
      assert.equal(next.get(partition) ?? "0", from);
      next.set(partition, to);
    }
  }
  assert.equal(history.reduce((sum, { rows }) => sum + Number(rows), 0), world.written);

  // And so does the mirror.
  const group = await groupOffsets(broker, `gpdb-kafka.${TOPIC}`, TOPIC);
  for (const [partition, to] of next) assert.equal(group.get(Number(partition)), BigInt(to));

  // No session of a load is left in a transaction, and no lock.
  const left = await pg.sql`
      SELECT state FROM pg_stat_activity
      WHERE application_name LIKE 'gpdb-kafka load%' AND xact_start IS NOT NULL
        AND datname = current_database()`;
  assert.deepEqual([...left], []);
}
