import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { join } from "node:path";
import postgres from "postgres";
import { Failure } from "../../lib/failure.ts";
import { findBinaries, type Release, releases } from "./postgres/binaries.ts";
import { findServerUser, type ServerUser } from "./postgres/machine.ts";
import { installProgram, type ProgramOptions } from "./postgres/program.ts";
import { startServer } from "./postgres/server.ts";

export { releases };
export type { ProgramOptions, Release };

/** Settings of a session or a server, by name: `{ "gpdb_kafka.slots": "2" }`. */
export type Settings = Record<string, string>;

export interface StartOptions {
  /** For a server that is started here. One that DATABASE_URL names keeps its own. */
  settings?: Settings;
  /** A server to use, instead of the one that DATABASE_URL names. */
  url?: string;
  /** Start a server of this major release, whatever DATABASE_URL names. */
  release?: Release;
}

/** The longest wait for a server that DATABASE_URL names. */
const CONNECT_DEADLINE = 10; // seconds

/**
 * A PostgreSQL database to use: of the server that the environment's DATABASE_URL names, else of a
 * real one that is started for it (on Linux x86_64; under a second when it has run before). Either
 * way the database is new and goes away at the end:
 *
 * ```ts
 * await using pg = await startPostgres();
 * await pg.sql`SELECT 1`;
 * ```
 *
 * @throws {Failure} `usage` when there is no server to be had here, `broker` when it can't be
 * reached or does not start.
 */
export async function startPostgres(options: StartOptions = {}): Promise<Postgres> {
  const { settings = {}, release } = options;
  const url = options.url ?? (release ? undefined : Deno.env.get("DATABASE_URL"));
  return url ? await createDatabase(url) : await startOwn(settings, release);
}

async function startOwn(settings: Settings, release?: Release): Promise<Postgres> {
  const user = await findServerUser();
  const server = await startServer(await findBinaries(release), user, settings);
  return new Postgres({
    dsn: `postgres://postgres:${server.password}@127.0.0.1:${server.port}/postgres`,
    dataDir: join(server.folder, "data"),
    home: join(server.folder, "home"),
    user,
    crash: server.crash,
    stop: server.stop,
  });
}

/** A database of its own, so that tests neither find nor leave anything in the given one. */
async function createDatabase(url: string): Promise<Postgres> {
  const name = `gpdb_kafka_${crypto.randomUUID().slice(0, 8)}`;
  const dsn = URL.canParse(url) ? new URL(url) : undefined;
  if (!dsn?.protocol.startsWith("postgres")) {
    throw new Failure(
      "usage",
      "DATABASE_URL must be of the form postgres://user:password@host/database",
    );
  }
  const execute = async (statement: string) => {
    const sql = postgres(url, { max: 1, connect_timeout: CONNECT_DEADLINE });
    try {
      await sql.unsafe(statement);
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      throw new Failure("broker", `Cannot run "${statement}" at DATABASE_URL: ${cause}`, {
        cause: error,
      });
    } finally {
      await sql.end({ timeout: 1 });
    }
  };
  await execute(`CREATE DATABASE ${name}`);
  dsn.pathname = `/${name}`;
  return new Postgres({ dsn: dsn.href, stop: () => execute(`DROP DATABASE ${name}`) });
}

/** What a {@linkcode Postgres} is made from. */
interface Parts {
  dsn: string;
  dataDir?: string;
  home?: string;
  user?: ServerUser;
  crash?(): Promise<void>;
  stop(): Promise<void>;
}

/** A database, a client connected to it, and what tests and the demo do with it. */
export class Postgres implements AsyncDisposable {
  /** For other clients, `psql` too. The user is a superuser where the server was started here. */
  readonly dsn: string;
  readonly sql: postgres.Sql;
  /** The server's data folder; undefined with DATABASE_URL. */
  readonly dataDir: string | undefined;
  /** `$HOME` of the server and of the programs it runs; undefined with DATABASE_URL. */
  readonly home: string | undefined;
  readonly #parts: Parts;
  #stopping: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.dsn = parts.dsn;
    this.dataDir = parts.dataDir;
    this.home = parts.home;
    this.sql = postgres(parts.dsn, {
      max: 4,
      connect_timeout: CONNECT_DEADLINE,
      onnotice: () => {},
    });
  }

  /** Runs the statements of a file, in one session with these settings. */
  async runFile(path: string | URL, settings: Settings = {}): Promise<void> {
    await this.runScript(await Deno.readTextFile(path), settings);
  }

  /** Runs statements that may have their own BEGIN and COMMIT, in one session with these settings. */
  async runScript(text: string, settings: Settings = {}): Promise<void> {
    const session = await this.sql.reserve();
    try {
      for (const [name, value] of Object.entries(settings)) {
        await session`SELECT set_config(${name}, ${value}, false)`;
      }
      await session.unsafe(text);
    } finally {
      await session`RESET ALL`;
      session.release();
    }
  }

  /** Sends bytes to a `COPY … FROM STDIN`. */
  async copyIn(
    statement: string,
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<void> {
    // Alone in its session: an error in the middle ends it, and no other query with it.
    const sql = postgres(this.dsn, { max: 1, onnotice: () => {} });
    const { promise: failed, reject } = Promise.withResolvers<never>();
    failed.catch(() => {});
    try {
      // The client reports an error that comes after the last byte to a promise that is settled
      // by then, and the stream never ends. So it reports to one of ours.
      const query = Object.assign(sql.unsafe(statement), { reject });
      const target = await Promise.race([query.writable(), failed]);
      const source = Readable.from(chunks, { objectMode: true });
      await Promise.race([pipeline(source, target), failed]);
    } finally {
      await sql.end({ timeout: 1 });
    }
  }

  /**
   * Makes a Deno program one that the server can execute, and returns the executable's path. With
   * a server started here it lies in the server's home: `$HOME/kafka_consumer` in SQL.
   */
  async installProgram(options: ProgramOptions): Promise<string> {
    if (this.home === undefined) {
      throw new Failure(
        "usage",
        `Cannot install "${options.name}": the server that DATABASE_URL names has files of its own`,
      );
    }
    return await installProgram(this.home, options, this.#parts.user);
  }

  /**
   * Ends the server at once, as a crash does, and starts it again on its port; sessions are lost.
   * What was committed is there, with the setting synchronous_commit=on.
   */
  async crash(): Promise<void> {
    if (!this.#parts.crash) {
      throw new Failure(
        "usage",
        "Cannot end the server that DATABASE_URL names: it is not our own",
      );
    }
    await this.#parts.crash();
  }

  /** Closes the client, and removes the database, with the server if it was started here. */
  stop(): Promise<void> {
    return this.#stopping ??= (async () => {
      await this.sql.end({ timeout: 1 });
      await this.#parts.stop();
    })();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
