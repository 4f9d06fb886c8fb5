/**
 * What a test of kafka.load needs: a topic of its own, and a database of its own in a server that
 * all tests of a file share. Importing this starts that server; it ends with the file's tests.
 */
import postgres from "postgres";
import { schemaSql } from "../../lib/greenplum/schema_files.ts";
import { type Broker, startBroker } from "../../scripts/broker.ts";
import { startPostgres } from "../../scripts/postgres.ts";
import { createTopic, uniqueName } from "./kafka.ts";
import { addSource, installConsumer, ownServer, runScript } from "./load.ts";
import type { NewSource } from "./load.ts";

const server = ownServer ? await startPostgres() : null;
if (server) await installConsumer(server);

let databases = 0;

export interface World extends AsyncDisposable {
  broker: Broker;
  sql: postgres.Sql;
  dsn: string;
  /** The server's log. */
  log: string;
  topic: string;
  /** Adds a source of this topic for table `things`, unless told otherwise; both are `things`. */
  add(source?: Partial<NewSource>): Promise<void>;
  /** The names in table `things`, by id. */
  names(): Promise<string>;
}

/** A database with schema kafka and table `things`, and a topic to load it from. */
export async function startWorld(partitions = 1): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const broker = stack.use(await startBroker());
  const database = `world_${++databases}`;
  const admin = postgres(server!.dsn, { max: 1 });
  await admin.unsafe(`CREATE DATABASE ${database}`);
  await admin.end();
  const dsn = new URL(server!.dsn);
  dsn.pathname = `/${database}`;
  const sql = postgres(dsn.href, { max: 4, onnotice: () => {} });
  stack.defer(() => sql.end({ timeout: 1 }));
  await runScript({ sql }, await schemaSql("postgres"));
  await sql`CREATE TABLE things (id int, name text)`;
  const topic = uniqueName("load");
  await createTopic(broker, topic, { partitions });
  const owned = stack.move();
  return {
    broker,
    sql,
    dsn: dsn.href,
    log: `${server!.home}/../log`,
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
