/**
 * Schema kafka in a real PostgreSQL, with sources that its server reads by kafka_consumer. Or in a
 * real Greenplum: GPDB_KAFKA_TEST_GREENPLUM is the URL of one, with a superuser's name, and each of
 * its hosts has kafka_consumer in the home of the server's user.
 */
import type postgres from "postgres";
import type { Broker } from "../../scripts/servers/broker.ts";
import { type Postgres, startPostgres } from "../../scripts/servers/postgres.ts";
import { type Dialect, sourceDdl } from "../../lib/greenplum/ddl.ts";
import { schemaSql } from "../../lib/greenplum/schema_files.ts";
import type { SourceDefinition } from "../../lib/greenplum/source.ts";
import { readColumns } from "../../lib/load/database.ts";

const greenplum = Deno.env.get("GPDB_KAFKA_TEST_GREENPLUM");

export const dialect: Dialect = greenplum ? "greenplum" : "postgres";

/** Programs can only be put on a server that is started here; that Greenplum has them. */
export const ownServer = Boolean(greenplum) || !Deno.env.get("DATABASE_URL");

/** A database for schema kafka, in the server given. */
export function startDatabase(url: string | undefined = greenplum): Promise<Postgres> {
  return startPostgres({ url });
}

/** Runs SQL that has its own BEGIN and COMMIT. */
export async function runScript(pg: Pick<Postgres, "sql">, text: string): Promise<void> {
  const session = await pg.sql.reserve();
  try {
    await session.unsafe(text);
  } catch (error) {
    await session`ROLLBACK`;
    throw error;
  } finally {
    session.release();
  }
}

/** Puts the consumer where the server runs it from. */
export async function installConsumer(pg: Postgres): Promise<void> {
  if (dialect === "greenplum") return;
  const entry = new URL("../../consumer.ts", import.meta.url);
  await pg.installProgram({ name: "kafka_consumer", entry });
}

/** Installs the consumer and the schema. */
export async function installKafka(pg: Postgres): Promise<void> {
  await installConsumer(pg);
  await runScript(pg, await schemaSql(dialect));
}

/** A source for a table that exists; `table` as SQL writes it. */
export type NewSource =
  & Partial<SourceDefinition>
  & Pick<SourceDefinition, "name" | "topic">
  & { table: string };

/** Adds a source, or changes one. */
export async function addSource(
  pg: Pick<Postgres, "sql">,
  broker: Pick<Broker, "bootstrap">,
  source: NewSource,
): Promise<SourceDefinition> {
  const { target, columns } = await readColumns(pg.sql, source.table);
  const whole: SourceDefinition = {
    target,
    columns,
    brokers: broker.bootstrap,
    configFile: null,
    group: `gpdb-kafka.${source.name}`,
    fallback: "earliest",
    onLost: "fail",
    maxRecords: null,
    program: "$HOME/kafka_consumer",
    readerFlags: [],
    isolation: "read_committed",
    rejectLimit: null,
    roles: [],
    ...source,
  };
  await runScript(pg, sourceDdl(whole, dialect));
  return whole;
}

/** What kafka.load answered, without its time. */
export interface LoadAnswer {
  rows: number;
  records: number;
  lag: number;
  reason: string;
  load_no: number;
}

/** Calls kafka.load. */
export async function load(
  pg: { sql: postgres.ISql },
  source: string,
  maxRecords: number | null = null,
): Promise<LoadAnswer> {
  const [row] = await pg.sql`
    SELECT rows::int, records::int, lag::int, reason, load_no::int
    FROM kafka.load(${source}, ${maxRecords}::bigint)`;
  return { ...row } as LoadAnswer;
}
