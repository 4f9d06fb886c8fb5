import postgres from "postgres";
import { type Broker, type BrokerNode, startBroker } from "../../../scripts/servers/broker.ts";
import { type Postgres, startPostgres } from "../../../scripts/servers/postgres.ts";
import { Console } from "../../../lib/cli/console.ts";
import { sourceReader } from "../../../lib/cli/flags/source_reader.ts";
import { quoteLiteral } from "../../../lib/greenplum/quote.ts";
import { openDatabase } from "../../../lib/load/database.ts";
import { Dsn } from "../../../lib/load/dsn.ts";
import { LoadLoop } from "../../../lib/load/loop.ts";
import { askPlanned } from "../../../lib/load/stand.ts";
import { sleep, until } from "../group.ts";
import { dialect, installKafka, startDatabase } from "../load.ts";
import { type ClientSession, clientSession } from "../load_client.ts";
import { Random } from "../random.ts";
import { Attempt } from "./attempt.ts";
import { InsertedSource } from "./inserted.ts";
import { MergedSource } from "./merged.ts";
import type { ChaosSource, Way } from "./source.ts";
import { sameTable } from "./tables.ts";

/** How long a session of a load may stay in its transaction when nobody waits for it any more. */
const LONGEST = 60_000;

/** A broker, a database, and the sources that are loaded from one into the other. */
export class ChaosWorld implements AsyncDisposable {
  readonly broker: Broker;
  readonly pg: Postgres;
  readonly sources: readonly ChaosSource[];
  /** Of the round. */
  random = new Random(0);
  /** Of all rounds: it must work again after each of them. */
  readonly #keeper: ClientSession;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    stack: AsyncDisposableStack,
    broker: Broker,
    pg: Postgres,
    sources: readonly ChaosSource[],
  ) {
    this.#stack = stack;
    this.broker = broker;
    this.pg = pg;
    this.sources = sources;
    this.#keeper = stack.use(clientSession(pg.dsn));
  }

  /** For each way one source that inserts, and one that merges; each was loaded once. */
  static async start(ways: readonly Way[], seed: number): Promise<ChaosWorld> {
    await using stack = new AsyncDisposableStack();
    const broker = stack.use(await startBroker({ own: true }));
    // What is committed must survive a crash.
    const settings = { synchronous_commit: "on" };
    const onGreenplum = dialect === "greenplum";
    const pg = stack.use(await (onGreenplum ? startDatabase() : startPostgres({ settings })));
    await installKafka(pg);
    const sources = ways.flatMap((way) => [
      new InsertedSource("inserted", way, broker, pg),
      ...(onGreenplum ? [] : [new MergedSource(seed, "merged", way, broker, pg)]),
    ]);
    await pg.sql.unsafe(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS
        $$ BEGIN RAISE EXCEPTION 'refused at the commit'; END $$`);
    const world = new ChaosWorld(stack.move(), broker, pg, sources);
    for (const source of sources) {
      await source.create();
      await source.write(new Random(seed));
      await world.finish(source);
      source.settle();
    }
    return world;
  }

  get node(): BrokerNode {
    return this.broker.nodes[0];
  }

  /** Starts a load in a session of its own, which has these settings. */
  attempt(
    source: ChaosSource,
    settings: Record<string, string> = {},
    maxRecords: number | null = null,
  ): Attempt {
    return new Attempt(this.pg.dsn, source.name, settings, maxRecords);
  }

  /** Waits for a moment of the load, as long as one takes. */
  async moment({ typical }: ChaosSource): Promise<void> {
    await sleep(this.random.next() * typical);
  }

  /** The server's process of a load in its transaction; null if the load is over before it is seen. */
  async backend({ name }: ChaosSource, load: { readonly isOver: boolean }): Promise<number | null> {
    while (!load.isOver) {
      const [row] = await this.pg.sql`
        SELECT pid FROM pg_stat_activity
        WHERE application_name = ${`gpdb-kafka load ${name}`} AND datname = current_database()
          AND xact_start IS NOT NULL`;
      if (row) return row.pid;
      await sleep(5);
    }
    return null;
  }

  /** Waits until the server does what it was asked for, or does not know it any more. */
  async quiet(): Promise<void> {
    await until("no session of a load is in a transaction", LONGEST, async () => {
      const busy = await this.pg.sql`
        SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'gpdb-kafka load%'
          AND datname = current_database() AND xact_start IS NOT NULL`;
      return busy.length === 0;
    });
  }

  /** Does what ends all sessions of the server, and waits until it answers again. */
  async crash(how: () => void | Promise<void>): Promise<void> {
    const ended = Promise.withResolvers<void>();
    const witness = postgres(this.pg.dsn, {
      ...{ max: 1, onnotice: () => {}, onclose: () => ended.resolve() },
    });
    await witness`SELECT 1`;
    await how();
    await ended.promise;
    await witness.end({ timeout: 0 });
    await until("the server answers again", LONGEST, async () => {
      return await this.pg.sql`SELECT 1`.then(() => true, () => false);
    });
  }

  /** Holds what a load needs: its table, or its source's row. */
  async hold({ name }: ChaosSource, what: "table" | "source"): Promise<AsyncDisposable> {
    const session = await this.pg.sql.reserve();
    await session.unsafe(
      what === "table"
        ? `BEGIN; LOCK TABLE ${name} IN ACCESS EXCLUSIVE MODE`
        : `BEGIN; SELECT 1 FROM kafka.source WHERE name = '${name}' FOR UPDATE`,
    );
    return {
      async [Symbol.asyncDispose]() {
        await session`ROLLBACK`;
        session.release();
      },
    };
  }

  /** Moves a source, as its own command does. `notice` gets what the database says besides. */
  async seek(
    { name, way }: ChaosSource,
    position: string,
    notice: (text: string) => void = () => {},
  ): Promise<void> {
    const sql = openDatabase(Dsn.parse("--dsn", this.pg.dsn), "gpdb-kafka seek", notice);
    const statement = `SELECT * FROM kafka.seek(${quoteLiteral(name)}, ${quoteLiteral(position)})`;
    try {
      if (way === "program") await sql.unsafe(statement);
      else {
        await askPlanned(sql, name, {
          ...{ purpose: "seek", position, warn: notice },
          readerOf: (command) => sourceReader(command, new Console(0)),
        }, statement);
      }
    } finally {
      await sql.end({ timeout: 1 });
    }
  }

  /** Loads what is left as `gpdb-kafka load --once` does: what may pass is tried again. */
  async finish(source: ChaosSource): Promise<void> {
    const loaded = ({ records, seconds }: { records: number; seconds: number }) => {
      if (records > 0) source.typical = 0.7 * source.typical + 300 * seconds;
    };
    const start = () => this.#keeper.start(source.name);
    const options = { source: source.name, every: null, patience: LONGEST, start };
    await new LoadLoop(options, [{ loaded }]).run();
    sameTable(await source.table(), source.after, `the table of ${source.name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
