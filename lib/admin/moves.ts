import { Failure } from "../failure.ts";
import type { PartitionLog } from "../kafka/logs.ts";
import { partitionName, type TopicPartition } from "../kafka/partitions.ts";

/** Where a reset puts a group. */
export type Target =
  | { at: "earliest" | "latest" }
  | { at: "offset"; offset: number }
  /** From where the group stands. */
  | { at: "shift"; by: number }
  /** The first record at or after this time, epoch milliseconds. */
  | { at: "time"; time: number };

/** A partition, where a group stands in it, and where it is to stand. */
export interface Wanted extends TopicPartition {
  /** Null: nothing is stored. */
  readonly old: number | null;
  readonly offset: number;
}

export interface Move extends Wanted {
  /** The offset that was asked for, where the log has none such. */
  readonly clampedFrom: number | null;
}

/**
 * The offset that a target means in one partition. `atTime` is the offset of the target's time, -1
 * if no record is at or after it. Throws Failure (record) if a shift has nothing to start from.
 */
export function targetOffset(
  target: Target,
  partition: TopicPartition,
  old: number | null,
  log: PartitionLog,
  atTime: number,
): number {
  switch (target.at) {
    case "earliest":
      return log.start;
    case "latest":
      return log.stable;
    case "offset":
      return target.offset;
    case "time":
      return atTime === -1 ? log.stable : Math.min(atTime, log.stable);
    case "shift":
      if (old !== null) return old + target.by;
      throw new Failure(
        "record",
        `cannot move ${partitionName(partition)} ${target.by < 0 ? "back" : "forward"}: ` +
          "the group has no stored offset for it — use --to earliest, latest, N or @TIME",
      );
  }
}

/**
 * What is to be stored: each offset inside its log, or the nearest one that is, with `clamp`.
 * Throws Failure (record) naming the partition and its log.
 */
export function planMoves(
  wanted: readonly Wanted[],
  logs: readonly PartitionLog[],
  clamp: boolean,
): Move[] {
  const outside: string[] = [];
  const moves = wanted.map((item, i): Move => {
    const { start, high } = logs[i];
    const offset = Math.max(start, Math.min(item.offset, high));
    if (offset === item.offset) return { ...item, clampedFrom: null };
    outside.push(
      `offset ${item.offset} of ${partitionName(item)}, whose log is ${start} to ${high}`,
    );
    return { ...item, offset, clampedFrom: item.offset };
  });
  if (outside.length === 0 || clamp) return moves;
  const more = outside.length > 1 ? ` (and ${outside.length - 1} more)` : "";
  throw new Failure(
    "record",
    `cannot store ${outside[0]}${more} — use --clamp to store the nearest offset in the log`,
  );
}

/** What a move means for the next reader, in words. */
export function moveNote({ old, offset, clampedFrom }: Move): string {
  const change = old === null
    ? "nothing was stored"
    : offset < old
    ? `${old - offset} to be read again`
    : offset > old
    ? `${offset - old} skipped`
    : "as it is";
  return clampedFrom === null ? change : `${change}; ${clampedFrom} is outside the log`;
}
