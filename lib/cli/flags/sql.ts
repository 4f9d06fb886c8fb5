import { Failure } from "../../failure.ts";
import type { Column, SourceDefinition, TableName } from "../../greenplum/source.ts";
import type { Flag, Given } from "../flags.ts";
import { logFlags } from "./log.ts";
import { isShaped, shapeFlags } from "./shape.ts";
import { tableFlags, tableOnlyFlags } from "./sql_table.ts";
import { checkTopic, parseCount } from "../values.ts";

/** The flags of `gpdb-kafka sql`; all but the first are of `sql source`, some of `sql table` too. */
export const sqlFlags: readonly Flag[] = [
  { name: "for", value: "DATABASE", help: "greenplum or postgres (greenplum)" },
  {
    name: "topic",
    short: "t",
    value: "TOPIC",
    help: "load from this topic (the name of the source)",
  },
  {
    name: "table",
    value: "TABLE",
    help: "load into this table, written as in SQL (the name of the source)",
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
    help: "the brokers that the segments connect to; of table: that the records are read from",
  },
  {
    name: "config",
    short: "F",
    value: "FILE",
    help: "the properties file of the segments, on every host",
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
    help: "the consumer's --log-file, on every host; --bad-record skip requires it",
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
  if (given.get("bad-record") === "skip" && log === undefined) {
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
  return {
    name,
    topic: checkTopic("--topic", given.get("topic") ?? name),
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

/**
 * Reads a table's name as SQL does: `Crimes` is crimes, `"Crimes"` is not, `a."b.c"` has a schema.
 */
export function parseTable(text: string): TableName {
  const parts = text.match(/"(?:[^"]|"")+"|[^".]+/g) ?? [];
  if (parts.length < 1 || parts.length > 2 || parts.join(".") !== text) {
    throw new Failure(
      "usage",
      `--table: ${text} is not the name of a table, such as public.crimes`,
    );
  }
  const names = parts.map((part) =>
    part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part.toLowerCase()
  );
  return names.length === 1
    ? { schema: null, table: names[0] }
    : { schema: names[0], table: names[1] };
}

/** `name:type`; a name may hold colons if it has a type. */
function parseColumn(text: string): Column {
  const at = text.lastIndexOf(":");
  if (at === -1) return { name: text, type: "" };
  const [name, type] = [text.slice(0, at), text.slice(at + 1)];
  // A type is written into the SQL as it is.
  if (name === "" || !/^[a-zA-Z_"][\w ."(),[\]]*$/.test(type)) {
    throw new Failure("usage", `--column: "${text}" is not NAME:TYPE`);
  }
  return { name, type };
}

function parseRejectLimit(text: string): string {
  const match = /^(\d{1,9})(%?)$/.exec(text);
  const limit = Number(match?.[1]);
  if (!match || (match[2] ? limit < 1 || limit > 100 : limit < 2)) {
    throw new Failure(
      "usage",
      `--reject-limit: "${text}" is neither 2 or more rows nor 1% to 100%`,
    );
  }
  return match[2] ? `${limit} PERCENT` : `${limit} ROWS`;
}
