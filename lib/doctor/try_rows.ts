import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { quoteIdent } from "../greenplum/quote.ts";
import type { Column } from "../greenplum/source.ts";
import { openDatabase } from "../load/database.ts";
import type { Dsn } from "../load/dsn.ts";
import { databaseProblem } from "../load/errors.ts";
import type { Say } from "./findings.ts";
import type { SampleRow } from "./rows.ts";

/** So many rows that do not fit are looked for; each takes a session of its own. */
const MOST_TRIES = 3;

interface Misfit {
  row: SampleRow;
  why: string;
}

/**
 * Lets the database itself read the rows: into a temporary table of the same columns, in a
 * transaction that is never committed. Constraints and triggers of the real table are not tried.
 */
export async function tryRows(
  say: Say,
  dsn: Dsn,
  rows: readonly SampleRow[],
  columns: readonly Column[],
  timeout: number,
): Promise<void> {
  const misfits: Misfit[] = [];
  let left = [...rows];
  while (misfits.length < MOST_TRIES && left.length > 0) {
    const misfit = await findMisfit(dsn, left, columns, timeout);
    if (misfit === null) break;
    misfits.push(misfit);
    // Those in front of it too: Greenplum's segments read at once, and one of them is the first.
    left = left.filter((row) => row !== misfit.row);
  }
  misfits.sort((a, b) => rows.indexOf(a.row) - rows.indexOf(b.row));
  if (misfits.length === 0) {
    say("ok", `the database can read all ${rows.length} into the columns' types`);
    return;
  }
  const [{ row: { partition, offset }, why }] = misfits;
  const count = misfits.length === MOST_TRIES ? `${MOST_TRIES} or more` : `${misfits.length}`;
  const dates = /date\/time|timestamp/.test(why);
  say(
    "fail",
    `${count} of ${rows.length} rows do not fit: partition ${partition} offset ${offset}: ${why}`,
    dates
      ? "check datestyle (ALTER DATABASE … SET datestyle), or the column's type"
      : "change the column's type, or what is produced",
  );
}

/** A row that the columns' types refuse, or null. Throws where that is not what failed. */
async function findMisfit(
  dsn: Dsn,
  rows: readonly SampleRow[],
  columns: readonly Column[],
  timeout: number,
): Promise<Misfit | null> {
  // Alone in its session: an error in the middle of a COPY ends it, and the transaction with it.
  const sql = openDatabase(dsn, "gpdb-kafka doctor");
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => {});
  try {
    await sql.unsafe("BEGIN");
    await sql.unsafe(`SET LOCAL statement_timeout = ${Math.ceil(timeout)}`);
    const list = columns.map(({ name, type }) => `${quoteIdent(name)} ${type}`).join(", ");
    await sql.unsafe(`CREATE TEMPORARY TABLE gpdb_kafka_doctor (${list})`);
    const statement =
      "COPY gpdb_kafka_doctor FROM STDIN (FORMAT csv, DELIMITER ',', NULL '', ENCODING 'UTF8')";
    // The client reports an error behind the last byte to a promise that is settled by then.
    const query = Object.assign(sql.unsafe(statement), { reject });
    const target = await Promise.race([query.writable(), failed]);
    // A newline inside quotes is a line to COPY, or is not, by where it stands; a space is none.
    const text = rows.map(({ row }) => row.replaceAll(/[\r\n]/g, " ") + "\n").join("");
    await Promise.race([pipeline(Readable.from([new TextEncoder().encode(text)]), target), failed]);
    return null;
  } catch (error) {
    const line = lineOf(error, rows);
    if (line === null) throw error;
    const { where = "" } = error as { where?: string };
    const column = /, column (.+?)(?:: |$)/.exec(where)?.[1];
    const { message } = databaseProblem(error)!;
    return { row: line, why: column === undefined ? message : `column ${column}: ${message}` };
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** The row that an error of COPY is about: `COPY gpdb_kafka_doctor, line 3, column ward: "x"`. */
function lineOf(error: unknown, rows: readonly SampleRow[]): SampleRow | null {
  const { where } = error as { where?: string };
  const line = Number(/gpdb_kafka_doctor, line (\d+)/.exec(where ?? "")?.[1] ?? NaN);
  return rows[line - 1] ?? null;
}
