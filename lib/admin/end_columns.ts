import type { PartitionLog } from "../kafka/logs.ts";

/**
 * The columns that say where logs end: END is the last stable offset, as everywhere; the high
 * watermark is beside it if an open transaction keeps them apart in one of the logs.
 */
export function endColumns(
  logs: readonly PartitionLog[],
): { header: string[]; cells: (log: PartitionLog) => number[] } {
  return logs.some(({ stable, high }) => stable < high)
    ? { header: ["END", "HIGH WATERMARK"], cells: ({ stable, high }) => [stable, high] }
    : { header: ["END"], cells: ({ stable }) => [stable] };
}
