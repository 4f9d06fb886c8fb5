import { countFields } from "../consume/csv.ts";
import type { Say } from "./findings.ts";
import type { SampleRow } from "./rows.ts";

/** Compares the fields of each row with the columns they are read into. Returns whether all fit. */
export function checkFields(
  say: Say,
  rows: readonly SampleRow[],
  columns: readonly string[],
  table: string,
): true | null {
  const wrong = rows
    .map(({ partition, offset, row }) => ({ partition, offset, fields: countFields(row) }))
    .filter(({ fields }) => fields !== columns.length);
  if (wrong.length === 0) {
    say("ok", `all ${rows.length} rows have the ${columns.length} fields of ${table}`);
    return true;
  }
  const [{ partition, offset, fields }] = wrong;
  const missing = fields < columns.length;
  const which = missing ? `; "${columns[fields]}" and what follows would miss their values` : "";
  say(
    "fail",
    `${wrong.length} of ${rows.length} rows do not have the ${columns.length} fields of ${table}: ` +
      `partition ${partition} offset ${offset} has ${fields}${which}`,
    "name the columns that the rows have (--column of gpdb-kafka sql source), or change the table; " +
      "a field with a comma needs quotes",
  );
  return null;
}
