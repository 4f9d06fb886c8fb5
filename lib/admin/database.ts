import { Failure } from "../failure.ts";
import { within } from "../waiting.ts";
import type { Database } from "../load/database.ts";
import { databaseProblem } from "../load/errors.ts";

/** A source of kafka.load, as its database has it. */
export interface Source {
  name: string;
  topic: string;
  group: string;
  /** The brokers it is loaded from, if it names them. */
  brokers: string | null;
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
  const [found] = await ask(
    failed,
    timeout,
    sql`SELECT topic, group_name, brokers FROM kafka.status WHERE source = ${name}`,
  );
  if (!found) {
    throw new Failure(
      "usage",
      `source "${name}" does not exist in this database — see kafka.status`,
    );
  }
  return { name, topic: found.topic, group: found.group_name, brokers: found.brokers };
}

/**
 * Where a source stands in each partition, within `timeout` milliseconds. Throws Failure, also if
 * the topic is not the one that it has loaded.
 */
export async function sourcePlaces(
  sql: Database,
  name: string,
  timeout: number,
): Promise<Map<number, SourcePlace>> {
  const failed = `cannot read the lag of source "${name}"`;
  const rows = await ask(
    failed,
    timeout,
    sql`SELECT partition_no, earliest, next_offset, lag, error FROM kafka.lag_of(${name})`,
  );
  const error = rows.find(({ error }) => error !== null)?.error;
  if (error !== undefined) throw new Failure("record", `${failed}: ${error}`);
  return new Map(rows.map(({ partition_no, earliest, next_offset, lag }) => {
    const offset = next_offset === null ? null : Number(next_offset);
    const lost = offset === null ? 0 : Math.max(0, Number(earliest) - offset);
    return [Number(partition_no), { offset, lag: Number(lag), lost }];
  }));
}

async function ask<T>(failed: string, timeout: number, query: PromiseLike<T>): Promise<T> {
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
