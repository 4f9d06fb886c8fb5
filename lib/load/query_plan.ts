import { Failure } from "../failure.ts";
import { commentValue, queryComment } from "../greenplum/query_comment.ts";
import type { PartitionOffset, TopicOffset } from "./plan_topic.ts";

/** What the statement that reads a plan's web table asks for beside the plan. */
export interface QueryPlan {
  at: number | null;
  /** The database's offsets. */
  offsets: PartitionOffset[];
  /** Whether they are committed to the group. */
  mirror: boolean;
  log: string | null;
}

/** The same of several topics. */
export type QueryPlans = Omit<QueryPlan, "offsets" | "log"> & { offsets: TopicOffset[] };

/**
 * Reads the comment that kafka.load puts before its statement; without one there is nothing to do
 * but to plan, so that the table can be read by hand. Throws Failure (usage) if the comment is of
 * another topic.
 */
export function queryPlan(statement: string | undefined, topic: string): QueryPlan {
  const words = planComment(statement, topic);
  if (words === null) return { at: null, offsets: [], mirror: false, log: null };
  // `commit` is what schema kafka of version 1 says.
  const commit = commentValue(words, "commit");
  return {
    at: timeIn(words),
    offsets: parseOffsets("--from-query", commit ?? commentValue(words, "stand") ?? ""),
    mirror: commit !== undefined || commentValue(words, "mirror") === "yes",
    log: commentValue(words, "log") ?? null,
  };
}

/** The same for a command that plans several topics: such a comment names none at its front. */
export function queryPlans(statement: string | undefined): QueryPlans {
  const words = planComment(statement, null) ?? [];
  return {
    at: timeIn(words),
    offsets: parseTopicOffsets("--from-query", commentValue(words, "stand") ?? ""),
    mirror: commentValue(words, "mirror") === "yes",
  };
}

function planComment(statement: string | undefined, topic: string | null): string[] | null {
  const words = queryComment(statement ?? "", "kafka-plan");
  if (words === null) return null;
  const named = commentValue(words, "topic") ?? null;
  if (named === topic) return words;
  const [asked, read] = [named, topic].map((one) =>
    one === null ? "several topics" : `topic "${one}"`
  );
  throw new Failure(
    "usage",
    `--from-query: the statement asks for ${asked}, this command reads ${read}`,
  );
}

function timeIn(words: readonly string[]): number | null {
  const at = commentValue(words, "at");
  return at === undefined ? null : Number(at);
}

/**
 * Reads `0:100:5,3:17`: partition, offset, leader epoch. Throws Failure (usage) naming the flag.
 */
export function parseOffsets(flag: string, text: string): PartitionOffset[] {
  if (text === "") return [];
  return text.split(",").map((part) => {
    const found = parseOffset(part);
    if (!found) throw new Failure("usage", `${flag}: "${part}" is not PARTITION:OFFSET[:EPOCH]`);
    return found;
  });
}

/**
 * Reads `orders_eu=HASH/0:100:5,3:17,orders_us=HASH/0:5`: topic, the hash of the log that its
 * offsets are of, partition, offset, leader epoch. What has no topic is of the topic before it.
 * Throws Failure (usage) naming the flag.
 */
export function parseTopicOffsets(flag: string, text: string): TopicOffset[] {
  if (text === "") return [];
  let topic: string | undefined;
  let log: string | null = null;
  return text.split(",").map((part) => {
    const [, name, hash, rest] = /^(?:([\w.-]{1,249})(?:=([\da-f]{32}))?\/)?([\d:]*)$/.exec(part) ??
      [];
    if (name !== undefined) [topic, log] = [name, hash ?? null];
    const found = parseOffset(rest ?? "");
    if (topic === undefined || !found) {
      throw new Failure(
        "usage",
        `${flag}: "${part}" is not TOPIC[=LOG]/PARTITION:OFFSET[:EPOCH]`,
      );
    }
    return { topic, log, ...found };
  });
}

function parseOffset(text: string): PartitionOffset | null {
  const match = /^(\d{1,9}):(\d{1,15})(?::(\d{1,10}))?$/.exec(text);
  return match && {
    partition: Number(match[1]),
    offset: Number(match[2]),
    leaderEpoch: Number(match[3] ?? -1),
  };
}
