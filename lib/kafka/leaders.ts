import { answered, leftOut } from "./answers.ts";
import type { Cluster } from "./cluster.ts";
import type { Connection } from "./connection.ts";
import { BrokerError } from "./errors.ts";
import { byLeader, byTopic, noLeader, partitionName, type TopicPartition } from "./partitions.ts";
import { Backoff } from "./retry.ts";

/** What is asked of each partition's leader, and how. */
export interface Question<T extends TopicPartition, Answer, Result> {
  /** What fails if there is no answer: `list the offsets of`. */
  readonly what: string;
  readonly ask: (
    connection: Connection,
    topics: { topic: string; partitions: T[] }[],
  ) => Promise<{ topics: { topic: string; partitions: Answer[] }[] }>;
  readonly result: (answer: Answer) => Result;
}

/**
 * The answers of the items' leaders, in the items' order. A leader that moved, and a partition that
 * was left out, are asked for again until the timeout. Throws Failure.
 */
export async function askLeaders<
  T extends TopicPartition,
  Answer extends { partition: number; errorCode: number },
  Result,
>(
  cluster: Cluster,
  items: readonly T[],
  question: Question<T, Answer, Result>,
): Promise<Result[]> {
  const results = new Map<T, Result>();
  const backoff = new Backoff(cluster.config);
  while (true) {
    const missing = items.filter((item) => !results.has(item));
    if (missing.length === 0) return items.map((item) => results.get(item)!);
    const asked = [...byLeader(cluster, missing)].map(([id, wanted]) =>
      askLeader(cluster, id, wanted, question, results)
    );
    const errors = (await Promise.allSettled(asked)).filter((r) => r.status === "rejected");
    if (errors.length > 0) {
      await backoff.next(errors[0].reason);
      await cluster.refresh([...new Set(missing.map((item) => item.topic))]).catch(() => {});
    }
  }
}

async function askLeader<
  T extends TopicPartition,
  Answer extends { partition: number; errorCode: number },
  Result,
>(
  cluster: Cluster,
  id: number,
  wanted: readonly T[],
  { what, ask, result }: Question<T, Answer, Result>,
  results: Map<T, Result>,
): Promise<void> {
  const failed = (item: TopicPartition) => `cannot ${what} ${partitionName(item)}`;
  if (id === -1) throw noLeader(failed(wanted[0]));
  const connection = await cluster.broker(id);
  const find = answered((await ask(connection, byTopic(wanted))).topics);
  let error: unknown;
  for (const item of wanted) {
    const found = find(item);
    if (!found) error ??= leftOut(failed(item), connection, item);
    else if (found.errorCode !== 0) error ??= new BrokerError(failed(item), found.errorCode);
    else results.set(item, result(found));
  }
  if (error) throw error;
}
