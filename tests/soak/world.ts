/** A broker, a database, a topic, and everything that writes to it and loads it all the time. */
import { type Broker, startBroker } from "../../scripts/servers/broker.ts";
import { freePorts } from "../../scripts/servers/broker/ports.ts";
import type { Postgres } from "../../scripts/servers/postgres.ts";
import { OFFSET, PARTITION, plainField } from "../../lib/greenplum/shape.ts";
import { sleep } from "../support/group.ts";
import { createTopic } from "../support/kafka.ts";
import { addSource, installKafka, startDatabase } from "../support/load.ts";
import { columnsOf } from "../support/load_shaped.ts";
import { Numbers } from "../support/traffic.ts";
import { LongRun } from "./programs.ts";

export const TOPIC = "soak";
const PARTITIONS = 4;
/** The sources, each with a table of its name. */
export const sources = ["by_program", "by_client", "merged"] as const;

/** Rows written at a time, and the pause after them, milliseconds: 400 a second. */
const ROWS = 40;
const PAUSE = 100;
export const ROWS_A_SECOND = ROWS * 1000 / PAUSE;
/** Keys of the merged table: each is written again every few seconds. */
const KEYS = 997;

export interface World extends AsyncDisposable {
  broker: Broker;
  pg: Postgres;
  /** What all programs have as their folder for temporary files. */
  temporary: string;
  /** The port of the status page. */
  port: number;
  producer: LongRun;
  consumers: { run: LongRun; numbers: Numbers }[];
  loaders: Record<typeof sources[number], LongRun>;
  /** How many rows the producer has been given. */
  readonly fed: number;
  /** Ends the producer, when it has sent everything. */
  stopWriting(): Promise<Deno.CommandStatus>;
}

/** A row, of a number: number, key, what happens to the key, text. */
function row(number: number): string {
  return `${number},${number % KEYS},${number % 7 === 0 ? "d" : "u"},"row ""${number}"""\n`;
}

async function addSources(pg: Postgres, broker: Broker): Promise<void> {
  const columns = "id bigint, key integer, op text, payload text";
  await pg.sql.unsafe(`
    CREATE TABLE by_program (partition_no integer, offset_no bigint, ${columns});
    CREATE TABLE by_client (LIKE by_program);
    CREATE TABLE merged (${columns}, PRIMARY KEY (key))`);
  const common = { topic: TOPIC, readerFlags: ["--columns", "partition,offset"] };
  await addSource(pg, broker, { ...common, name: "by_program", table: "by_program" });
  await addSource(pg, broker, { ...common, name: "by_client", table: "by_client", via: "client" });
  const fields = columnsOf(columns);
  await addSource(pg, broker, {
    ...common,
    name: "merged",
    table: "merged",
    via: "client",
    shape: {
      readerColumns: [
        { name: PARTITION, type: "integer" },
        { name: OFFSET, type: "bigint" },
        ...fields,
      ],
      fields: fields.map(plainField),
      selects: [],
      where: null,
      merge: ["key"],
      mergeOrder: null,
      deleteWhen: "op = 'd'",
    },
  });
}

/** Starts all of it; rows are written from then on. */
export async function startWorld(): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const broker = stack.use(await startBroker({ own: true }));
  const pg = stack.use(await startDatabase());
  await installKafka(pg);
  await createTopic(broker, TOPIC, { partitions: PARTITIONS });
  await addSources(pg, broker);
  const temporary = await Deno.makeTempDir({ prefix: "gpdb-kafka-soak-" });
  stack.defer(() => Deno.remove(temporary, { recursive: true }));
  const env = { TMPDIR: temporary };
  const [port] = freePorts(1);

  const begin = (...args: ConstructorParameters<typeof LongRun>) => {
    const run = new LongRun(...args);
    stack.defer(async () => {
      await run.end("SIGKILL");
    });
    return run;
  };
  const common = ["-b", broker.bootstrap, "-t", TOPIC, "--timeout", "60s", "-v"];
  const consume = (name: string, ...args: string[]) => {
    const numbers = new Numbers();
    const rows = (chunk: Uint8Array) => numbers.add(chunk);
    const all = [...common, "--until", "forever", "-g", name, ...args];
    return { run: begin(name, "consumer", all, { env, rows }), numbers };
  };
  const load = (source: string, ...args: string[]) =>
    begin(`loader of ${source}`, "main", [
      ...["load", source, "--dsn", pg.dsn, "--every", "2s", "-q", ...args],
    ], { env });

  const producer = begin("producer", "producer", [
    ...[...common, "--split", "csv", "--key-column", "2"],
  ], { env });
  let fed = 0;
  let isOver = false;
  const feeding = (async () => {
    const writer = producer.child.stdin.getWriter();
    try {
      while (!isOver) {
        const rows = Array.from({ length: ROWS }, (_, i) => row(fed + i)).join("");
        await writer.write(new TextEncoder().encode(rows));
        fed += ROWS;
        await sleep(PAUSE);
      }
      await writer.close();
    } catch {
      // The producer has ended; its status is looked at elsewhere.
    }
  })();
  stack.defer(() => {
    isOver = true;
  });
  const world = {
    ...{ broker, pg, temporary, port, producer },
    consumers: [consume("consumer"), consume("member", "--assign", "group")],
    loaders: {
      by_program: load("by_program"),
      by_client: load("by_client", "--listen", `127.0.0.1:${port}`),
      merged: load("merged"),
    },
  };
  const owned = stack.move();
  return {
    ...world,
    get fed() {
      return fed;
    },
    async stopWriting() {
      isOver = true;
      await feeding;
      return await producer.end(null);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** How many records each source has loaded. */
export async function loaded({ pg }: World): Promise<Record<string, number>> {
  const rows = await pg.sql<{ source: string; records: string }[]>`
    SELECT source, sum(next_offset) AS records FROM kafka.load_offset GROUP BY source`;
  const none = Object.fromEntries(sources.map((source) => [source, 0]));
  return { ...none, ...Object.fromEntries(rows.map((row) => [row.source, Number(row.records)])) };
}

/** Rows that were written and not yet read: by the source or consumer that is furthest behind. */
export async function lagOf(world: World): Promise<number> {
  const { fed } = world;
  const read = [
    ...Object.values(await loaded(world)),
    ...world.consumers.map(({ numbers }) => numbers.next),
  ];
  return Math.max(0, fed - Math.min(...read));
}

/** What each program and session is called, and its process. */
export async function processes(world: World): Promise<{ name: string; pid: number }[]> {
  const { pg, producer, consumers, loaders } = world;
  const sessions = await pg.sql<{ source: string; pid: number }[]>`
    SELECT substr(application_name, 17) AS source, pid FROM pg_stat_activity
    WHERE application_name LIKE 'gpdb-kafka load %' AND datname = current_database()`;
  return [
    ...[producer, ...consumers.map(({ run }) => run), ...Object.values(loaders)],
    ...sessions.map(({ source, pid }) => ({ name: `session of ${source}`, pid })),
  ].map(({ name, pid }) => ({ name, pid }));
}
