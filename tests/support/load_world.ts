/**
 * What a test of kafka.load needs: a topic of its own, and a database of its own in a server that
 * all tests of a file share. Importing this starts that server; it ends with the file's tests.
 */
import type { Postgres } from "../../scripts/servers/postgres.ts";
import { schemaSql } from "../../lib/greenplum/schema_files.ts";
import { type Broker, startBroker } from "../../scripts/servers/broker.ts";
import { createTopic, uniqueName } from "./kafka.ts";
import {
  addSource,
  dialect,
  installConsumer,
  ownServer,
  runScript,
  startDatabase,
} from "./load.ts";
import type { NewSource } from "./load.ts";

const server = ownServer && dialect === "postgres" ? await startDatabase() : null;
if (server) await installConsumer(server);

export interface World extends AsyncDisposable {
  broker: Broker;
  sql: Postgres["sql"];
  dsn: string;
  /**
   * What the consumer said of a load that failed: Greenplum passes it on, else it is in the log.
   */
  told(error?: unknown): Promise<string>;
  topic: string;
  /** Adds a source of this topic for table `things`, unless given otherwise; both are `things`. */
  add(source?: Partial<NewSource>): Promise<void>;
  /** The names in table `things`, by id. */
  names(): Promise<string>;
}

/** A database with schema kafka and table `things`, and a topic to load it from. */
export async function startWorld(partitions = 1): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const broker = stack.use(await startBroker());
  const { sql, dsn } = stack.use(await startDatabase(server?.dsn));
  await runScript({ sql }, await schemaSql(dialect));
  await sql`CREATE TABLE things (id int, name text)`;
  const topic = uniqueName("load");
  await createTopic(broker, topic, { partitions });
  const owned = stack.move();
  return {
    broker,
    sql,
    dsn,
    told: async (error) =>
      server ? await Deno.readTextFile(`${server.home}/../log`) : (error as Error).message,
    topic,
    async add(source = {}) {
      await addSource({ sql }, broker, { name: "things", topic, table: "things", ...source });
    },
    async names() {
      const rows = await sql`SELECT name FROM things ORDER BY id, name`;
      return rows.map(({ name }) => name).join(" ");
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Records `0,a`, `1,b`, … for table `things`. */
export function things(...names: string[]): { value: string }[] {
  return names.map((name, id) => ({ value: `${id},${name}` }));
}
