import type { Cluster } from "../kafka/cluster.ts";
import { batchesAt } from "./batches.ts";
import { inWords, partitionsText, type Say } from "./findings.ts";
import type { PartitionLog } from "./topic.ts";

/** A reader whose next record is older than this share of the retention may lose it. */
const CLOSE = 0.8;
/** Without a retention to go by: closer to the log's start than this share of the log. */
const CLOSE_TO_START = 0.1;

/** Where a reader stands in one partition. */
export interface Standing extends PartitionLog {
  /** The next offset to read; -1 where none is stored. */
  stored: number;
  /** The age of the next record, milliseconds; null where it is not known. */
  age: number | null;
}

/** Whose offsets are judged, and how they are moved. */
export interface Reader {
  /** `group "loader"`, or `source "crimes"`. */
  name: string;
  /** Moves to the log's start. */
  toEarliest: string;
  /** What happens where nothing is stored. */
  whenNone: string;
}

/**
 * Compares stored offsets, by partition, with what the log still has. `retention` is the topic's
 * retention.ms, null where it is unknown or without limit.
 */
export async function checkOffsets(
  say: Say,
  cluster: Cluster,
  topic: string,
  logs: readonly PartitionLog[],
  stored: ReadonlyMap<number, number>,
  reader: Reader,
  retention: number | null,
): Promise<void> {
  const standings = logs.map((log): Standing => ({
    ...log,
    stored: stored.get(log.partition) ?? -1,
    age: null,
  }));
  if (retention !== null) {
    const behind = standings.filter((s) => s.stored >= s.earliest && s.stored < s.stable);
    const next = behind.map(({ partition, stored }) => ({ topic, partition, offset: stored }));
    const now = Date.now();
    for (const { partition, newest } of await batchesAt(cluster, next)) {
      const standing = behind.find((one) => one.partition === partition);
      if (standing && newest >= 0) standing.age = now - newest;
    }
  }
  judgeOffsets(say, standings, reader, retention);
}

/** Says which offsets are gone, which soon will be, and how far the reader is behind. */
export function judgeOffsets(
  say: Say,
  standings: readonly Standing[],
  { name, toEarliest, whenNone }: Reader,
  retention: number | null,
): void {
  const numbers = (some: Standing[]) => partitionsText(some.map(({ partition }) => partition));
  const none = standings.filter(({ stored }) => stored === -1);
  const some = standings.filter(({ stored }) => stored !== -1);
  const expired = some.filter(({ stored, earliest }) => stored < earliest);
  const beyond = some.filter(({ stored, end }) => stored > end);
  const there = some.filter((s) => !expired.includes(s) && !beyond.includes(s));
  const close = there.filter((standing) => isClose(standing, retention));
  if (expired.length > 0) {
    const [{ partition, stored, earliest }] = expired;
    const lost = expired.reduce((sum, s) => sum + s.earliest - s.stored, 0);
    say(
      "fail",
      `${name}, ${numbers(expired)}: expired: ${lost} offsets were deleted before they were read` +
        ` (partition ${partition} stands at ${stored}, its log starts at ${earliest})`,
      toEarliest,
    );
  }
  if (beyond.length > 0) {
    const [{ partition, stored, end }] = beyond;
    say(
      "fail",
      `${name}, ${numbers(beyond)}: stored beyond the log's end` +
        ` (partition ${partition} stands at ${stored}, its log ends at ${end}): ` +
        "the topic was made anew, or lost records",
      toEarliest,
    );
  }
  if (close.length > 0) {
    const oldest = Math.max(...close.map(({ age }) => age ?? -1));
    const why = retention !== null && oldest >= 0
      ? `the next record is ${inWords(oldest)} old, and the topic keeps ${inWords(retention)}`
      : "the next records are the next that will be deleted";
    say("warn", `${name}, ${numbers(close)}: ${why}`, "load soon, or raise retention.ms");
  }
  if (none.length > 0) {
    say("ok", `${name} has nothing stored for ${numbers(none)}: ${whenNone}`);
  }
  if (there.length > close.length) {
    const lag = there.reduce((sum, s) => sum + Math.max(s.stable - s.stored, 0), 0);
    say("ok", `${name} is ${lag} offsets behind the end of ${numbers(there)}`);
  }
}

function isClose({ earliest, stable, stored, age }: Standing, retention: number | null): boolean {
  if (stored >= stable) return false;
  if (retention !== null && age !== null) return age > CLOSE * retention;
  return earliest > 0 && stored - earliest < CLOSE_TO_START * (stable - earliest);
}
