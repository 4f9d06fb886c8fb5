import { Failure } from "../failure.ts";
import { within } from "../kafka/deadline.ts";
import type { Database } from "../load/database.ts";
import { databaseProblem } from "../load/errors.ts";

/** Where a source of kafka.load stands, as its database holds it. */
export interface SourcePlace {
  topic: string;
  group: string;
  /** The brokers it is loaded from, where it names them. */
  brokers: string | null;
  /** The next offset of each partition that was loaded. */
  offsets: Map<number, number>;
}

/**
 * Asks the database, which may take `timeout` milliseconds. Throws Failure; where there is no such
 * source, too.
 */
export async function sourcePlace(
  sql: Database,
  source: string,
  timeout: number,
): Promise<SourcePlace> {
  const failed = `cannot read where source "${source}" stands`;
  try {
    return await within(timeout, failed, ask(sql, source));
  } catch (error) {
    if (error instanceof Failure) throw error;
    const problem = databaseProblem(error);
    if (problem === null) throw error;
    const { kind, message } = problem;
    throw new Failure(kind, `${failed}: ${message}`, { cause: error });
  }
}

async function ask(sql: Database, source: string): Promise<SourcePlace> {
  const rows = await sql`
    SELECT s.topic, s.group_name, s.brokers, o.partition_no, o.next_offset
    FROM kafka.source s LEFT JOIN kafka.load_offset o ON o.source = s.name
    WHERE s.name = ${source}`;
  if (rows.length === 0) {
    throw new Failure("usage", `there is no source "${source}" in this database: see kafka.status`);
  }
  const [{ topic, group_name, brokers }] = rows;
  const loaded = rows.filter(({ partition_no }) => partition_no !== null);
  return {
    topic,
    group: group_name,
    brokers,
    offsets: new Map(loaded.map((row) => [Number(row.partition_no), Number(row.next_offset)])),
  };
}
