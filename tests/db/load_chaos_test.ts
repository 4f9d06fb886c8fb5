/**
 * Exactly once, whatever happens: rounds of loads from a real broker into a real PostgreSQL (or
 * Greenplum: see load.ts), in each of which something goes wrong. GPDB_KAFKA_CHAOS_ROUNDS says how many, GPDB_KAFKA_CHAOS_SEED
 * which.
 */
import assert from "node:assert/strict";
import postgres from "postgres";
import { type Broker, startBroker } from "../../scripts/servers/broker.ts";
import type { Postgres } from "../../scripts/servers/postgres.ts";
import { consoleConsume, createTopic, groupOffsets, produce, withAdmin } from "../support/kafka.ts";
import {
  addSource,
  dialect,
  installKafka,
  load,
  ownServer,
  startDatabase,
} from "../support/load.ts";
import { killProgram } from "../support/processes.ts";
import { Random } from "../support/random.ts";

const rounds = Number(Deno.env.get("GPDB_KAFKA_CHAOS_ROUNDS") || 18);
const seed = Number(Deno.env.get("GPDB_KAFKA_CHAOS_SEED") || Date.now() % 1_000_000);

const TOPIC = "events";
const MOST_PARTITIONS = 12;

interface World {
  broker: Broker;
  pg: Postgres;
  random: Random;
  partitions: number;
  written: number;
}

/** Each takes one round, and returns what came of it. A load that must succeed throws. */
const events: Record<string, (world: World) => Promise<string>> = {
  async "plain load"({ pg }) {
    return `${(await load(pg, TOPIC)).rows} rows`;
  },

  async "rollback after the load"({ pg }) {
    await assert.rejects(
      pg.sql.begin(async (sql) => {
        await load({ sql }, TOPIC);
        throw new Error("changed my mind");
      }),
      /changed my mind/,
    );
    return "rolled back";
  },

  async "two loads in one transaction"({ pg, random }) {
    await pg.sql.begin(async (sql) => {
      await load({ sql }, TOPIC, random.int(1, 10));
      await load({ sql }, TOPIC);
    });
    return "committed";
  },

  async "backend terminated"(world) {
    return await during(world, async (pid) => {
      await pause(world.random.int(0, 500));
      await world.pg.sql`SELECT pg_terminate_backend(${pid})`;
    });
  },

  async "consumer killed -9"(world) {
    // The first program is the planner, the second the reader.
    return await during(world, async (pid) => {
      await pause(world.random.int(0, 500));
      await killProgram(dialect === "greenplum" ? "kafka_consumer" : pid, 500);
    });
  },

  async "statement_timeout"(world) {
    const limit = `${world.random.int(30, 600)}ms`;
    return await during(world, () => Promise.resolve(), { statement_timeout: limit });
  },

  async "query cancelled"(world) {
    return await during(world, async (pid) => {
      await pause(world.random.int(0, 500));
      await world.pg.sql`SELECT pg_cancel_backend(${pid})`;
    });
  },

  async "broker killed -9 and restarted"(world) {
    const [node] = world.broker.nodes;
    return await during(world, async () => {
      await pause(world.random.int(0, 400));
      await node.kill();
      await node.start();
    });
  },

  async "max_records small"({ pg, random }) {
    const { rows, reason } = await load(pg, TOPIC, random.int(1, 5));
    return `${rows} rows, ${reason}`;
  },

  async "two sessions at once"({ pg, random }) {
    const loads = await Promise.all([load(pg, TOPIC, random.int(1, 30)), load(pg, TOPIC)]);
    return loads.map(({ rows }) => `${rows} rows`).join(" and ");
  },

  async "partitions added"(world) {
    const loading = load(world.pg, TOPIC);
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

/** Starts a load in a session of its own, does something to it, and returns how it ended. */
async function during(
  { pg }: World,
  action: (pid: number) => Promise<void>,
  settings: Record<string, string> = {},
): Promise<string> {
  const sql = postgres(pg.dsn, { max: 1, onnotice: () => {}, connection: settings });
  try {
    const [{ pid }] = await sql`SELECT pg_backend_pid() AS pid`;
    const loading = load({ sql }, TOPIC).then(
      ({ rows }) => `${rows} rows all the same`,
      (error) => `failed: ${error.message}`,
    );
    await action(pid);
    return await loading;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Writes a few records to some partitions; a new partition may not be known everywhere yet. */
async function write(world: World): Promise<void> {
  const { broker, random } = world;
  for (let left = random.int(0, 3); left > 0; left--) {
    const partition = random.int(0, world.partitions - 1);
    const records = Array.from({ length: random.int(1, 60) }, () => ({
      value: `${world.written++},"some ""payload"""`,
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

/** `partition offset value` of every record, as Kafka's own consumer reads them. */
async function topicRecords({ broker }: World, count: number): Promise<string[]> {
  const args = ["partition", "offset"].flatMap((name) => ["--property", `print.${name}=true`]);
  const bytes = await consoleConsume(broker, TOPIC, count, args);
  return new TextDecoder().decode(bytes).trim().split("\n").map((line) =>
    line.replace(/^Partition:(\d+)\tOffset:(\d+)\t/, "$1 $2 ")
  ).sort();
}

Deno.test({
  name: `load: ${rounds} rounds of trouble, and every record is there once`,
  ignore: !ownServer,
  async fn() {
    await using broker = await startBroker({ own: true });
    await using pg = await startDatabase();
    await installKafka(pg);
    const world: World = { broker, pg, random: new Random(seed), partitions: 3, written: 0 };
    await createTopic(broker, TOPIC, { partitions: world.partitions });
    await pg.sql`
      CREATE TABLE events (partition_no int, offset_no bigint, id bigint, payload text)`;
    const readerFlags = ["--columns", "partition,offset"];
    await addSource(pg, broker, { name: TOPIC, topic: TOPIC, table: "events", readerFlags });

    const tally = new Map<string, number>();
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
      const kind = `${event}: ${outcome.replace(/ \d.*|:.*/s, "").replace(/^\d+ /, "")}`;
      tally.set(kind, (tally.get(kind) ?? 0) + 1);
      if (Deno.env.get("GPDB_KAFKA_CHAOS_ROUNDS")) console.log(`${round}: ${event}: ${outcome}`);
    }
    while ((await load(pg, TOPIC)).records > 0);

    const rows = await pg.sql`
      SELECT partition_no || ' ' || offset_no || ' ' || id || ',"some ""payload"""' AS row,
        payload = 'some "payload"' AS whole
      FROM events`;
    const loaded = rows.map(({ row }) => row).sort();
    assert.equal(loaded.length, world.written, `seed ${seed}`);
    assert.deepEqual(loaded, await topicRecords(world, world.written), `seed ${seed}`);
    assert.ok(rows.every(({ whole }) => whole));

    // The history says so too: what each load took starts where the one before it ended.
    const history = await pg.sql`SELECT ranges, rows FROM kafka.load_history ORDER BY load_no`;
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
    if (Deno.env.get("GPDB_KAFKA_CHAOS_ROUNDS")) console.log(Object.fromEntries(tally));
  },
});
