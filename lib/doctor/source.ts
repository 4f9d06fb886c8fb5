import type { KnownDatabase } from "./database.ts";
import { type Say, some } from "./findings.ts";

/** A source of kafka.load, as the database has it. */
export interface KnownSource {
  name: string;
  topic: string;
  target: string;
  columns: string[];
  /** The shell command that reads its rows. */
  command: string;
  brokers: string | null;
  configFile: string | null;
  group: string;
  /** The next offsets by partition, as the database holds them. */
  offsets: Map<number, number>;
}

/** Finds a source. Null if there is none. */
export async function checkSource(
  say: Say,
  { sql, dialect }: KnownDatabase,
  name: string,
): Promise<KnownSource | null> {
  const rows = await sql`
    SELECT s.topic, s.target, array_to_json(s.columns)::text AS columns, s.reader, s.brokers,
      s.config_file, s.group_name, s.paused
    FROM kafka.source s WHERE s.name = ${name}`.catch((error) => {
    const { code } = error as { code?: string };
    if (code !== "42P01" && code !== "3F000") throw error;
    say("fail", "schema kafka does not exist", "install it: gpdb-kafka sql schema | psql");
    return null;
  });
  if (rows === null) return null;
  if (rows.length === 0) {
    const all = await sql`SELECT s.name FROM kafka.source s ORDER BY 1`;
    const names = all.length > 0 ? some(all.map((row) => `"${row.name}"`)) : "none";
    say(
      "fail",
      `source "${name}" does not exist; there are: ${names}`,
      "create it: gpdb-kafka sql source",
    );
    return null;
  }
  const [{ topic, target, columns, reader, brokers, config_file, group_name, paused }] = rows;
  if (dialect === "greenplum") {
    await sql`SELECT kafka._check_reader(s) FROM kafka.source s WHERE s.name = ${name}`;
  }
  const [found] = dialect === "greenplum"
    ? await sql`SELECT e.command FROM pg_exttable e WHERE e.reloid = ${reader}::regclass`
    : [{ command: reader }];
  const offsets = await sql`
    SELECT o.partition_no, o.next_offset FROM kafka.load_offset o WHERE o.source = ${name}`;
  say("ok", `source "${name}" loads topic "${topic}" into ${target}`);
  if (paused) say("warn", `source "${name}" is paused`, `SELECT kafka.resume('${name}')`);
  return {
    name,
    topic,
    target,
    columns: JSON.parse(columns),
    command: found.command,
    brokers,
    configFile: config_file,
    group: group_name,
    offsets: new Map(offsets.map((row) => [Number(row.partition_no), Number(row.next_offset)])),
  };
}
