import { type Say, some } from "./findings.ts";
import type { RowOptions, Sample } from "./rows.ts";

/** Names the paths of structured keys and values that no row of the sample had a field for. */
export function checkPaths(
  say: Say,
  { rows, neverMet }: Sample,
  { fields, keyFields }: RowOptions,
): true {
  const all = fields.length + keyFields.length;
  if (neverMet.length === 0) {
    say("ok", `each of the ${all} paths is in a record of the last ${rows.length}`);
  } else {
    say(
      "warn",
      `${neverMet.length} of the ${all} paths are in none of the last ${rows.length} records: ` +
        some(neverMet),
      "check the spelling and the case; if it is right, the columns are NULL until a record has them",
    );
  }
  return true;
}
