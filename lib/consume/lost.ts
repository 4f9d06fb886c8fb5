import { Failure } from "../failure.ts";
import { logEnd, type PartitionLog } from "../kafka/logs.ts";
import { partitionName, type TopicPartition } from "../kafka/partitions.ts";
import type { ConsumeOptions } from "./options.ts";

/** An offset to read on from. */
export interface Wanted {
  offset: number;
  /** Why it is one of another log than there is now; null if nothing says so. */
  change: string | null;
  /**
   * Up to which offset the log is the one it was stored for; Infinity if nothing says otherwise.
   */
  shared: number;
}

/** Where reading goes on if an offset is lost. */
export interface Resumed {
  offset: number;
  /** How many offsets are skipped that were not read. */
  skipped: number;
  /** What became of the offset, for people. */
  why: string;
}

/**
 * Where to go on if the offset wanted is not in the log; null if it is. Throws Failure (record)
 * if `onLost` is not to go on.
 */
export function resume(
  partition: TopicPartition,
  wanted: Wanted,
  log: PartitionLog,
  { onLost, isolation }: Pick<ConsumeOptions, "onLost" | "isolation">,
): Resumed | null {
  const found = missing(wanted, log);
  if (found === null) return null;
  const { why, unread } = found;
  const failed = `offset ${wanted.offset} of ${partitionName(partition)}`;
  if (onLost === "fail") {
    throw new Failure(
      "record",
      `${failed} ${why} — use --on-lost earliest or latest to continue with what the log has now`,
    );
  }
  const end = logEnd(log, isolation);
  const offset = onLost === "latest" ? end : Math.max(log.start, Math.min(unread, end));
  return { offset, skipped: Math.max(0, offset - unread), why: `${failed} ${why}` };
}

/** What became of an offset that is not in the log, and the first one that was not read before. */
function missing(
  { offset, change, shared }: Wanted,
  log: PartitionLog,
): { why: string; unread: number } | null {
  const has = `the log has ${log.start} to ${log.high}`;
  if (change !== null) {
    return { why: `belongs to another log (${change}; ${has})`, unread: log.start };
  }
  if (offset > shared) {
    const why = `belongs to records that were replaced (the log was truncated at ${shared} by an ` +
      `unclean leader election; ${has})`;
    return { why, unread: Math.max(shared, log.start) };
  }
  // Between the last stable offset and the high watermark is nothing to read yet, but an offset
  // there is not a lost one.
  if (offset > log.high) {
    const why = `does not exist (${has}): the topic was recreated, or its log was truncated`;
    return { why, unread: log.start };
  }
  if (offset < log.start) {
    return { why: `does not exist (${has}): the records were deleted`, unread: offset };
  }
  return null;
}

/** The offsets that a run skips because they are lost: counted, and reported one by one. */
export class Losses {
  /** How many were skipped so far. */
  skipped = 0;
  readonly #warn: (line: string) => void;

  constructor(warn: (line: string) => void) {
    this.#warn = warn;
  }

  add({ offset, skipped, why }: Resumed): void {
    this.skipped += skipped;
    this.#warn(`${why}; ${skipped} offsets were skipped; reading continues at offset ${offset}`);
  }
}
