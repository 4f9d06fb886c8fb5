import { consume } from "../consume/consume.ts";
import { MEMORY_LEAST } from "../consume/memory_limits.ts";
import type { ConsumeOptions, Range } from "../consume/options.ts";
import { parseRanges } from "../consume/ranges.ts";
import { quoteArray, quoteLiteral } from "../greenplum/quote.ts";
import type { ClientConfig } from "../kafka/config.ts";
import type { Connection } from "./connection.ts";
import { databaseProblem } from "./errors.ts";
import { type Loaded, PartlyLoaded, type RunningLoad } from "./database.ts";
import type { TopicPlan } from "./plan_topic.ts";
import { Running } from "./running.ts";
import { type Part, planParts, shareOut, sumLoaded, usefulShares } from "./shares.ts";
import { planStand, planText, type Reader, readStand, type Stand } from "./stand.ts";
import type { Streams } from "./streams.ts";
import type { Transaction } from "./transaction.ts";

/**
 * Bytes asked of a broker at a time: less than a reader into a pipe asks for, because a database
 * takes rows more slowly, and one process may have several loads.
 */
const FETCH_MAX = 2 * 1024 * 1024;

/** A load of a source that this program reads itself. */
export interface ClientLoad {
  connection: Connection;
  /** For more of them, if they are of use. */
  streams: Streams;
  source: string;
  maxRecords: number | null;
  /** For its time a session is called `name SOURCE`, if there is a name. */
  name: string | null;
  /** What the words of a reader's command say. Throws Failure. */
  readerOf(command: string): Promise<Reader>;
  warn(line: string): void;
  /** Gets why the source is always loaded by one connection. */
  alone(why: string): void;
}

/** What a load knows when its source is locked and Kafka is asked. */
interface Prepared extends Reader {
  stand: Stand;
  parts: Part[];
  plan: readonly TopicPlan[];
  /** The same, as the database reads it. */
  planned: string;
}

/** The partitions that one of several transactions loads. */
interface Share {
  names: readonly string[];
  /** Called when it has begun; returns when all have. */
  begun(): Promise<void>;
}

/**
 * Loads what is new in a source's topics: asks Kafka, streams the rows by COPY … FROM STDIN, and writes
 * rows and offsets in one transaction, by the steps of kafka.load. If there is enough for several
 * connections, each loads a share of the partitions in a transaction of its own, while the first one
 * keeps the source locked. That one loads nothing itself: a share that waited for its rows, as triggers
 * and unique columns can make it do, would wait without end.
 */
export function startClientLoad(load: ClientLoad): RunningLoad {
  const { connection, source, name, streams } = load;
  const running = new Running(name === null ? null : `${name} ${source}`);
  const started = performance.now();
  const work = async () => {
    const { loaded, failures } = await running.transaction(connection, async (transaction) => {
      const prepared = await running.step(prepare(transaction, load));
      const connections = prepared.stand.isStaged ? [] : streams.take(usefulShares(prepared.parts));
      if (connections.length > 0) {
        try {
          await running.step(transaction.rows(PATIENT));
          return await loadShares(running, load, prepared, connections);
        } finally {
          streams.give(connections);
        }
      }
      const loaded = await running.step(fill(transaction, load, prepared, null));
      await transaction.commit();
      return { loaded: [loaded], failures: [] };
    });
    const shares = loaded.length;
    const failure = worst(failures);
    if (shares === 0) throw failure;
    const sum = {
      ...sumLoaded(loaded),
      seconds: (performance.now() - started) / 1000,
      ...(shares > 1 ? { shares } : {}),
    };
    if (failures.length > 0) throw new PartlyLoaded(sum, failure);
    return sum;
  };
  return { done: work(), cancel: () => running.cancel() };
}

/** The failure that is reported if several shares fail: a mistake of ours, then what cannot pass. */
function worst(failures: readonly unknown[]): unknown {
  const problems = failures.map((failure) => ({ failure, problem: databaseProblem(failure) }));
  const first = problems.find(({ problem }) => problem === null) ??
    problems.find(({ problem }) => problem?.passing === false) ?? problems[0];
  return first?.failure;
}

/** For the transaction that keeps the source locked, and has nothing else to do. */
const PATIENT = `
  SELECT pg_catalog.set_config(s.name, '0', true) FROM pg_catalog.pg_settings s
  WHERE s.name = 'idle_in_transaction_session_timeout'`;

/**
 * A share holds up the others until it has begun, and the database sees nothing of that: so it must not
 * wait long for a lock that is asked for between them (a change of the schema). Then it may, as any load.
 */
const BEGINNING = "SET LOCAL lock_timeout = '10s'";
const BEGUN = "SET LOCAL lock_timeout TO DEFAULT";

/** Locks the source, and asks Kafka what is new. */
async function prepare(transaction: Transaction, load: ClientLoad): Promise<Prepared> {
  const { source, maxRecords, alone, warn } = load;
  const stand = await readStand(transaction, source, "load");
  // The last row of a key is one of a whole load, and there is one stage.
  if (stand.isStaged) alone("it maps, filters or merges its rows");
  const { options, config } = await load.readerOf(stand.reader);
  const plan = await planStand(stand, options.isolation, config, true, warn);
  const parts = planParts(plan, stand.offsets, maxRecords);
  return { stand, options, config, parts, plan, planned: planText(source, plan) };
}

/** Loads a share on each of the connections, and returns what became of them when all have ended. */
async function loadShares(
  running: Running,
  load: ClientLoad,
  prepared: Prepared,
  connections: readonly Connection[],
): Promise<{ loaded: Loaded[]; failures: unknown[] }> {
  const memoryMax = Math.max(
    MEMORY_LEAST,
    Math.floor(prepared.options.memoryMax / connections.length),
  );
  const shared = { ...prepared, options: { ...prepared.options, memoryMax } };
  // All see the source as it was when Kafka was asked: so none ends before all have begun.
  const gates = connections.map(() => Promise.withResolvers<void>());
  const allBegun = Promise.all(gates.map(({ promise }) => promise));
  const ended = await Promise.allSettled(
    shareOut(prepared.parts, connections.length).map(async (names, i) => {
      const connection = connections[i];
      connection.source = load.source;
      const begun = async () => {
        gates[i].resolve();
        await allBegun;
      };
      try {
        return await running.transaction(connection, async (transaction) => {
          const share = { names, begun };
          const loaded = await running.step(fill(transaction, load, shared, share));
          await transaction.commit();
          return loaded;
        }, [BEGINNING]);
      } finally {
        gates[i].resolve();
      }
    }),
  );
  return {
    loaded: ended.flatMap((one) => one.status === "fulfilled" ? [one.value] : []),
    failures: ended.flatMap((one) => one.status === "rejected" ? [one.reason] : []),
  };
}

/** All steps of a transaction that loads, but its commit; null: all partitions. */
async function fill(
  transaction: Transaction,
  load: ClientLoad,
  { stand, options, config, plan, planned }: Prepared,
  share: Share | null,
): Promise<Loaded> {
  const started = performance.now();
  const { source, maxRecords, warn } = load;
  const name = quoteLiteral(source);
  const asked = [
    ...[name, maxRecords ?? "NULL", quoteLiteral(planned)],
    ...(share ? [`share := ${quoteArray(share.names)}`, `stood := ${stand.loadNo}`] : []),
  ];
  const step = await transaction.row(`SELECT * FROM kafka._client_begin(${asked.join(", ")})`);
  if (share) {
    await share.begun();
    await transaction.rows(BEGUN);
  }
  const counts = { rows: 0, updated: 0, deleted: 0, filtered: 0, rejected: 0 };
  const records = Number(step.records);
  if (records > 0) {
    const topicOf = ({ topic }: Range) => topic ?? stand.topics as string;
    // What is waited for until they are read may take long: the topic may be another one meanwhile.
    const ranges = parseRanges(step.ranges).map((range) => ({
      ...range,
      log: plan.find(({ topic }) => topic === topicOf(range))?.identity,
    }));
    const topics = [...new Set(ranges.map(topicOf))];
    const reading = {
      ...options,
      topics,
      topicPattern: undefined,
      ranges,
      commit: false,
      fetchMax: FETCH_MAX,
    };
    counts.rows = await copyRows(transaction, reading, config, step.place, step.columns, warn);
  }
  const rowsRead = counts.rows;
  if (rowsRead > 0 && step.is_staged) {
    const applied = await transaction.row(
      `SELECT * FROM kafka._apply(${name}, ${step.load_no}, ${rowsRead})`,
    );
    for (const what of Object.keys(counts) as (keyof typeof counts)[]) {
      counts[what] = Number(applied[what]);
    }
  }
  let loadNo = step.load_no;
  if (step.moved) {
    const { rows, rejected, updated, deleted, filtered } = counts;
    const numbers = [rows, rejected, updated, deleted, filtered, rowsRead];
    const call = `kafka._client_finish(${name}, ${numbers.join(", ")})`;
    loadNo = (await transaction.row(`SELECT ${call} AS load_no`)).load_no;
  }
  return {
    ...counts,
    rowsRead,
    records,
    lag: Number(step.lag),
    lost: Number(step.lost),
    reason: step.reason,
    seconds: (performance.now() - started) / 1000,
    loadNo: Number(loadNo),
    topics: step.topics,
  };
}

/** Streams the rows of the ranges into a table. Returns how many the server has counted. */
async function copyRows(
  transaction: Transaction,
  options: ConsumeOptions,
  config: ClientConfig,
  place: string,
  columns: string,
  warn: (line: string) => void,
): Promise<number> {
  // As kafka._copy has it.
  const format = "FORMAT csv, DELIMITER ',', NULL '', ENCODING 'UTF8'";
  const copy = await transaction.copyIn(`COPY ${place} (${columns}) FROM STDIN (${format})`);
  const reading = consume(options, config, copy.rows, warn);
  // What the database says is the reason, not that the rows cannot be written any more; it is heard
  // while Kafka is waited for, too.
  await Promise.race([
    reading.catch(async (error) => {
      if (error?.kind === "output") await copy.done;
      throw error;
    }),
    copy.done,
  ]);
  await reading;
  return await copy.done;
}
