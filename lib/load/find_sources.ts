import { Failure } from "../failure.ts";
import { suggestion } from "../text.ts";
import { atMost, pause, unlessAborted } from "../waiting.ts";
import { type Database, openDatabase } from "./database.ts";
import type { Dsn } from "./dsn.ts";
import { databaseProblem } from "./errors.ts";
import { sourceNames } from "./source.ts";

const FIRST_WAIT = 250;
const LONGEST_WAIT = 30_000;
/** How long an answer may still come after the signal, milliseconds. */
const GRACE = 1000;

export interface FindOptions {
  dsn: Dsn;
  /** If not null, what may pass is tried again for ever. */
  every: number | null;
  /** Else for this long, milliseconds. */
  patience: number;
}

/**
 * The names of all sources that the role may load, in their order; null if the signal was aborted
 * before. Throws Failure: of the database, or (usage) if there is none.
 */
export async function findSources(
  { dsn, every, patience }: FindOptions,
  signal: AbortSignal,
  warn: (line: string) => void,
): Promise<string[] | null> {
  const sql = openDatabase(dsn, "gpdb-kafka load");
  const started = performance.now();
  try {
    for (let wait = FIRST_WAIT; !signal.aborted; wait = Math.min(2 * wait, LONGEST_WAIT)) {
      try {
        const names = await unlessAborted(listSources(sql), signal, GRACE);
        if (names === undefined) return null;
        if (names.length > 0) return names;
        throw new Failure(
          "usage",
          "no source: this role may load none — gpdb-kafka sql source makes one, its --grant ROLE " +
            "lets a role load it",
        );
      } catch (error) {
        if (error instanceof Failure) throw error;
        const problem = databaseProblem(error);
        if (problem === null) throw error;
        const late = every === null && performance.now() + wait - started > patience;
        const message = `cannot list the sources: ${problem.message}`;
        if (!problem.passing || late) throw new Failure(problem.kind, message, { cause: error });
        warn(`${message}; trying again in ${wait / 1000} s`);
        await pause(wait, signal);
      }
    }
    return null;
  } finally {
    await sql.end({ timeout: 0.5 });
  }
}

/** A source without its table is one of them, so that its loads say so. */
async function listSources(sql: Database): Promise<string[]> {
  const rows = await sql`
    SELECT s.source
    FROM kafka.status s
    LEFT JOIN (
      SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    ) t ON t.name = s.target
    WHERE t.oid IS NULL OR has_table_privilege(t.oid, 'INSERT')
    ORDER BY s.source`;
  return rows.map(({ source }) => source as string);
}

/** SQLSTATE of a source that does not exist. */
const UNDEFINED_OBJECT = "42704";

/** How long the names of the sources are waited for when the one given is not among them. */
const NAMES_TIMEOUT = 2000;

/** The failure of a load, with the source that was meant if the one given does not exist. */
export async function withSuggestion(failure: Failure, dsn: Dsn, source: string): Promise<Failure> {
  const { code } = (failure.cause ?? {}) as { code?: unknown };
  if (code !== UNDEFINED_OBJECT) return failure;
  const sql = openDatabase(dsn, "gpdb-kafka load");
  let names: string[] = [];
  await atMost(NAMES_TIMEOUT, sourceNames(sql).then((found) => names = found));
  await sql.end({ timeout: 0.5 });
  const [failed, todo = ""] = failure.message.split(/(?= — )/);
  return new Failure(failure.kind, failed + suggestion(source, names, todo), {
    cause: failure.cause,
  });
}
