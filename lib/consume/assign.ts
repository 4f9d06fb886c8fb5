import { Failure } from "../failure.ts";
import type { TopicPartition } from "../kafka/partitions.ts";
import type { Assignment, ConsumeOptions } from "./options.ts";
import { rangeFinder } from "./ranges.ts";

/** Whether this process reads a partition. */
export function isOurs(assignment: Assignment, partition: number): boolean {
  return assignment.share !== "slot" || partition % assignment.count === assignment.index;
}

/**
 * The partitions this process reads, of those that the topics have. Throws Failure if a
 * partition is named that no topic has: the user would wait for rows that never come.
 */
export function assign(
  options: Pick<ConsumeOptions, "assignment" | "partitions" | "ranges">,
  partitions: readonly TopicPartition[],
): TopicPartition[] {
  const { assignment, ranges, partitions: only } = options;
  const named: readonly { topic?: string; partition: number }[] | null = ranges ??
    only?.map((partition) => ({ partition })) ?? null;
  const ours = partitions.filter(({ partition }) => isOurs(assignment, partition));
  if (named === null) return ours;
  const there = new Map<number, Set<string>>();
  for (const { topic, partition } of partitions) {
    there.set(partition, (there.get(partition) ?? new Set()).add(topic));
  }
  for (const { topic, partition } of named) {
    const having = there.get(partition);
    if (having !== undefined && (topic === undefined || having.has(topic))) continue;
    const topics = topic === undefined
      ? [...new Set(partitions.map(({ topic }) => `"${topic}"`))].join(", ")
      : `"${topic}"`;
    throw new Failure("usage", `topic ${topics} has no partition ${partition}`);
  }
  if (ranges !== null) {
    // Of several topics each may have one partition: so that not all are the first process's, their
    // ranges are shared by their order, which is the same for all.
    const byOrder = ranges[0]?.topic !== undefined;
    const find = rangeFinder(byOrder ? ranges.filter((_, i) => isOurs(assignment, i)) : ranges);
    return (byOrder ? partitions : ours).filter((item) => find(item) !== undefined);
  }
  const numbers = new Set(only);
  return ours.filter(({ partition }) => numbers.has(partition));
}
