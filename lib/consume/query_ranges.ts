import { Failure } from "../failure.ts";
import { commentValue, queryComment } from "../greenplum/query_comment.ts";
import type { Range } from "./options.ts";
import { parseRanges } from "./ranges.ts";

/**
 * The ranges that kafka.load put before its statement; `statement` is GP_QUERY_STRING. Throws
 * Failure (usage) if there are none, or another topic's: rows whose offsets are not kept must
 * not be read.
 */
export function queryRanges(statement: string | undefined, topic: string): Range[] {
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
  const named = commentValue(words, "topic");
  if (named !== topic) {
    throw fail(`the statement asks for topic "${named}", this command reads topic "${topic}"`);
  }
  if (words.length !== 2) throw fail("the kafka-ranges comment is not topic=TOPIC P:FROM-TO,…");
  return parseRanges(words[1]);
}
