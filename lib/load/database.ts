import "../node_warnings.ts";
import postgres from "postgres";
import { Failure } from "../failure.ts";
import { quoteLiteral } from "../greenplum/quote.ts";
import type { Column, TableName } from "../greenplum/source.ts";
import { Secret } from "../secret.ts";
import { cancelQuery } from "./cancel.ts";
import { databaseTls } from "./database_tls.ts";
import type { Dsn } from "./dsn.ts";

/** A connection to the database that rows are loaded into. */
export type Database = postgres.Sql;

const CONNECT_TIMEOUT = 10; // seconds

/**
 * Opens one connection, at the first query; a lost one is opened again at the next. Nothing is
 * prepared, so that a pooler may be in between. What the DSN does not say comes from libpq's
 * environment variables. Throws Failure (usage) if that cannot be.
 */
export function openDatabase(
  dsn: Dsn,
  name: string,
  notice: (text: string) => void = () => {},
): Database {
  const env = (name: string) => Deno.env.get(name) || null;
  const settings = { application_name: name, ...dsn.settings };
  const { database, sessionState } = dsn;
  const port = Number(env("PGPORT") ?? 5432);
  const addresses = (dsn.hosts.length > 0 ? dsn.hosts : [{ host: "", port: null }])
    .map((one) => ({ host: one.host || (env("PGHOST") ?? "localhost"), port: one.port ?? port }));
  const [{ host }] = addresses;
  const isSocket = host.startsWith("/");
  const user = dsn.user ?? env("PGUSER");
  // Even what is not from here is not to be printed.
  const password = dsn.password ??
    (env("PGPASSWORD") === null ? null : new Secret(env("PGPASSWORD")!));
  try {
    return postgres({
      max: 1,
      idle_timeout: 0,
      max_lifetime: null,
      connect_timeout: dsn.connectTimeout ?? CONNECT_TIMEOUT,
      prepare: false,
      fetch_types: false,
      ...(isSocket
        ? { path: `${host}/.s.PGSQL.${addresses[0].port}`, ssl: false }
        : databaseTls(dsn, addresses, env)),
      host: addresses.map(({ host }) => host),
      port: addresses.map(({ port }) => port),
      ...(user === null ? {} : { user }),
      ...(database === null ? {} : { database }),
      ...(password === null ? {} : { password: password.reveal() }),
      ...(sessionState === null || sessionState === "any"
        ? {}
        : { target_session_attrs: sessionState as "primary" }),
      connection: settings,
      onnotice: ({ message }: postgres.Notice) => notice(message ?? ""),
    } as unknown as postgres.Options<Record<string, never>>);
  } catch (error) {
    if (error instanceof Failure) throw error;
    // What the library says of a wrong value has the value in it.
    throw new Failure("usage", `${dsn.at}: check it, and the environment's variables PG…`);
  }
}

/** A table's full name, and its columns in their order. Throws what the database answers. */
export async function readColumns(
  sql: Database,
  table: string,
): Promise<{ target: TableName; columns: Column[] }> {
  const rows = await sql`
    SELECT n.nspname AS schema, c.relname AS table, a.attname AS name,
      format_type(a.atttypid, a.atttypmod) AS type
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.oid = ${table}::regclass
    ORDER BY a.attnum`;
  if (rows.length === 0) throw new Failure("usage", `table ${table} has no columns`);
  return {
    target: { schema: rows[0].schema, table: rows[0].table },
    columns: rows.map(({ name, type }) => ({ name, type })),
  };
}

/** What a load did of one topic. */
export interface TopicLoad {
  topic: string;
  records: number;
  lag: number;
}

/** What a load did. */
export interface Loaded {
  rows: number;
  /** Of rows, those that took the place of a row with their key. */
  updated: number;
  /** Rows of the table that a delete or a tombstone removed. */
  deleted: number;
  /** Rows that the source's filter left out. */
  filtered: number;
  rejected: number;
  /** Rows that the reader returned. */
  rowsRead: number;
  records: number;
  lag: number;
  /** Offsets that on_lost skipped. */
  lost: number;
  /** `max_records`: there is more to load. */
  reason: "end" | "max_records";
  seconds: number;
  /** Of shares the last one's. */
  loadNo: number;
  /** How many transactions loaded a share each; absent if it was one that loaded all. */
  shares?: number;
  /** Some shares have failed: the load has not succeeded. */
  partly?: true;
  /** Of each topic; absent if the schema is not upgraded yet. */
  topics?: readonly TopicLoad[];
}

/** A running load. */
export interface RunningLoad {
  /** Throws what the database answers, Failure, or PartlyLoaded with one of these. */
  done: Promise<Loaded>;
  cancel(): void;
}

/** Why a load failed of which some transactions were committed. */
export class PartlyLoaded extends Error {
  /** What these have loaded. */
  readonly loaded: Loaded;

  constructor(loaded: Loaded, cause: unknown) {
    super("some partitions were not loaded", { cause });
    this.loaded = { ...loaded, partly: true };
  }
}

/** SQLSTATE of what was cancelled. */
export const CANCELLED = "57014";

/** What ends a load that was cancelled, as the package ends a query that was not sent yet. */
export function loadCancelled(): Error {
  return Object.assign(new Error("canceling the load due to user request"), { code: CANCELLED });
}

/**
 * Starts kafka.load in a transaction of its own, at the level that it requires, whatever the
 * default: several statements in one message are one transaction, and leave nothing behind in a
 * session that may be a pooler's. For its time the session is called `name SOURCE`, if there is a
 * name.
 */
export function startLoad(
  sql: Database,
  source: string,
  maxRecords: number | null,
  name: string | null = null,
): RunningLoad {
  const query = sql.unsafe<Record<string, unknown>[][]>(
    "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; " +
      (name === null ? "" : `SET LOCAL application_name = ${quoteLiteral(`${name} ${source}`)}; `) +
      `SELECT * FROM kafka.load(${quoteLiteral(source)}, ${maxRecords ?? "NULL"})`,
  );
  return {
    done: query.then((results) => {
      const [row] = results.at(-1)!;
      return {
        rows: Number(row.rows),
        // A schema that is not upgraded yet has no such columns.
        updated: Number(row.updated ?? 0),
        deleted: Number(row.deleted ?? 0),
        filtered: Number(row.filtered ?? 0),
        rejected: Number(row.rejected),
        rowsRead: Number(row.rows_read ?? Number(row.rows) + Number(row.rejected)),
        records: Number(row.records),
        lag: Number(row.lag),
        lost: Number(row.lost),
        reason: row.reason as Loaded["reason"],
        seconds: Number(row.seconds),
        loadNo: Number(row.load_no),
        ...(Array.isArray(row.topics) ? { topics: row.topics as TopicLoad[] } : {}),
      };
    }),
    cancel: () => cancelQuery(query),
  };
}
