import type { ProducedPartition } from "../protocol/messages/produce.ts";
import { LeftOutError } from "./errors.ts";
import type { TopicPartition } from "./partitions.ts";

/** Finds in an answer what it says of a partition; nothing if it left that one out. */
export function answered<T extends { partition: number }>(
  topics: readonly { topic: string; partitions: readonly T[] }[],
): (item: TopicPartition) => T | undefined {
  const all = new Map<string, T>();
  for (const { topic, partitions } of topics) {
    for (const one of partitions) all.set(`${topic}/${one.partition}`, one);
  }
  return ({ topic, partition }) => all.get(`${topic}/${partition}`);
}

/** The passing error that a broker's answer leaves a partition out. */
export function leftOut(
  failed: string,
  { name }: { name: string },
  { partition }: TopicPartition,
): LeftOutError {
  return new LeftOutError(failed, name, `partition ${partition}`);
}

/** What Produce's answer says of the one partition that was written to. Throws LeftOutError. */
export function producedIn(
  answer: readonly ProducedPartition[],
  failed: string,
  connection: { name: string },
  item: TopicPartition,
): ProducedPartition {
  const found = answer.find(({ topic, partition }) =>
    topic === item.topic && partition === item.partition
  );
  if (!found) throw leftOut(failed, connection, item);
  return found;
}
