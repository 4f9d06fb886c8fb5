import type postgres from "postgres";
import { Failure } from "../failure.ts";
import { within } from "../waiting.ts";
import { cancelQuery } from "./cancel.ts";
import { type CopyIn, copyIn } from "./copy_in.ts";
import { CANCELLED, type Database } from "./database.ts";

/** How long the server may take to roll back, milliseconds; then the connection is given up. */
const ROLLBACK_TIMEOUT = 5000;

/** What a transaction may take to begin, with connecting to each of several hosts, milliseconds. */
const BEGIN_TIMEOUT = 30_000;

/** A connection that is open is had at once, unless it was lost just before, milliseconds. */
const RESERVE_TIMEOUT = 5000;

/**
 * A server that loses its client in the middle of a load must notice it, or it keeps the locks: within
 * about a minute, whatever it waits for. Seconds, or milliseconds of the last; servers that lack one of
 * these settings go without. Some that do not run on Linux reject the last one.
 */
const WATCHED = `
  SELECT pg_catalog.set_config(s.name, v.value::text, true)
  FROM pg_catalog.pg_settings s
  JOIN (VALUES ('tcp_keepalives_idle', 30), ('tcp_keepalives_interval', 10),
    ('tcp_keepalives_count', 3), ('client_connection_check_interval', 10000)) v (name, value)
    ON v.name = s.name
  WHERE pg_catalog.version() ~ 'linux'
    AND CASE WHEN v.name = s.name THEN s.setting::integer NOT BETWEEN 1 AND v.value END`;

/**
 * One transaction of several statements, READ COMMITTED, on one connection. If that is lost, all that
 * follows fails: the package would open another one, where the statement would be a transaction of
 * its own.
 */
export class Transaction {
  #sql!: postgres.ReservedSql;
  #isLost = false;
  /** Resolves when it is. */
  readonly #loss = Promise.withResolvers<void>();
  /** Committed or rolled back, or about to be: what still asks for something comes too late. */
  #isOver = false;
  #copy: Promise<CopyIn> | null = null;
  #running: { cancel(): void } | null = null;

  /**
   * `settings` are statements that come first. Throws what the database answers. The database must
   * be one of {@link openDatabase}, which has one connection.
   */
  static async begin(database: Database, settings: readonly string[] = []): Promise<Transaction> {
    const transaction = new Transaction();
    // Called whatever was asked last.
    const options: { onclose?(id: number): void } = database.options;
    options.onclose = () => {
      transaction.#isLost = true;
      transaction.#loss.resolve();
    };
    const statements = ["BEGIN ISOLATION LEVEL READ COMMITTED", ...settings, WATCHED];
    try {
      // Not reserved before it is open: the package would wait for that without end.
      const begun = database.unsafe(statements.join("; "));
      const unlessLost = Promise.race([
        begun,
        transaction.#loss.promise.then(() => {
          throw lost();
        }),
      ]);
      await within(BEGIN_TIMEOUT, "cannot begin a transaction in the database", unlessLost);
    } catch (error) {
      // It may have begun.
      if (isConnected(error) && !transaction.#isLost) {
        const undone = database.unsafe("ROLLBACK");
        await within(ROLLBACK_TIMEOUT, "cannot roll back", undone).catch(() => {});
      }
      throw error;
    }
    transaction.#check();
    const reserving = database.reserve();
    transaction.#sql = await within(
      RESERVE_TIMEOUT,
      "the database's connection is lost",
      reserving,
    );
    return transaction;
  }

  /** The rows of one statement. Throws what the database answers. */
  async rows(statement: string): Promise<postgres.Row[]> {
    return await this.#ask(statement);
  }

  /** The only row of one statement. */
  async row(statement: string): Promise<postgres.Row> {
    const [row] = await this.#ask(statement);
    return row;
  }

  /** Begins a `COPY … FROM STDIN`; nothing else can be asked until it is done. */
  async copyIn(statement: string): Promise<CopyIn> {
    this.#check();
    const beginning = copyIn(this.#sql, statement);
    this.#loss.promise.then(() => beginning.fail(lost()));
    this.#running = beginning;
    this.#copy = beginning.begun;
    try {
      const copy = await beginning.begun;
      const over = () => {
        this.#copy = null;
      };
      copy.done.then(over, over);
      return copy;
    } finally {
      this.#running = null;
    }
  }

  /** Throws if it was not committed, or if nobody knows: the connection was lost meanwhile. */
  async commit(): Promise<void> {
    this.#check();
    this.#isOver = true;
    try {
      const { command } = await this.#send("COMMIT");
      // A transaction that has failed is answered by ROLLBACK.
      if (command !== "COMMIT") throw new Error(`the server answered ${command} to COMMIT`);
    } finally {
      this.#release();
    }
  }

  /**
   * Ends it, if it is not over. Returns false if the database's connection is to be closed: it was
   * lost, which the package remembers in ways that fail what comes next, or the server does not
   * answer, and rolls back then.
   */
  async rollback(): Promise<boolean> {
    if (!this.#isOver && !this.#isLost) {
      this.#isOver = true;
      try {
        const over = Promise.race([this.#undo(), this.#loss.promise]);
        await within(ROLLBACK_TIMEOUT, "cannot roll back", over);
        this.#release();
      } catch {
        return false;
      }
    }
    this.#isOver = true;
    return !this.#isLost;
  }

  async #undo(): Promise<void> {
    const copy = await this.#copy?.catch(() => null);
    copy?.abort();
    await copy?.done.catch(() => {});
    await this.#send("ROLLBACK");
  }

  /**
   * What an error of this transaction, which is over, is to those that report it: the loss of a
   * connection has many names.
   */
  explained(error: unknown): unknown {
    const isKnown = error instanceof Failure || isAnswer(error);
    return this.#isLost && !isKnown ? lost(error) : error;
  }

  /** Asks the server to cancel the statement that runs. */
  cancel(): void {
    this.#running?.cancel();
  }

  #check(): void {
    if (this.#isLost || this.#isOver) throw lost();
  }

  async #ask(statement: string): Promise<postgres.RowList<postgres.Row[]>> {
    this.#check();
    return await this.#send(statement);
  }

  async #send(statement: string): Promise<postgres.RowList<postgres.Row[]>> {
    if (this.#isLost) throw lost();
    const query = this.#sql.unsafe(statement);
    this.#running = { cancel: () => cancelQuery(query) };
    // The package does not answer what comes between a socket's error and its end.
    const never = this.#loss.promise.then(() => {
      throw lost();
    });
    try {
      return await Promise.race([query, never]);
    } catch (error) {
      // The package says so a moment before it calls onclose.
      if (!isConnected(error)) this.#isLost = true;
      throw error;
    } finally {
      this.#running = null;
    }
  }

  #release(): void {
    if (!this.#isLost) this.#sql.release();
  }
}

/** Whether an error is the server's, or a cancel's: it says itself what has happened. */
function isAnswer(error: unknown): error is Error {
  return error instanceof Error &&
    (error.name === "PostgresError" || "code" in error && error.code === CANCELLED);
}

/**
 * Whether the connection is still there after an error. After FATAL the server closes it; servers before
 * 9.6 have the severity in their own language only.
 */
export function isConnected(error: unknown): boolean {
  if (!isAnswer(error)) return false;
  const { severity, severity_local } = error as { severity?: string; severity_local?: string };
  return !/^(FATAL|PANIC)$/.test(severity ?? severity_local ?? "");
}

/** As the package says it. */
function lost(cause?: unknown): Error {
  const error = new Error("the connection was lost in the middle of a transaction", { cause });
  return Object.assign(error, { code: "CONNECTION_CLOSED" });
}
