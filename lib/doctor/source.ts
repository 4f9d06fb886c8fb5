import { readSource, sourceNames, type SourceRow } from "../load/source.ts";
import { nearest } from "../text.ts";
import type { Database } from "../load/database.ts";
import type { KnownDatabase } from "./database.ts";
import { type Say, some } from "./findings.ts";

/** A source of kafka.load that was found. */
export interface KnownSource extends Omit<SourceRow, "reader" | "paused"> {
  name: string;
  /** The shell command that reads its rows. */
  command: string;
  /** The next offsets by topic and partition, as the database holds them. */
  offsets: ReadonlyMap<string, ReadonlyMap<number, number>>;
}

/** SQLSTATEs of a schema, or a table in it, that does not exist. */
const NO_SCHEMA = ["42P01", "3F000"];

/** Finds a source. Null if there is none. */
export async function checkSource(
  say: Say,
  { sql, dialect, webTables }: KnownDatabase,
  name: string,
): Promise<KnownSource | null> {
  let source: SourceRow | null;
  try {
    source = await readSource(sql, name);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === undefined || !NO_SCHEMA.includes(code)) throw error;
    say("fail", "schema kafka does not exist", "install it: gpdb-kafka sql schema | psql");
    return null;
  }
  if (source === null) {
    const all = await sourceNames(sql);
    const names = all.length > 0 ? some(all.map((name) => `"${name}"`)) : "none";
    const meant = nearest(name, all);
    say(
      "fail",
      `source "${name}" does not exist; there are: ${names}`,
      meant === null ? "create it: gpdb-kafka sql source" : `did you mean "${meant}"?`,
    );
    return null;
  }
  const { reader, paused, ...rest } = source;
  const isTable = dialect === "greenplum" && source.via !== "client";
  if (isTable) {
    await sql`SELECT kafka._check_reader(s) FROM kafka.source s WHERE s.name = ${name}`;
  }
  const [{ command }] = isTable
    ? await sql`
      SELECT e.command FROM ${sql.unsafe(webTables)} e WHERE e.reloid = ${reader}::regclass`
    : [{ command: reader }];
  // As JSON: an older schema has fewer columns.
  const places = (await sql`
    SELECT row_to_json(o)::text AS place FROM kafka.load_offset o WHERE o.source = ${name}`)
    .map(({ place }) => JSON.parse(place));
  const offsets = new Map<string, Map<number, number>>();
  for (const { topic = rest.topic, partition_no, next_offset } of places) {
    if (!offsets.has(topic)) offsets.set(topic, new Map());
    offsets.get(topic)!.set(Number(partition_no), Number(next_offset));
  }
  say("ok", `source "${name}" loads ${topicsInWords(rest)} into ${rest.target}`);
  if (source.via === "client") {
    say(
      "ok",
      `gpdb-kafka load reads the topic itself, and no program runs on the database's hosts`,
    );
  }
  if (paused) say("warn", `source "${name}" is paused`, `SELECT kafka.resume('${name}')`);
  await sayCounts(say, sql, dialect, name, source.reader);
  return {
    ...rest,
    name,
    command,
    offsets,
  };
}

/** `topic "crimes"`, or what a source has instead of one. */
export function topicsInWords(
  { topic, topics, topicPattern }: Pick<SourceRow, "topic" | "topics" | "topicPattern">,
): string {
  if (topic !== null) return `topic "${topic}"`;
  return topics === null
    ? `the topics that match "${topicPattern}"`
    : `topics ${some(topics.map((name) => `"${name}"`))}`;
}

/** What its loads have done, if that is more than to insert each row. */
async function sayCounts(
  say: Say,
  sql: Database,
  dialect: KnownDatabase["dialect"],
  name: string,
  reader: string,
): Promise<void> {
  // As JSON: an older schema has fewer columns.
  const [row] = await sql`
    SELECT row_to_json(x)::text AS status FROM kafka.status x WHERE x.source = ${name}`;
  const status = JSON.parse(row?.status ?? "{}");
  const counts = ["inserted", "updated", "deleted", "filtered"].flatMap((what) =>
    Number(status[`rows_${what}`]) > 0 ? [`${status[`rows_${what}`]} ${what}`] : []
  );
  if (counts.some((text) => !text.endsWith("inserted"))) {
    say("ok", `rows of source "${name}" so far: ${counts.join(", ")}`);
  }
  const rejected = Number(status.rows_rejected ?? 0);
  if (rejected > 0) {
    say(
      "warn",
      `rows of source "${name}" that did not fit their columns: ${rejected}, ` +
        `of these in its last load: ${status.last_rejected}`,
      dialect === "greenplum"
        ? `see gp_read_error_log('${reader}')`
        : `SELECT * FROM kafka.rejected WHERE source = '${name}'`,
    );
  }
}
