import type postgres from "postgres";
import type { ConsumeOptions } from "../consume/options.ts";
import { quoteLiteral } from "../greenplum/quote.ts";
import { PLAN_TIMEOUT } from "../greenplum/source.ts";
import type { ClientConfig } from "../kafka/config.ts";
import type { Isolation } from "../protocol/messages/list_offsets.ts";
import {
  planRecords,
  planTopic,
  planTopics,
  type TopicOffset,
  type TopicPlan,
} from "./plan_topic.ts";
import { parseOffsets, parseTopicOffsets } from "./query_plan.ts";
import type { Database } from "./database.ts";
import { Transaction } from "./transaction.ts";

/** How a source's topic is read. */
export interface Reader {
  options: ConsumeOptions;
  config: ClientConfig;
}

/** What a source that this program reads is asked about: see kafka._stand. */
export type Purpose = "load" | "seek" | "check" | "lag";

/** Where a source stands, and how it is read. */
export interface Stand {
  /** Its only topic, or several: their names, or a pattern. */
  topics: string | readonly string[] | RegExp;
  group: string;
  /** The command of the reader, of which only the words count. */
  reader: string;
  offsets: TopicOffset[];
  /** The time that a position names, epoch milliseconds. */
  at: number | null;
  /** Whether rows go through tables of the source, which one load uses at a time. */
  isStaged: boolean;
  /** The number of its last load. */
  loadNo: number;
}

/**
 * Asks the database where a source stands. For load and seek the source is locked from here on.
 * Throws what the database answers.
 */
export async function readStand(
  transaction: Transaction,
  source: string,
  purpose: Purpose,
  position?: string,
): Promise<Stand> {
  const words = [source, purpose].map(quoteLiteral);
  const row = await transaction.row(
    `SELECT topic, topics, topic_pattern, group_name, reader, array_to_string(stands, ',') AS stands,
      log_hash, at_time, is_staged, load_no
    FROM kafka._stand(${words.join(", ")}, ${
      position === undefined ? "NULL" : quoteLiteral(position)
    })`,
  );
  const { topic, topics, topic_pattern, stands, log_hash } = row;
  return {
    topics: topic ?? topics ?? new RegExp(topic_pattern, "u"),
    group: row.group_name,
    reader: row.reader,
    offsets: topic === null
      ? parseTopicOffsets("kafka._stand", stands)
      : parseOffsets("kafka._stand", stands).map((item) => ({ ...item, topic, log: log_hash })),
    at: row.at_time === null ? null : Number(row.at_time),
    isStaged: row.is_staged,
    loadNo: Number(row.load_no),
  };
}

/**
 * Asks Kafka what a planner would be asked by the database, and commits where the source stands to
 * its group, if `mirrors`. Throws Failure.
 */
export async function planStand(
  stand: Stand,
  isolation: Isolation,
  config: ClientConfig,
  mirrors: boolean,
  warn: (line: string) => void,
): Promise<TopicPlan[]> {
  const { topics, group, offsets, at } = stand;
  // A lock is held meanwhile.
  const timeout = Math.min(config.timeout, PLAN_TIMEOUT * 1000);
  const asked = { isolation, at, offsets, group: mirrors ? group : null };
  const limited = { ...config, timeout };
  if (typeof topics !== "string") return await planTopics({ ...asked, topics }, limited, warn);
  const log = offsets[0]?.log ?? null;
  const plan = await planTopic({ ...asked, topic: topics, log }, limited, warn);
  return [{ ...plan, topic: topics, exists: true }];
}

/** A plan as the database reads it. */
export function planText(source: string, plans: readonly TopicPlan[]): string {
  return JSON.stringify({ source, rows: plans.flatMap(planRecords) });
}

/** What is asked about a source that this program reads. */
export interface Question {
  purpose: Exclude<Purpose, "load">;
  /** Of a seek. */
  position?: string;
  readerOf(command: string): Promise<Reader>;
  warn(line: string): void;
}

/**
 * Asks the database something about a source for which it must know what Kafka says: that is asked
 * first, and handed over in the same transaction. Throws Failure, and what the database answers.
 */
export async function askPlanned(
  database: Database,
  source: string,
  { purpose, position, readerOf, warn }: Question,
  statement: string,
): Promise<postgres.Row[]> {
  const transaction = await Transaction.begin(database);
  try {
    const stand = await readStand(transaction, source, purpose, position);
    const { options, config } = await readerOf(stand.reader);
    const plan = await planStand(stand, options.isolation, config, purpose === "seek", warn);
    const text = quoteLiteral(planText(source, plan));
    await transaction.rows(`SELECT pg_catalog.set_config('kafka.plan', ${text}, true)`);
    const rows = await transaction.rows(statement);
    await transaction.commit();
    return rows;
  } catch (error) {
    // Whoever asks next on that connection would wait for an answer to this.
    if (!await transaction.rollback()) database.end({ timeout: 0 }).catch(() => {});
    throw transaction.explained(error);
  }
}
