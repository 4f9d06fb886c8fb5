import { Failure } from "../failure.ts";
import type { TopicPartition } from "../kafka/partitions.ts";
import type { Assignment, ConsumeOptions } from "./options.ts";

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
  const named = ranges?.map(({ partition }) => partition) ?? only;
  const ours = partitions.filter(({ partition }) => isOurs(assignment, partition));
  if (named === null) return ours;
  for (const partition of named) {
    if (!partitions.some((p) => p.partition === partition)) {
      const topics = [...new Set(partitions.map(({ topic }) => `"${topic}"`))].join(", ");
      throw new Failure("usage", `topic ${topics} has no partition ${partition}`);
    }
  }
  return ours.filter(({ partition }) => named.includes(partition));
}
