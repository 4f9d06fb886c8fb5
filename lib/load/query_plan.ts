import { Failure } from "../failure.ts";
import { commentValue, queryComment } from "../greenplum/query_comment.ts";
import type { PartitionOffset } from "./plan_topic.ts";

/** What the statement that reads a plan's web table asks for beside the plan. */
export interface QueryPlan {
  at: number | null;
  /** The database's offsets. */
  offsets: PartitionOffset[];
  /** Whether they are committed to the group. */
  mirror: boolean;
  log: string | null;
}

/**
 * Reads the comment that kafka.load puts before its statement; without one there is nothing to do
 * but to plan, so that the table can be read by hand. Throws Failure (usage) if the comment is of
 * another topic.
 */
export function queryPlan(statement: string | undefined, topic: string): QueryPlan {
  const words = queryComment(statement ?? "", "kafka-plan");
  if (words === null) return { at: null, offsets: [], mirror: false, log: null };
  const named = commentValue(words, "topic");
  if (named !== topic) {
    throw new Failure(
      "usage",
      `--from-query: the statement asks for topic "${named}", this command reads topic "${topic}"`,
    );
  }
  const at = commentValue(words, "at");
  // `commit` is what schema kafka of version 1 says.
  const commit = commentValue(words, "commit");
  return {
    at: at === undefined ? null : Number(at),
    offsets: parseOffsets("--from-query", commit ?? commentValue(words, "stand") ?? ""),
    mirror: commit !== undefined || commentValue(words, "mirror") === "yes",
    log: commentValue(words, "log") ?? null,
  };
}

/**
 * Reads `0:100:5,3:17`: partition, offset, leader epoch. Throws Failure (usage) naming the flag.
 */
export function parseOffsets(flag: string, text: string): PartitionOffset[] {
  if (text === "") return [];
  return text.split(",").map((part) => {
    const match = /^(\d{1,9}):(\d{1,15})(?::(\d{1,10}))?$/.exec(part);
    if (!match) throw new Failure("usage", `${flag}: "${part}" is not PARTITION:OFFSET[:EPOCH]`);
    return {
      partition: Number(match[1]),
      offset: Number(match[2]),
      leaderEpoch: Number(match[3] ?? -1),
    };
  });
}
