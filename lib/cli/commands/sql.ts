import { Failure } from "../../failure.ts";
import { type Dialect, sourceDdl } from "../../greenplum/ddl.ts";
import { idleFields } from "../../greenplum/shape.ts";
import { exampleSql, schemaSql } from "../../greenplum/schema_files.ts";
import type { Column, SourceDefinition } from "../../greenplum/source.ts";
import { shown } from "../../secret.ts";
import { Dsn } from "../../load/dsn.ts";
import { openDatabase, readColumns } from "../../load/database.ts";
import { databaseProblem } from "../../load/errors.ts";
import { quoteTable } from "../../greenplum/source.ts";
import { suggestion } from "../../text.ts";
import type { Console } from "../console.ts";
import type { Given } from "../flags.ts";
import { print } from "../print.ts";
import type { Command } from "../run.ts";
import { withGpssFile } from "../flags/gpss.ts";
import { mappingOf } from "../flags/mapping.ts";
import { structured } from "../flags/shape.ts";
import {
  checkSqlFlags,
  hasTopics,
  isMapped,
  rejectsInDatabase,
  sourceFlags,
  sqlFlags,
} from "../flags/sql.ts";
import { unknownVerb } from "../verbs.ts";

/** The SQL that a database needs. */
export const sqlCommand: Command = {
  name: "gpdb-kafka sql",
  about:
    "prints SQL: schema (kafka.load), source NAME (loads a topic into a table), table NAME (a table for a topic's records), example (crimes)",
  examples: [
    "gpdb-kafka sql schema | psql -d warehouse",
    "gpdb-kafka sql source crimes --brokers broker1:9092 " +
    "--dsn postgres://gpadmin@coordinator/warehouse | psql -d warehouse",
    "gpdb-kafka sql table readings --value json --brokers broker1:9092",
    "gpdb-kafka sql source --from-gpss job.yaml",
    "gpdb-kafka sql example --for postgres",
  ],
  flags: sqlFlags,
  answers: true,
  writes: true, // the database may listen on a Unix socket
  async run(given, console) {
    const dialect = given.choice("for", ["greenplum", "postgres"], "greenplum");
    const [what, name, ...more] = given.files;
    const files = what === "source" || what === "table" ? 2 : 1;
    if (given.files.length > files) {
      throw new Failure("usage", `"${shown(more[0] ?? name)}" is one argument too many`);
    }
    if (what === "source" && given.has("from-gpss")) {
      const whole = await withGpssFile(given, sqlFlags, console);
      print(await text(what, whole.files[1], dialect, whole, console));
    } else print(await text(what, name, dialect, given, console));
  },
};

async function text(
  what: string | undefined,
  name: string | undefined,
  dialect: Dialect,
  given: Given,
  console: Console,
): Promise<string> {
  if (what !== undefined) checkSqlFlags(given, what);
  switch (what) {
    case "schema":
      return await schemaSql(dialect);
    case "example":
      return await exampleSql(dialect);
    case "source":
      if (!name) throw new Failure("usage", "no source: use gpdb-kafka sql source NAME");
      return sourceDdl(
        checked(await complete(sourceFlags(given, name), given, console), dialect),
        dialect,
      );
    case "table":
      if (!name) throw new Failure("usage", "no topic: use gpdb-kafka sql table NAME");
      return await (await import("./sql_table.ts")).tableSql(name, dialect, given, console);
    default:
      throw unknownVerb(what, ["schema", "source", "table", "example"]);
  }
}

/** With the columns of the live table, if there is a DSN. */
async function complete(
  source: SourceDefinition & { columns: Column[] | null },
  given: Given,
  console: Console,
): Promise<SourceDefinition> {
  if (!given.has("dsn")) return mapped(source, given, null, console);
  const { target, columns } = await liveTable(source, given);
  const chosen = source.columns?.map(({ name, type }) => {
    const found = columns.find((column) => column.name === name);
    if (!found) {
      const hint = suggestion(name, columns.map((column) => column.name), "");
      throw new Failure("usage", `--column: the table has no column "${name}"${hint}`);
    }
    return type === "" ? found : { name, type };
  });
  return mapped({ ...source, target, columns: chosen ?? columns }, given, columns, console);
}

/** Looks the table up. Throws Failure that says what is wrong with it, or with the way to it. */
async function liveTable(source: SourceDefinition, given: Given) {
  const sql = openDatabase(Dsn.parse("--dsn", given.get("dsn")!), "gpdb-kafka sql");
  try {
    return await readColumns(sql, quoteTable(source.target));
  } catch (error) {
    const problem = databaseProblem(error);
    if (problem === null) throw error;
    const { kind, message } = problem;
    throw new Failure(kind, `cannot read the columns of ${quoteTable(source.target)}: ${message}`, {
      cause: error,
    });
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** With the reader's columns, if they are not just the table's; `target` are those of the table. */
function mapped(
  source: SourceDefinition & { columns: Column[] | null },
  given: Given,
  target: readonly Column[] | null,
  console: Console,
): SourceDefinition {
  if (!isMapped(given)) return source;
  const named = given.has("column") ? source.columns : null;
  const { columns, shape, readerFlags } = mappingOf(
    given,
    target,
    named,
    rejectsInDatabase(given),
    hasTopics(given),
  );
  if (shape !== null && target !== null && structured.includes(given.get("value") ?? "")) {
    for (const name of idleFields(shape, target.map(({ name }) => name))) {
      const hint = suggestion(name, target.map((column) => column.name), "");
      console.warn(
        `--fields: "${name}" is not a column of the table, and no expression uses it${hint}`,
      );
    }
  }
  return { ...source, columns, shape, readerFlags: [...readerFlags, ...source.readerFlags] };
}

function checked(source: SourceDefinition, dialect: Dialect): SourceDefinition {
  const untyped = source.columns?.find(({ type }) => type === "");
  if (untyped) {
    throw new Failure(
      "usage",
      `--column: "${untyped.name}" has no type — use "${untyped.name}:TYPE", or --dsn to look it up`,
    );
  }
  if (dialect === "postgres" && source.columns === null && source.via !== "client") {
    throw new Failure("usage", "PostgreSQL requires the columns: use --dsn, or --column NAME:TYPE");
  }
  return source;
}
