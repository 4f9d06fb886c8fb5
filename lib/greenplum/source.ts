import type { Column } from "./column.ts";
import { derivedName } from "./names.ts";
import type { Shape } from "./shape.ts";
import { quoteIdent, quoteProgram, quoteWord } from "./quote.ts";

export { derivedName };
export type { Column };

/** A table's name, without quotes. Without a schema, the search path has it. */
export interface TableName {
  schema: string | null;
  table: string;
}

/**
 * Who reads the topic of a source: Greenplum's segments, a program that PostgreSQL runs, or
 * `gpdb-kafka load` itself.
 */
export type Via = "segments" | "program" | "client";

/** A source of kafka.load, as the flags of `gpdb-kafka sql source` describe it. */
export interface SourceDefinition {
  name: string;
  /** Null for several topics. */
  topic: string | null;
  /** Several topics by their names, or all that a regular expression matches. */
  topics?: readonly string[] | null;
  topicPattern?: string | null;
  target: TableName;
  /** Null or absent: the database's own way, which is not `client`. */
  via?: Via | null;
  /** In the order of the CSV fields; null if the target's own columns are all of them. */
  columns: readonly Column[] | null;
  /** How rows are filtered, computed and merged; null or absent: inserted as they come. */
  shape?: Shape | null;
  brokers: string | null;
  /** Of librdkafka's or Java's property names, on every segment host. */
  configFile: string | null;
  group: string;
  fallback: "earliest" | "latest" | "fail";
  onLost: "fail" | "earliest" | "latest";
  maxRecords: number | null;
  /** Where kafka_consumer is, on every segment host; of no use to `client`. */
  program: string;
  /** More flags for the reader and the peek, each a word: `--columns`, `partition,offset`. */
  readerFlags: readonly string[];
  isolation: "read_committed" | "read_uncommitted";
  /**
   * `10 ROWS` or `1 PERCENT`; null fails on the first bad row. SEGMENT REJECT LIMIT of Greenplum; on
   * PostgreSQL of a source with a shape.
   */
  rejectLimit: string | null;
  /** Roles that may load, and read the peek. */
  roles: readonly string[];
}

/** A table's name as SQL reads it. */
export function quoteTable({ schema, table }: TableName): string {
  return schema === null ? quoteIdent(table) : `${quoteIdent(schema)}.${quoteIdent(table)}`;
}

/**
 * The peek, a table beside the target that shows new records and moves nothing. Named by the
 * source, as several may load one table.
 */
export function peekTable({ name, target }: SourceDefinition): TableName {
  return { schema: target.schema, table: derivedName(name, "peek") };
}

function connection({ brokers, configFile }: SourceDefinition): string[] {
  return [
    ...(configFile === null ? [] : ["--config", configFile]),
    ...(brokers === null ? [] : ["--brokers", brokers]),
  ];
}

function command(source: SourceDefinition, words: readonly string[]): string {
  return [quoteProgram(source.program), ...words.map(quoteWord)].join(" ");
}

/** The flags that say which topics are read. */
export function topicWords(
  { topic, topics, topicPattern }: Pick<SourceDefinition, "topic" | "topics" | "topicPattern">,
): string[] {
  if (topic !== null) return ["--topic", topic];
  return topics ? ["--topics", topics.join(",")] : ["--topic-pattern", topicPattern!];
}

function consumerWords(source: SourceDefinition): string[] {
  return [
    ...connection(source),
    ...topicWords(source),
    ...(source.isolation === "read_committed" ? [] : ["--isolation", source.isolation]),
    ...source.readerFlags,
  ];
}

/** The shell command that writes the rows of given ranges. */
export function readerCommand(source: SourceDefinition, more: readonly string[]): string {
  return command(source, [...consumerWords(source), ...more]);
}

/** The shell command that shows what the next load would start with; it commits nothing. */
export function peekCommand(source: SourceDefinition): string {
  const words = ["--group", source.group, "--commit", "no", "--on-lost", "earliest"];
  return command(source, [...consumerWords(source), ...words]);
}

/** How long a load waits for the plan, seconds; the default of other commands is for people. */
export const PLAN_TIMEOUT = 10;

/** The shell command that says where the topics start and end, and which logs they are. */
export function plannerCommand(source: SourceDefinition, more: readonly string[]): string {
  const { group, isolation } = source;
  const words = ["plan", ...connection(source), ...topicWords(source), "--group", group];
  words.push("--log-identity", "--timeout", `${PLAN_TIMEOUT}s`);
  return command(source, [
    ...words,
    ...(isolation === "read_committed" ? [] : ["--isolation", isolation]),
    ...more,
  ]);
}
