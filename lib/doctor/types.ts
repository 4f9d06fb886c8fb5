import { quoteIdent, quoteLiteral } from "../greenplum/quote.ts";
import type { Column } from "../greenplum/source.ts";
import { type Database, openDatabase } from "../load/database.ts";
import type { Dsn } from "../load/dsn.ts";
import { splitFields } from "../consume/csv.ts";
import type { Say } from "./findings.ts";
import type { SampleRow } from "./rows.ts";
import type { KnownTable } from "./table.ts";

interface Misfit {
  row: SampleRow;
  why: string;
}

/** PostgreSQL's and Greenplum's SQLSTATE for a role that may not be set, or may not do something. */
const DENIED = "42501";

/**
 * Lets the database itself read the rows into the columns' types, in a transaction that is never
 * committed. Constraints and triggers of the table are not tried.
 *
 * A domain's CHECK is code of the role that made it. So it runs with the rights of the table's owner, in
 * a function of that role: SET ROLE alone would not do, as the code could RESET ROLE and go on with
 * the rights of the user of doctor.
 */
export async function checkTypes(
  say: Say,
  dsn: Dsn,
  rows: readonly SampleRow[],
  table: KnownTable,
  timeout: number,
): Promise<void> {
  const misfits = await findMisfits(dsn, rows, table, timeout);
  if (misfits === null) {
    say(
      "warn",
      `the rows were not tried: that would run code of "${table.owner}", which owns ${table.name}, and ` +
        "this user may not SET ROLE to it",
      `run doctor as a superuser, or as a member of ${quoteIdent(table.owner)}`,
    );
    return;
  }
  if (misfits.length === 0) {
    say("ok", `the database can read all ${rows.length} into the columns' types`);
    return;
  }
  const [{ row: { partition, offset }, why }] = misfits;
  const dates = /date\/time|timestamp/.test(why);
  say(
    "fail",
    `${misfits.length} of ${rows.length} rows do not fit: partition ${partition} offset ${offset}: ` +
      why,
    dates
      ? "check datestyle (ALTER DATABASE … SET datestyle), or the column's type"
      : "change the column's type, or what is produced",
  );
}

/** The rows that the columns' types refuse; null if it may not be tried. */
async function findMisfits(
  dsn: Dsn,
  rows: readonly SampleRow[],
  { owner, columns }: KnownTable,
  timeout: number,
): Promise<Misfit[] | null> {
  // A session of its own: whatever that code leaves in it ends with it.
  const sql = openDatabase(dsn, "gpdb-kafka doctor");
  try {
    await sql.unsafe("BEGIN");
    await sql.unsafe(`SET LOCAL statement_timeout = ${Math.ceil(timeout)}`);
    if (!await setRole(sql, owner)) return null;
    for (const statement of readers(columns)) await sql.unsafe(statement);
    await sql.unsafe("RESET ROLE");
    const given = JSON.stringify(rows.map(({ row }) => splitFields(row)));
    const found = await sql.unsafe(
      `SELECT row_no, column_no, why FROM pg_temp.gpdb_kafka_doctor(${quoteLiteral(given)}::json)`,
    );
    return found.map(({ row_no, column_no, why }) => ({
      row: rows[row_no],
      why: `column ${columns[column_no].name}: ${why}`,
    }));
  } finally {
    // The transaction with it.
    await sql.end({ timeout: 1 });
  }
}

async function setRole(sql: Database, role: string): Promise<boolean> {
  try {
    await sql.unsafe(`SET LOCAL ROLE ${quoteIdent(role)}`);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === DENIED) return false;
    throw error;
  }
}

/**
 * Functions that read text into each column's type as COPY does, and one that reports which rows
 * are refused. A variable's default is assigned to it, so that a domain never sees another value.
 */
function readers(columns: readonly Column[]): string[] {
  const name = (i: number) => `pg_temp.gpdb_kafka_doctor_${i}`;
  const body = (text: string) => quoteLiteral(text);
  const each = columns.map(({ type }, i) =>
    `CREATE FUNCTION ${name(i)}(given text) RETURNS void LANGUAGE plpgsql AS ` +
    body(`DECLARE value ${type} := given; BEGIN END`)
  );
  const reads = columns.map((_, i) => `column_no := ${i}; PERFORM ${name(i)}(fields ->> ${i});`);
  const all = `DECLARE fields json; BEGIN
    row_no := 0;
    FOR fields IN SELECT json_array_elements(given) LOOP
      BEGIN
        ${reads.join("\n        ")}
      EXCEPTION WHEN OTHERS THEN
        why := SQLERRM;
        RETURN NEXT;
      END;
      row_no := row_no + 1;
    END LOOP;
  END`;
  return [
    ...each,
    "CREATE FUNCTION pg_temp.gpdb_kafka_doctor(given json, OUT row_no integer, " +
    `OUT column_no integer, OUT why text) RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER ` +
    `AS ${body(all)}`,
  ];
}
