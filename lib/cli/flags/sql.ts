import { Failure } from "../../failure.ts";
import type { Dialect } from "../../greenplum/ddl.ts";
import type { Column, SourceDefinition, Via } from "../../greenplum/source.ts";
import { parsePattern } from "../../kafka/topic_pattern.ts";
import type { Flag, Given } from "../flags.ts";
import { logFlags } from "./log.ts";
import { isShaped, shapeFlags } from "./shape.ts";
import { tableFlags, tableOnlyFlags } from "./sql_table.ts";
import { parseColumn, parseRejectLimit, parseTable } from "./sql_values.ts";
import { checkTopic, parseCount, topicList } from "../values.ts";

/** The flags of `gpdb-kafka sql`; all but the first are of `sql source`, some of `sql table` too. */
export const sqlFlags: readonly Flag[] = [
  { name: "for", value: "DATABASE", help: "greenplum or postgres (greenplum)" },
  {
    name: "topic",
    short: "t",
    value: "TOPIC",
    help: "load from this topic (the name of the source)",
  },
  { name: "topics", value: "A,B", help: "load from these topics, all into one table" },
  {
    name: "topic-pattern",
    value: "REGEXP",
    help:
      "load from all topics that this regular expression matches, such as ^orders_; new ones join",
  },
  {
    name: "table",
    value: "TABLE",
    help: "load into this table, written as in SQL (the name of the source)",
  },
  {
    name: "via",
    value: "WHO",
    help:
      "who reads the topic: segments (Greenplum), program (PostgreSQL, by COPY FROM PROGRAM), or client: gpdb-kafka load itself, on both (segments or program)",
  },
  {
    name: "from-gpss",
    value: "FILE",
    help: "a load file of Greenplum Streaming Server (version 2 or 3); flags override it",
  },
  { name: "dsn", value: "URL", help: "read the table's columns from this database" },
  {
    name: "column",
    value: "NAME[:TYPE]",
    many: true,
    help: "a column of the table, in the order of the fields (all of them); the type without --dsn",
  },
  {
    name: "brokers",
    short: "b",
    value: "HOST:PORT,…",
    help: "the brokers that the reader connects to; of table: that the records are read from",
  },
  {
    name: "config",
    short: "F",
    value: "FILE",
    help: "the properties file of the reader, on every host where it runs",
  },
  {
    name: "group",
    short: "g",
    value: "GROUP",
    help: "its offsets follow the loads (gpdb-kafka.SOURCE)",
  },
  {
    name: "fallback",
    value: "WHERE",
    help:
      "where the first load starts: earliest, latest, or fail: call kafka.seek first (earliest)",
  },
  {
    name: "on-lost",
    value: "WHERE",
    help: "if the offset no longer exists: fail, earliest or latest (fail)",
  },
  {
    name: "max-records",
    short: "c",
    value: "N",
    help: "at most N records of each partition in one load",
  },
  {
    name: "isolation",
    value: "LEVEL",
    help: "read_committed or read_uncommitted (read_committed)",
  },
  {
    name: "columns",
    value: "LIST",
    mayBeEmpty: true,
    help:
      "as the consumer's --columns: these fields come before the value, so their columns come first; with --fields also NAME=COLUMN",
  },
  {
    name: "value",
    value: "HOW",
    help: "as the consumer's --value: row, rows, field, hex, json, …",
  },
  { name: "csv", value: "KEY=C,…", help: "as the consumer's --csv" },
  { name: "key", value: "HOW", help: "as the consumer's --key" },
  { name: "registry", value: "URL", help: "as the consumer's --registry" },
  { name: "schema", value: "FILE", help: "as the consumer's --schema, on every host" },
  { name: "message", value: "NAME", help: "as the consumer's --message" },
  ...shapeFlags,
  { name: "bad-record", value: "HOW", help: "as the consumer's --bad-record: fail, skip, …" },
  {
    name: "tombstones",
    value: "HOW",
    help: "as the consumer's --tombstones: skip or empty; with --merge also delete",
  },
  {
    name: "reader-log-file",
    value: "FILE",
    help:
      "the consumer's --log-file, on every host; --bad-record skip requires it, except with --via client",
  },
  {
    name: "reject-limit",
    value: "N|N%",
    help:
      "values that do not fit their columns: this many rows (Greenplum: of a segment) fail a load, fewer are left out and listed (1)",
  },
  {
    name: "program",
    value: "PATH",
    help: "the path of kafka_consumer on every host ($HOME/kafka_consumer)",
  },
  {
    name: "grant",
    value: "ROLE",
    many: true,
    help: "this role may load, and read the views; repeatable",
  },
  ...tableOnlyFlags,
  ...logFlags,
];

/** The flags that have a meaning without a source or a table. */
const ofAll: readonly string[] = ["for", ...logFlags.map(({ name }) => name)];
const ofTable: readonly string[] = tableOnlyFlags.map(({ name }) => name);

/** Throws Failure (usage) if a flag is given that has no meaning here. */
export function checkSqlFlags(given: Given, what: string): void {
  for (const { name } of sqlFlags) {
    if (!given.has(name) || ofAll.includes(name)) continue;
    const verbs = ofTable.includes(name)
      ? ["table"]
      : ["source", ...(tableFlags.includes(name) ? ["table"] : [])];
    if (verbs.includes(what)) continue;
    throw new Failure("usage", `--${name} is a flag of ${verbs.join(" and ")}, not of ${what}`);
  }
}

/** Flags that are passed to the consumer as they are; of these the mapping may say more. */
const handedOn = [
  "columns",
  "value",
  "csv",
  "bad-record",
  "tombstones",
  "key",
  "registry",
  "schema",
  "message",
] as const;
const mapped: readonly string[] = ["columns", "tombstones"];

/** What is printed, or is in the database, has no login in it. Throws Failure (usage). */
export function checkRegistryUrl(given: Given): void {
  if (!/\/\/[^/]*@/.test(given.get("registry") ?? "")) return;
  throw new Failure(
    "usage",
    "--registry: a user or password in the URL would be in the database for all to see — use " +
      "--config FILE with schema.registry.basic.auth.user.info",
  );
}

/** They and the consumer's log. Throws Failure (usage). */
function readerFlags(given: Given): string[] {
  const log = given.get("reader-log-file");
  // gpdb-kafka load has a log of its own.
  if (given.get("bad-record") === "skip" && log === undefined && given.get("via") !== "client") {
    throw new Failure(
      "usage",
      "--bad-record skip: use --reader-log-file too — nothing else names the records left out",
    );
  }
  checkRegistryUrl(given);
  const names = handedOn.filter((flag) => !isMapped(given) || !mapped.includes(flag));
  const flags = names.flatMap((flag) => given.has(flag) ? [`--${flag}`, given.get(flag)!] : []);
  return log === undefined ? flags : [...flags, "--log-file", log];
}

/** Whether rows that do not fit are the database's to find: on Greenplum they are the reader's. */
export function rejectsInDatabase(given: Given): boolean {
  return given.has("reject-limit") && given.get("for") === "postgres";
}

/** Whether `mappingOf` says what the reader prints. */
export function isMapped(given: Given): boolean {
  return isShaped(given) || rejectsInDatabase(given);
}

/** Names are part of others', and of lines. Throws Failure (usage). */
export function checkSourceName(name: string): void {
  if (new TextEncoder().encode(name).length <= 200) return;
  throw new Failure("usage", "the source's name is longer than 200 bytes");
}

/**
 * What the flags say of a source. The columns are those given, without types where none were.
 * Throws Failure (usage).
 */
export function sourceFlags(
  given: Given,
  name: string,
): SourceDefinition & { columns: Column[] | null } {
  checkSourceName(name);
  const dialect = given.choice("for", ["greenplum", "postgres"], "greenplum");
  return {
    name,
    via: parseVia(given, dialect),
    ...sourceTopics(given, name),
    target: parseTable(given.get("table") ?? name),
    columns: given.has("column") ? given.all("column").map(parseColumn) : null,
    brokers: given.get("brokers") ?? null,
    configFile: given.get("config") ?? null,
    group: given.get("group") ?? `gpdb-kafka.${name}`,
    fallback: given.choice("fallback", ["earliest", "latest", "fail"], "earliest"),
    onLost: given.choice("on-lost", ["fail", "earliest", "latest"], "fail"),
    maxRecords: given.has("max-records")
      ? parseCount("--max-records", given.get("max-records")!, 1)
      : null,
    program: given.get("program") ?? "$HOME/kafka_consumer",
    readerFlags: readerFlags(given),
    isolation: given.choice("isolation", ["read_committed", "read_uncommitted"], "read_committed"),
    rejectLimit: given.has("reject-limit") ? parseRejectLimit(given.get("reject-limit")!) : null,
    roles: given.all("grant"),
  };
}

/** The topic, or the topics. */
function sourceTopics(
  given: Given,
  name: string,
): Pick<SourceDefinition, "topic" | "topics" | "topicPattern"> {
  given.excludes("topic", ["topics", "topic-pattern"]);
  given.excludes("topics", ["topic-pattern"]);
  if (given.has("topic-pattern")) {
    const pattern = parsePattern("--topic-pattern", given.get("topic-pattern")!);
    return { topic: null, topicPattern: pattern.source };
  }
  if (!given.has("topics")) return { topic: checkTopic("--topic", given.get("topic") ?? name) };
  const topics = topicList("--topics", given.get("topics")!);
  return topics.length > 1 ? { topic: null, topics } : { topic: topics[0] };
}

/** Whether the source has several topics, so that an offset alone names no record. */
export function hasTopics(given: Given): boolean {
  return sourceTopics(given, "x").topic === null;
}

/** Throws Failure (usage) if that database has no such way, or other flags mean nothing with it. */
function parseVia(given: Given, dialect: Dialect): Via {
  const own = dialect === "greenplum" ? "segments" : "program";
  const via = given.choice("via", ["segments", "program", "client"], own);
  if (via !== own && via !== "client") {
    throw new Failure(
      "usage",
      `--via ${via}: ${
        dialect === "greenplum"
          ? "on Greenplum segments read the topic"
          : "PostgreSQL has no segments"
      } — use --via ${own} or client, or --for ${
        dialect === "greenplum" ? "postgres" : "greenplum"
      }`,
    );
  }
  if (via !== "client") return via;
  const idle = ["program", "reader-log-file"].find((flag) => given.has(flag));
  if (idle !== undefined) {
    throw new Failure(
      "usage",
      `--${idle}: with --via client no program runs on the database's hosts` +
        (idle === "program" ? "" : ": gpdb-kafka load has its own --log-file") + " — leave it out",
    );
  }
  if (dialect === "greenplum" && given.has("reject-limit")) {
    throw new Failure(
      "usage",
      "--reject-limit: Greenplum has it for --via segments only — leave it out, or use --via segments",
    );
  }
  return via;
}
