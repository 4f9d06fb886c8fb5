import type { Row } from "postgres";
import { Failure } from "../failure.ts";
import { quoteLiteral } from "../greenplum/quote.ts";
import type { Via } from "../greenplum/source.ts";
import { partitionName } from "../kafka/partitions.ts";
import { within } from "../waiting.ts";
import { suggestion } from "../text.ts";
import type { Database } from "./database.ts";
import { databaseProblem } from "./errors.ts";

/** What a role that may load sees of a source of kafka.load. */
export interface Source {
  name: string;
  /** Null for several topics: {@link sourcePlaces} names them. */
  topic: string | null;
  group: string;
  /** The brokers it is loaded from, if it names them. */
  brokers: string | null;
  /** Whether gpdb-kafka reads its topic, not the database. */
  byClient: boolean;
}

/** All that the database has of a source: the schema's owner may see it, and superusers. */
export interface SourceRow {
  /** Null for several topics: those of `topics`, or all that `topicPattern` matches. */
  topic: string | null;
  topics: string[] | null;
  topicPattern: string | null;
  target: string;
  /** The table that the reader's rows are put into first, if the source maps or merges them. */
  stage: string | null;
  /** Whether its loads delete rows of the target, to replace them. */
  merges: boolean;
  /** The reader's. */
  columns: string[];
  /** The name of a web table on Greenplum, a shell command on PostgreSQL and of a client. */
  reader: string;
  brokers: string | null;
  configFile: string | null;
  group: string;
  /** Null in an older schema. */
  via: Via | null;
  paused: boolean;
}

/** Where a source stands in a partition, as kafka.lag says: the same steps as those of a load. */
export interface SourcePlace {
  /** The next offset; null if it has loaded nothing. */
  offset: number | null;
  lag: number;
  /** Offsets that were deleted unread. */
  lost: number;
}

/** Finds a source within `timeout` milliseconds. Throws Failure, also if it does not exist. */
export async function findSource(sql: Database, name: string, timeout: number): Promise<Source> {
  const failed = `cannot read source "${name}"`;
  const [found] = await answerOf(
    failed,
    timeout,
    // As JSON: an older schema has fewer columns.
    sql`SELECT row_to_json(s)::text AS status FROM kafka.status s WHERE source = ${name}`,
  );
  if (!found) {
    const names = await answerOf(failed, timeout, sourceNames(sql));
    const hint = suggestion(name, names, " — see kafka.status");
    throw new Failure("usage", `source "${name}" does not exist in this database${hint}`);
  }
  const { topic, topics, topic_pattern, group_name, brokers, via } = JSON.parse(found.status);
  const isSeveral = Boolean(topics ?? topic_pattern);
  return {
    ...{ name, topic: isSeveral ? null : topic, group: group_name, brokers },
    byClient: via === "client",
  };
}

/** The names of all sources, sorted. Throws what the database answers. */
export async function sourceNames(sql: Database): Promise<string[]> {
  const rows = await sql`SELECT source FROM kafka.status ORDER BY 1`;
  return rows.map(({ source }) => source);
}

/** Reads a source; null if it does not exist. Throws what the database answers. */
export async function readSource(sql: Database, name: string): Promise<SourceRow | null> {
  // Not from kafka.status: an older schema must be readable, too, to be called old.
  const [row] = await sql`
    SELECT row_to_json(s)::text AS source FROM kafka.source s WHERE s.name = ${name}`;
  if (!row) return null;
  const source = JSON.parse(row.source);
  const { topic, target, columns, reader, brokers, config_file, group_name, paused } = source;
  const { stage = null, stage_columns = null, topics = null, topic_pattern = null, via = null } =
    source;
  return {
    ...{
      topic,
      topics,
      topicPattern: topic_pattern,
      target,
      stage,
      merges: Boolean(source.latest),
      columns: stage_columns ?? columns,
      reader,
      brokers,
    },
    ...{ configFile: config_file, group: group_name, via, paused },
  };
}

/** Where a source stands in the partitions of its topics. */
export interface SourcePlaces {
  topics: string[];
  /** By {@link partitionName}. */
  places: ReadonlyMap<string, SourcePlace>;
}

/**
 * Where a source stands in each partition, within `timeout` milliseconds. `ask` runs the statement.
 * Throws Failure, also if a topic is not the one that it has loaded.
 */
export async function sourcePlaces(
  name: string,
  timeout: number,
  ask: (statement: string) => Promise<Row[]>,
): Promise<SourcePlaces> {
  const failed = `cannot read the lag of source "${name}"`;
  const rows = await answerOf(
    failed,
    timeout,
    ask(
      `SELECT topic, partition_no, earliest, next_offset, lag, error FROM kafka.lag_of(${
        quoteLiteral(name)
      })`,
    ),
  );
  const error = rows.find(({ error }) => error !== null)?.error;
  if (error !== undefined) throw new Failure("record", `${failed}: ${error}`);
  const places = new Map(rows.map(({ topic, partition_no, earliest, next_offset, lag }) => {
    const offset = next_offset === null ? null : Number(next_offset);
    const lost = offset === null ? 0 : Math.max(0, Number(earliest) - offset);
    const name = partitionName({ topic, partition: Number(partition_no) });
    return [name, { offset, lag: Number(lag), lost }];
  }));
  return { topics: [...new Set(rows.map(({ topic }) => topic as string))], places };
}

/** SQLSTATEs of what an older schema, or a role without rights, does not let us see. */
const UNSEEN = ["42P01", "42703", "3F000", "42501"];

/**
 * Whether this program reads the source's topic itself. Not so of what cannot be seen: kafka.load says
 * why. Throws what the database answers.
 */
export async function isReadByClient(sql: Database, name: string): Promise<boolean> {
  try {
    const [row] = await sql`SELECT via FROM kafka.status WHERE source = ${name}`;
    return row?.via === "client";
  } catch (error) {
    if (UNSEEN.includes((error as { code?: string }).code ?? "")) return false;
    throw error;
  }
}

/** What a query answers within `timeout` milliseconds. Throws Failure. */
export async function answerOf<T>(
  failed: string,
  timeout: number,
  query: PromiseLike<T>,
): Promise<T> {
  try {
    return await within(timeout, failed, Promise.resolve(query));
  } catch (error) {
    if (error instanceof Failure) throw error;
    const problem = databaseProblem(error);
    if (problem === null) throw error;
    const { kind, message } = problem;
    throw new Failure(kind, `${failed}: ${message}`, { cause: error });
  }
}
