import type { KnownDatabase } from "./database.ts";
import type { Say } from "./findings.ts";
import { quoteLiteral } from "../greenplum/quote.ts";
import type { DoctorOptions } from "./options.ts";
import { type KnownSource, topicsInWords } from "./source.ts";

/** SQLSTATE of a function that the schema does not have. */
const NO_FUNCTION = "42883";

/**
 * Lets the database take the steps of a load that come before its rows: what would fail there,
 * fails here in the same words. Null if it does.
 */
export async function checkPlan(
  say: Say,
  { sql }: KnownDatabase,
  source: KnownSource,
  readerOf: DoctorOptions["readerOf"],
): Promise<true | null> {
  const { name, topic, via } = source;
  const topics = topic === null ? topicsInWords(source) : `"${topic}"`;
  try {
    const statement = `SELECT records, lost, reason FROM kafka.check_source(${quoteLiteral(name)})`;
    const [{ records, lost, reason }] = via === "client"
      ? await (await import("../load/stand.ts")).askPlanned(sql, name, {
        ...{ purpose: "check", readerOf },
        warn: (line) => say("warn", line, "the load does without it"),
      }, statement)
      : await sql.unsafe(statement);
    const more = reason === "max_records" ? ", and there is more (max_records)" : "";
    say(
      "ok",
      `the next load of source "${name}" reads ${records} offsets of ${topics}${more}`,
    );
    if (Number(lost) > 0) {
      say(
        "warn",
        `the next load of source "${name}" skips ${lost} offsets that were deleted before they were read`,
        "load more often, or raise retention.ms",
      );
    }
    return true;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== NO_FUNCTION) throw error;
    say(
      "fail",
      "schema kafka is older than this program",
      "upgrade it: gpdb-kafka sql schema | psql, then gpdb-kafka sql source for each source",
    );
    return null;
  }
}
