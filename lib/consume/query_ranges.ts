import { Failure } from "../failure.ts";
import { commentValue, queryComment } from "../greenplum/query_comment.ts";
import type { Range } from "./options.ts";
import { parseRanges } from "./ranges.ts";

/**
 * The ranges that kafka.load put before its statement; `statement` is GP_QUERY_STRING. `topic` is
 * that of the command; null for several, which each range names. Throws Failure (usage) if there
 * are none, or another topic's: rows whose offsets are not kept must not be read.
 */
export function queryRanges(statement: string | undefined, topic: string | null): Range[] {
  const fail = (why: string) => new Failure("usage", `--ranges-from-query: ${why}`);
  if (!statement) {
    throw fail("GP_QUERY_STRING is not set: only Greenplum sets it — elsewhere use --ranges");
  }
  const words = queryComment(statement, "kafka-ranges");
  if (words === null) {
    throw fail(
      "the statement does not begin with a kafka-ranges comment: only kafka.load reads this table; " +
        "to look at rows, select from the table without --ranges-from-query",
    );
  }
  const named = commentValue(words, "topic") ?? null;
  if (named !== topic) {
    const asked = named === null ? "several topics" : `topic "${named}"`;
    const read = topic === null ? "several topics" : `topic "${topic}"`;
    throw fail(`the statement asks for ${asked}, this command reads ${read}`);
  }
  const [ranges, more] = topic === null ? words : words.slice(1);
  if (ranges === undefined || more !== undefined) {
    throw fail("the kafka-ranges comment is not topic=TOPIC P:FROM-TO,…, or TOPIC/P:FROM-TO,…");
  }
  return parseRanges(ranges);
}
