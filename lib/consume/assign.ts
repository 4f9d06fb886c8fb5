import { Failure } from "../failure.ts";
import type { TopicPartition } from "../kafka/offsets.ts";
import type { Assignment, ConsumeOptions } from "./options.ts";

/** Whether a partition is this process's to read. */
export function isOurs(assignment: Assignment, partition: number): boolean {
  return assignment.share === "all" || partition % assignment.count === assignment.index;
}

/**
 * The partitions this process reads, of those that the topics have. Throws Failure where a range
 * names a partition that the topic lacks: whoever wrote it would wait for rows that never come.
 */
export function assign(
  options: Pick<ConsumeOptions, "assignment" | "ranges">,
  partitions: readonly TopicPartition[],
): TopicPartition[] {
  const { assignment, ranges } = options;
  const ours = partitions.filter(({ partition }) => isOurs(assignment, partition));
  if (ranges === null) return ours;
  for (const { partition } of ranges) {
    if (!partitions.some((p) => p.partition === partition)) {
      throw new Failure(
        "usage",
        `--ranges names partition ${partition}, which topic "${
          partitions[0]?.topic
        }" does not have`,
      );
    }
  }
  return ours.filter(({ partition }) => ranges.some((range) => range.partition === partition));
}
