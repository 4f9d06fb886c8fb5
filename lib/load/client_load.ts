import { consume } from "../consume/consume.ts";
import type { ConsumeOptions, Range } from "../consume/options.ts";
import { parseRanges } from "../consume/ranges.ts";
import { quoteLiteral } from "../greenplum/quote.ts";
import type { ClientConfig } from "../kafka/config.ts";
import { type Database, loadCancelled, type Loaded, type RunningLoad } from "./database.ts";
import { planStand, planText, type Reader, readStand } from "./stand.ts";
import { Transaction } from "./transaction.ts";

/**
 * Bytes asked of a broker at a time: less than a reader into a pipe asks for, because a database
 * takes rows more slowly, and one process may have several loads.
 */
const FETCH_MAX = 2 * 1024 * 1024;

/** A load of a source that this program reads itself. */
export interface ClientLoad {
  sql: Database;
  source: string;
  maxRecords: number | null;
  /** For its time the session is called `name SOURCE`, if there is a name. */
  name: string | null;
  /** What the words of a reader's command say. Throws Failure. */
  readerOf(command: string): Promise<Reader>;
  warn(line: string): void;
  /** The connection must not be used again: close it, and open another one. */
  reopen(): void;
}

/**
 * Loads what is new in a source's topic: asks Kafka, streams the rows by COPY … FROM STDIN, and writes
 * rows and offsets in one transaction, by the steps of kafka.load.
 */
export function startClientLoad(load: ClientLoad): RunningLoad {
  const cancelled = Promise.withResolvers<never>();
  cancelled.promise.catch(() => {});
  let running: Transaction | null = null;
  const work = async () => {
    const { sql, source, name } = load;
    const settings = name === null
      ? []
      : [`SET LOCAL application_name = ${quoteLiteral(`${name} ${source}`)}`];
    const transaction = await Transaction.begin(sql, settings).catch((error) => {
      // Whatever became of the connection, it is not to be used again.
      if (error?.name !== "PostgresError") load.reopen();
      throw error;
    });
    running = transaction;
    try {
      const loaded = await Promise.race([loadIn(transaction, load), cancelled.promise]);
      await transaction.commit();
      return loaded;
    } catch (error) {
      if (!await transaction.rollback()) load.reopen();
      throw transaction.explained(error);
    }
  };
  return {
    done: work(),
    cancel() {
      cancelled.reject(loadCancelled());
      running?.cancel();
    },
  };
}

/** All steps but the commit. */
async function loadIn(transaction: Transaction, load: ClientLoad): Promise<Loaded> {
  const started = performance.now();
  const { source, maxRecords, warn } = load;
  const name = quoteLiteral(source);
  const stand = await readStand(transaction, source, "load");
  const { options, config } = await load.readerOf(stand.reader);
  const plan = await planStand(stand, options.isolation, config, true, warn);
  const text = quoteLiteral(planText(source, plan));
  const step = await transaction.row(
    `SELECT * FROM kafka._client_begin(${name}, ${maxRecords ?? "NULL"}, ${text})`,
  );
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
  if (step.moved) {
    const { rows, rejected, updated, deleted, filtered } = counts;
    const numbers = [rows, rejected, updated, deleted, filtered, rowsRead];
    await transaction.rows(`SELECT kafka._client_finish(${name}, ${numbers.join(", ")})`);
  }
  return {
    ...counts,
    rowsRead,
    records,
    lag: Number(step.lag),
    lost: Number(step.lost),
    reason: step.reason,
    seconds: (performance.now() - started) / 1000,
    loadNo: Number(step.load_no),
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
