import type { Row } from "postgres";
import { table } from "../../admin/table.ts";
import { Failure } from "../../failure.ts";
import { quoteLiteral } from "../../greenplum/quote.ts";
import { type Database, openDatabase } from "../../load/database.ts";
import { answerOf, findSource } from "../../load/source.ts";
import { neededDsn } from "../flags/dsn.ts";
import { logFlags } from "../flags/log.ts";
import type { Console } from "../console.ts";
import { env } from "../environment.ts";
import { printDone } from "../print.ts";
import type { Command } from "../run.ts";
import { parseDuration } from "../values.ts";

/** Where a source's next load starts: kafka.seek, also for sources that the database does not read. */
export const seekCommand: Command = {
  name: "gpdb-kafka seek",
  about:
    "moves a source: its next load starts at earliest, latest, @TIME or PARTITION:OFFSET,…; TOPIC:… moves one of several topics",
  examples: [
    "gpdb-kafka seek crimes earliest --dsn postgres://gpadmin@coordinator/warehouse",
    "gpdb-kafka seek crimes '@2026-01-31 12:00+00'",
    "gpdb-kafka seek crimes 0:1200,3:88",
  ],
  flags: [
    { name: "dsn", value: "URL", help: "the database (else env DATABASE_URL)" },
    {
      name: "timeout",
      value: "DUR",
      help: "longest wait for the database, which may wait for a load of the source (30s)",
    },
    ...logFlags,
  ],
  answers: true,
  writes: true, // the database may listen on a Unix socket
  async run(given, console) {
    const [source, position, extra] = given.files;
    if (!source || !position) {
      throw new Failure("usage", "no source or no position: use gpdb-kafka seek SOURCE POSITION");
    }
    if (extra !== undefined) throw new Failure("usage", `"${extra}" is one argument too many`);
    const timeout = parseDuration("--timeout", given.get("timeout") ?? "30s");
    const sql = openDatabase(neededDsn(given, env), `gpdb-kafka seek ${source}`, console.warn);
    const words = [source, position].map(quoteLiteral).join(", ");
    const statement = `SELECT * FROM kafka.seek(${words})`;
    try {
      const { topic, byClient } = await findSource(sql, source, timeout);
      const asking: PromiseLike<Row[]> = byClient
        ? planned(sql, source, position, statement, console)
        : sql.unsafe(statement);
      const rows = await answerOf(`cannot move source "${source}"`, timeout, asking);
      printDone(
        table(
          ["TOPIC", "PARTITION", "NEXT OFFSET"],
          // One of several topics that was deleted, and is forgotten, has no partition.
          rows.map((
            row,
          ) => [row.topic ?? topic, numberOf(row.partition_no), numberOf(row.next_offset)]),
        ),
        console.warn,
      );
    } finally {
      sql.end({ timeout: 0 }).catch(() => {});
    }
  },
};

function numberOf(value: unknown): number | null {
  return value === null ? null : Number(value);
}

/** The same of a source whose topic this program reads: it asks Kafka first. */
async function planned(
  sql: Database,
  source: string,
  position: string,
  statement: string,
  console: Console,
): Promise<Row[]> {
  const { askPlanned } = await import("../../load/stand.ts");
  const { sourceReader } = await import("../flags/source_reader.ts");
  return await askPlanned(sql, source, {
    ...{ purpose: "seek", position, warn: console.warn },
    readerOf: (command) => sourceReader(command, console),
  }, statement);
}
