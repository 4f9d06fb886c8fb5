import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";

/** What most messages are made of: topics, and something for each of their partitions. */
export interface OfTopic<T> {
  topic: string;
  partitions: T[];
}

export function readTopics<T>(reader: Reader, partition: (reader: Reader) => T): OfTopic<T>[] {
  return reader.array((r) => ({ topic: r.string(), partitions: r.array(partition) }));
}

export function writeTopics<T>(
  writer: Writer,
  topics: readonly { topic: string; partitions: readonly T[] }[],
  partition: (value: T, writer: Writer) => void,
): void {
  writer.array(topics, ({ topic, partitions }, w) => {
    w.string(topic);
    w.array(partitions, partition);
  });
}
