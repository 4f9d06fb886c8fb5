import { Failure } from "../failure.ts";
import { commentValue, queryComment } from "../greenplum/query_comment.ts";
import type { PartitionOffset } from "./plan.ts";

/** What the statement that reads a plan's web table asks for beside the plan. */
export interface QueryPlan {
  at: number | null;
  offsets: PartitionOffset[];
}

/**
 * Reads the comment that kafka.load puts in front of its statement; without one there is nothing
 * to do but to plan, so that anybody may look at the table. Throws Failure (usage) where the
 * comment is of another topic.
 */
export function queryPlan(statement: string | undefined, topic: string): QueryPlan {
  const words = queryComment(statement ?? "", "kafka-plan");
  if (words === null) return { at: null, offsets: [] };
  const named = commentValue(words, "topic");
  if (named !== topic) {
    throw new Failure(
      "usage",
      `--from-query: the statement wants topic "${named}", this command reads topic "${topic}"`,
    );
  }
  const at = commentValue(words, "at");
  return {
    at: at === undefined ? null : Number(at),
    offsets: parseOffsets("--from-query", commentValue(words, "commit") ?? ""),
  };
}

/** Reads `0:100,3:17`: partition and offset. Throws Failure (usage) naming the flag. */
export function parseOffsets(flag: string, text: string): PartitionOffset[] {
  if (text === "") return [];
  return text.split(",").map((part) => {
    const match = /^(\d{1,9}):(\d{1,15})$/.exec(part);
    if (!match) throw new Failure("usage", `${flag}: "${part}" is not PARTITION:OFFSET`);
    return { partition: Number(match[1]), offset: Number(match[2]) };
  });
}
