/** Schema kafka in a real PostgreSQL, with sources that its server reads by kafka_consumer. */
import type postgres from "postgres";
import type { Broker } from "../../scripts/broker.ts";
import type { Postgres } from "../../scripts/postgres.ts";
import { sourceDdl } from "../../lib/greenplum/ddl.ts";
import { schemaSql } from "../../lib/greenplum/schema_files.ts";
import type { SourceDefinition } from "../../lib/greenplum/source.ts";
import { readColumns } from "../../lib/load/database.ts";

/** Programs can only be put on a server that is started here. */
export const ownServer = !Deno.env.get("DATABASE_URL");

/** Runs SQL that has its own BEGIN and COMMIT. */
export async function runScript(pg: Postgres, text: string): Promise<void> {
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

/** Installs the schema and the consumer. */
export async function installKafka(pg: Postgres): Promise<void> {
  const entry = new URL("../../consumer.ts", import.meta.url);
  await pg.installProgram({ name: "kafka_consumer", entry });
  await runScript(pg, await schemaSql("postgres"));
}

/** Adds a source for a table that exists; names are as they are, without quotes. */
export async function addSource(
  pg: Postgres,
  broker: Pick<Broker, "bootstrap">,
  source: Partial<SourceDefinition> & Pick<SourceDefinition, "name" | "topic"> & { table: string },
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
  await runScript(pg, sourceDdl(whole, "postgres"));
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
