import { quoteLiteral } from "../greenplum/quote.ts";
import { PLAN_TIMEOUT } from "../greenplum/source.ts";
import type { ClientConfig } from "../kafka/config.ts";
import type { Isolation } from "../protocol/messages/list_offsets.ts";
import { type PartitionOffset, type Plan, planRecords, planTopic } from "./plan_topic.ts";
import { parseOffsets } from "./query_plan.ts";
import type { Transaction } from "./transaction.ts";

/** What a source that this program reads is asked about: see kafka._stand. */
export type Purpose = "load" | "seek" | "check" | "lag";

/** Where a source stands, and how it is read. */
export interface Stand {
  topic: string;
  group: string;
  /** The command of the reader, of which only the words count. */
  reader: string;
  offsets: PartitionOffset[];
  /** The hash of the log that they are of. */
  log: string;
  /** The time that a position names, epoch milliseconds. */
  at: number | null;
}

/**
 * Asks the database where a source stands. For load and seek the source is locked from here on.
 * Throws what the database answers.
 */
export async function readStand(
  transaction: Transaction,
  source: string,
  purpose: Purpose,
  position: string | null = null,
): Promise<Stand> {
  const words = [source, purpose].map(quoteLiteral);
  const row = await transaction.row(
    `SELECT topic, group_name, reader, array_to_string(stands, ',') AS stands, log_hash, at_time
    FROM kafka._stand(${words.join(", ")}, ${position === null ? "NULL" : quoteLiteral(position)})`,
  );
  return {
    topic: row.topic,
    group: row.group_name,
    reader: row.reader,
    offsets: parseOffsets("kafka._stand", row.stands),
    log: row.log_hash,
    at: row.at_time === null ? null : Number(row.at_time),
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
): Promise<Plan> {
  const { topic, group, offsets, log, at } = stand;
  // A lock is held meanwhile.
  const timeout = Math.min(config.timeout, PLAN_TIMEOUT * 1000);
  const asked = { topic, isolation, at, offsets, group: mirrors ? group : null, log };
  return await planTopic(asked, { ...config, timeout }, warn);
}

/** A plan as the database reads it. */
export function planText(source: string, { topic }: Stand, plan: Plan): string {
  return JSON.stringify({ source, rows: planRecords(topic, plan) });
}

/** Hands a plan over, for what this transaction asks of the source next. */
export async function handOver(transaction: Transaction, plan: string): Promise<void> {
  await transaction.rows(
    `SELECT pg_catalog.set_config('kafka.plan', ${quoteLiteral(plan)}, true)`,
  );
}
