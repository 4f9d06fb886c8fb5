import type { Loaded } from "./database.ts";
import type { TopicOffset, TopicPlan } from "./plan_topic.ts";

/**
 * Records for which another share is worth its connection, its transaction and its row in the
 * history.
 */
const LEAST = 1000;

/** A partition of a source, `TOPIC:PARTITION`, and how many offsets a load is to read of it. */
export interface Part {
  name: string;
  size: number;
}

/** All partitions of a plan; `stands`: where the source stands in them. */
export function planParts(
  plans: readonly TopicPlan[],
  stands: readonly TopicOffset[],
  maxRecords: number | null,
): Part[] {
  const at = new Map(stands.map((one) => [`${one.topic}:${one.partition}`, one.offset]));
  return plans.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, earliest, end }) => {
      const name = `${topic}:${partition}`;
      const left = end - Math.max(at.get(name) ?? earliest, earliest);
      return { name, size: Math.max(0, Math.min(left, maxRecords ?? left)) };
    })
  );
}

/** How many shares are of use. */
export function usefulShares(parts: readonly Part[]): number {
  const total = parts.reduce((sum, { size }) => sum + size, 0);
  return Math.min(parts.filter(({ size }) => size > 0).length, Math.floor(total / LEAST));
}

/** The parts as this many shares of about the same size; each part is in one of them. */
export function shareOut(parts: readonly Part[], count: number): string[][] {
  const shares = Array.from({ length: count }, () => ({ size: 0, names: [] as string[] }));
  for (const { name, size } of parts.toSorted((a, b) => b.size - a.size)) {
    const least = shares.reduce((a, b) => b.size < a.size ? b : a);
    least.size += size;
    least.names.push(name);
  }
  return shares.map(({ names }) => names);
}

/** What several shares of one plan have loaded together. */
export function sumLoaded(parts: readonly Loaded[]): Loaded {
  return parts.reduce((sum, part) => ({
    rows: sum.rows + part.rows,
    updated: sum.updated + part.updated,
    deleted: sum.deleted + part.deleted,
    filtered: sum.filtered + part.filtered,
    rejected: sum.rejected + part.rejected,
    rowsRead: sum.rowsRead + part.rowsRead,
    records: sum.records + part.records,
    // Of each it is what is left if the others load nothing.
    lag: Math.max(0, sum.lag - part.records),
    lost: sum.lost + part.lost,
    reason: part.reason === "end" ? sum.reason : part.reason,
    seconds: Math.max(sum.seconds, part.seconds),
    loadNo: Math.max(sum.loadNo, part.loadNo),
    topics: sum.topics?.map(({ topic, records, lag }, i) => {
      const more = part.topics?.[i].records ?? 0;
      return { topic, records: records + more, lag: Math.max(0, lag - more) };
    }),
  }));
}
