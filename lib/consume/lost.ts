import { Failure } from "../failure.ts";
import type { Cluster } from "../kafka/cluster.ts";
import { lookUpPositions } from "../kafka/offsets.ts";
import { partitionName, type TopicPartition } from "../kafka/partitions.ts";
import { EARLIEST, type Isolation, LATEST } from "../protocol/messages/list_offsets.ts";
import type { ConsumeOptions } from "./options.ts";

/** A partition's first offset, where readers of the isolation end, and its high watermark. */
export interface Log {
  earliest: number;
  end: number;
  last: number;
  /** The leader's epoch; -1 if it is not known. */
  leaderEpoch: number;
}

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

/** Asks for the partitions' logs as they are now. Throws Failure. */
export async function logsOf(
  cluster: Cluster,
  isolation: Isolation,
  partitions: readonly TopicPartition[],
): Promise<Log[]> {
  const at = (isolation: Isolation, timestamp: number) =>
    lookUpPositions(cluster, isolation, partitions.map((p) => ({ ...p, timestamp })));
  const [earliest, end, last] = await Promise.all([
    at(isolation, EARLIEST),
    at(isolation, LATEST),
    // Between the last stable offset and the high watermark is nothing to read yet, but an offset
    // there is not a lost one.
    isolation === "read_committed" ? at("read_uncommitted", LATEST) : null,
  ]);
  return partitions.map((_, i) => {
    const first = earliest[i].offset;
    return {
      earliest: first,
      // Records may be deleted between two answers, and a transaction end.
      end: Math.max(first, end[i].offset),
      last: Math.max(first, end[i].offset, last?.[i].offset ?? 0),
      leaderEpoch: end[i].leaderEpoch,
    };
  });
}

/**
 * Where to go on if the offset wanted is not in the log; null if it is. Throws Failure (record)
 * if `onLost` is not to go on.
 */
export function resume(
  partition: TopicPartition,
  wanted: Wanted,
  log: Log,
  onLost: ConsumeOptions["onLost"],
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
  const offset = onLost === "latest" ? log.end : Math.max(log.earliest, Math.min(unread, log.end));
  return { offset, skipped: Math.max(0, offset - unread), why: `${failed} ${why}` };
}

/** What became of an offset that is not in the log, and the first one that was not read before. */
function missing(
  { offset, change, shared }: Wanted,
  log: Log,
): { why: string; unread: number } | null {
  const has = `the log has ${log.earliest} to ${log.last}`;
  if (change !== null) {
    return { why: `belongs to another log (${change}; ${has})`, unread: log.earliest };
  }
  if (offset > shared) {
    const why = `belongs to records that were replaced (the log was truncated at ${shared} by an ` +
      `unclean leader election; ${has})`;
    return { why, unread: Math.max(shared, log.earliest) };
  }
  if (offset > log.last) {
    const why = `does not exist (${has}): the topic was recreated, or its log was truncated`;
    return { why, unread: log.earliest };
  }
  if (offset < log.earliest) {
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
