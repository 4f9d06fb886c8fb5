/**
 * Schema kafka in a real PostgreSQL, with sources whose planner and reader are shell commands of the
 * test: for what is the database's own work (locks, rights, what it compares), whatever Kafka says.
 */
import postgres from "postgres";
import { schemaSql } from "../../lib/greenplum/schema_files.ts";
import { type Postgres, startPostgres } from "../../scripts/servers/postgres.ts";
import { runScript } from "./load.ts";

/** What a planner prints of one partition. */
export interface Planned {
  /** `t` unless given; its partition is then given, too. */
  topic?: string;
  partition?: number;
  end: number;
  earliest?: number;
  clusterId?: string;
  topicId?: string;
  epoch?: number;
  epochEnd?: number;
}

export interface Scripted extends AsyncDisposable {
  pg: Postgres;
  sql: Postgres["sql"];
  /** Makes the source's planner print these partitions from now on, and its reader these rows. */
  plan(partitions: Planned[], rows?: string[], source?: string): Promise<void>;
  /** A new role that can log in, in a session of its own, which has seen these notices. */
  role(name: string): Promise<{ sql: postgres.Sql; notices: string[] }>;
  /** A session of the superuser's own. */
  session(options?: Record<string, string>): { sql: postgres.Sql; notices: string[] };
}

const server = Deno.env.get("DATABASE_URL") ? null : await startPostgres();

/** A database with schema kafka, table `things` (id int, name text), and source `things` of it. */
export async function startScripted(install = true): Promise<Scripted> {
  await using stack = new AsyncDisposableStack();
  const pg = stack.use(await startPostgres({ url: server?.dsn }));
  const roles: string[] = [];
  const sessions: postgres.Sql[] = [];
  stack.defer(async () => {
    await Promise.all(sessions.map((sql) => sql.end({ timeout: 1 })));
    // Roles belong to the whole server.
    for (const role of roles) {
      await pg.sql.unsafe(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
    }
  });
  const session = (options: Record<string, string> = {}, dsn = pg.dsn) => {
    const notices: string[] = [];
    const onnotice = ({ message }: postgres.Notice) => notices.push(message ?? "");
    const sql = postgres(dsn, { max: 1, onnotice, connection: options });
    sessions.push(sql);
    return { sql, notices };
  };
  await pg.sql`CREATE TABLE things (id int, name text)`;
  if (install) {
    await runScript(pg, await schemaSql("postgres"));
    await addScripted(pg);
  }
  const owned = stack.move();
  return {
    pg,
    sql: pg.sql,
    session,
    async plan(partitions, rows = [], source = "things") {
      await pg.sql`
        UPDATE kafka.source SET planner = ${planner(partitions)}, reader = ${reader(rows)}
        WHERE name = ${source}`;
    },
    async role(name) {
      roles.push(name);
      await pg.sql.unsafe(`CREATE ROLE ${name} LOGIN PASSWORD '${name}'`);
      const dsn = new URL(pg.dsn);
      dsn.username = dsn.password = name;
      return session({}, dsn.href);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Adds source `things` of topic `t`, with one partition without records. */
export async function addScripted(
  pg: Pick<Postgres, "sql">,
  { topic = "t", table = "things", onLost = "fail" } = {},
): Promise<void> {
  await pg.sql`
    SELECT kafka.add_source('things', ${topic}, ${table}::regclass, ${reader([])},
      ${planner([{ end: 0 }])}, 'g', on_lost := ${onLost})`;
}

/** What kafka.load appends to a command, a comment takes away. */
function planner(partitions: Planned[]): string {
  const lines = partitions.map((p, i) => {
    const { earliest = 0, end, clusterId = "", topicId = "", epoch = "", epochEnd = "" } = p;
    const { topic = "t", partition = i } = p;
    return `${topic},${partition},${earliest},${end},,${clusterId},${topicId},${epoch},${epochEnd}\\n`;
  });
  return `printf '${lines.join("")}' # --log-identity`;
}

function reader(rows: string[]): string {
  return rows.length > 0 ? `printf '${rows.map((row) => `${row}\\n`).join("")}' #` : "true #";
}
