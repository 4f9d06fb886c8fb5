import { quoteArray, quoteIdent, quoteLiteral, quoteText } from "./quote.ts";
import {
  type Column,
  derivedName,
  peekCommand,
  peekTable,
  plannerCommand,
  quoteTable,
  readerCommand,
  type SourceDefinition,
} from "./source.ts";
import { shapeSource } from "./shape.ts";

/** Which database the SQL is for. */
export type Dialect = "greenplum" | "postgres";

/** Statements that make a source; they can be run again to change it. */
export function sourceDdl(source: SourceDefinition, dialect: Dialect): string {
  const statements = source.via === "client"
    ? client(source)
    : dialect === "greenplum"
    ? greenplum(source)
    : postgres(source);
  return ["BEGIN;", ...statements, ...grants(source, dialect), "COMMIT;\n"].join("\n\n");
}

const CSV = "FORMAT 'CSV' (DELIMITER ',' NULL '' NEWLINE 'LF')\nENCODING 'UTF8'";

function greenplum(source: SourceDefinition): string[] {
  const { name, target, rejectLimit, shape = null } = source;
  const read = shape?.readerColumns ?? source.columns;
  const columns = read === null ? `(LIKE ${quoteTable(target)})` : columnList(read);
  const reject = rejectLimit === null ? "" : `\nLOG ERRORS SEGMENT REJECT LIMIT ${rejectLimit}`;
  const reader = readerTable(name);
  const planner = `kafka.${quoteIdent(derivedName(name, "planner"))}`;
  const table = (name: string, columns: string, command: string, place: string, reject: string) =>
    makeTable(
      source,
      name,
      `CREATE READABLE EXTERNAL WEB TABLE ${name} ${columns}\n` +
        `EXECUTE ${quoteLiteral(command)}\nON ${place}\n${CSV}${reject}`,
    );
  return [
    "-- To look at what comes next: it commits nothing, so a SELECT moves nothing.\n" +
    table(quoteTable(peekTable(source)), columns, peekCommand(source), "ALL", reject),
    "-- For kafka.load alone, which says what to read in a comment; other statements fail.\n" +
    table(reader, columns, readerCommand(source, ["--ranges-from-query"]), "ALL", reject),
    "-- ON SEGMENT 0, not ON MASTER: only segments get the text of kafka.load's statements.\n" +
    table(
      planner,
      "(topic text, partition_no integer, earliest bigint, end_offset bigint, at_offset bigint,\n" +
        "  cluster_id text, topic_id text, leader_epoch integer, epoch_end bigint)",
      plannerCommand(source, ["--from-query"]),
      "SEGMENT 0",
      "",
    ),
    addSource(source, reader, planner),
    ...(shape ? [shapeSource(source.name, shape, null)] : []),
  ];
}

/**
 * A statement that makes a table, unless it is there as it should be: grants and error log stay.
 */
function makeTable(source: SourceDefinition, name: string, definition: string): string {
  const [of, table, target] = [source.name, name, quoteTable(source.target)].map(quoteLiteral);
  return `SELECT kafka.make_table(${of}, ${table}, ${target}, ${quoteText(definition)});`;
}

function readerTable(name: string): string {
  return `kafka.${quoteIdent(derivedName(name, "reader"))}`;
}

/**
 * A LIMIT closes the pipe early; PostgreSQL accepts that of a program that SIGPIPE ended, of which
 * 141 is the shell's status. 74 is our exit status for it.
 */
const FOR_LIMIT = "; status=$?; test $status != 74 || exit 141; exit $status";

/** Throws RangeError without columns: CREATE FOREIGN TABLE knows no LIKE before PostgreSQL 18. */
function postgres(source: SourceDefinition): string[] {
  const { shape = null } = source;
  const read = shape?.readerColumns ?? source.columns;
  if (read === null) throw new RangeError("the columns must be known");
  const peek = quoteTable(peekTable(source));
  return [
    "CREATE EXTENSION IF NOT EXISTS file_fdw;\n" +
    "CREATE SERVER IF NOT EXISTS gpdb_kafka FOREIGN DATA WRAPPER file_fdw;",
    "-- To look at what comes next: it commits nothing, so a SELECT moves nothing.\n" +
    makeTable(
      source,
      peek,
      `CREATE FOREIGN TABLE ${peek} ${columnList(read)}\nSERVER gpdb_kafka OPTIONS (` +
        `program ${quoteLiteral(peekCommand(source) + FOR_LIMIT)},\n` +
        "  format 'csv', delimiter ',', null '', encoding 'UTF8')",
    ),
    addSource(source, readerCommand(source, []), plannerCommand(source, [])),
    ...(shape ? [shapeSource(source.name, shape, source.rejectLimit)] : []),
  ];
}

/** Nothing that runs a program, and so nothing that takes more rights than kafka.add_source. */
function client(source: SourceDefinition): string[] {
  const { name, shape = null, rejectLimit } = source;
  // The words of the command are what gpdb-kafka load reads the rows by; nothing runs it.
  const reader = readerCommand({ ...source, program: "kafka_consumer" }, []);
  return [
    `-- gpdb-kafka load reads the topic itself: no program runs on the database's hosts.\n` +
    addSource(source, reader, ""),
    ...(shape ? [shapeSource(name, shape, rejectLimit)] : []),
  ];
}

function columnList(columns: readonly Column[]): string {
  return `(\n${columns.map(({ name, type }) => `  ${quoteIdent(name)} ${type}`).join(",\n")}\n)`;
}

function addSource(source: SourceDefinition, reader: string, planner: string): string {
  const literal = (text: string | null) => text === null ? "NULL" : quoteLiteral(text);
  const values = {
    name: literal(source.name),
    topic: literal(source.topic),
    ...(source.topics ? { topics: quoteArray(source.topics) } : {}),
    ...(source.topicPattern ? { topic_pattern: literal(source.topicPattern) } : {}),
    target: literal(quoteTable(source.target)),
    reader: literal(reader),
    planner: literal(planner),
    group_name: literal(source.group),
    columns: source.columns === null || source.shape
      ? "NULL"
      : quoteArray(source.columns.map(({ name }) => name)),
    brokers: literal(source.brokers),
    config_file: literal(source.configFile),
    fallback: literal(source.fallback),
    on_lost: literal(source.onLost),
    max_records: source.maxRecords === null ? "NULL" : String(source.maxRecords),
    ...(source.via === "client" ? { via: literal(source.via) } : {}),
  };
  const lines = Object.entries(values).map(([name, value]) => `  ${name} := ${value}`);
  return `SELECT kafka.add_source(\n${lines.join(",\n")});`;
}

/**
 * What kafka.allow can't know: the tables. On PostgreSQL kafka.load reads none of ours, and for a
 * client a load grants what it needs.
 */
function grants(source: SourceDefinition, dialect: Dialect): string[] {
  const isClient = source.via === "client";
  const readable = isClient ? [] : [
    quoteTable(peekTable(source)),
    ...(dialect === "greenplum" ? [readerTable(source.name)] : []),
  ];
  // A merge deletes the rows of its keys; on Greenplum and by a client it looks for them with the
  // role's own rights.
  const rights = !source.shape?.merge
    ? "INSERT"
    : dialect === "greenplum" || isClient
    ? "SELECT, INSERT, DELETE"
    : "INSERT, DELETE";
  const granted = source.roles.map((role) =>
    [
      `SELECT kafka.allow(${quoteLiteral(role)});`,
      `GRANT ${rights} ON ${quoteTable(source.target)} TO ${quoteIdent(role)};`,
      ...(readable.length > 0
        ? [`GRANT SELECT ON ${readable.join(", ")} TO ${quoteIdent(role)};`]
        : []),
    ].join("\n")
  );
  if (!source.shape || dialect !== "greenplum" || isClient) return granted;
  return [...granted, `SELECT kafka.share_source(${quoteLiteral(source.name)});`];
}
