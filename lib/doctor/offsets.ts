import type { Cluster } from "../kafka/cluster.ts";
import { type LogChange, UNCHANGED } from "../kafka/log_changes.ts";
import type { LogOfPartition } from "../kafka/logs.ts";
import { batchesAt } from "./batches.ts";
import { inWords } from "../text.ts";
import { partitionsText, type Say } from "./findings.ts";
import type { KnownSource } from "./source.ts";

/** A reader whose next record is older than this share of the retention may lose it. */
const CLOSE = 0.8;
/** Without a retention to go by: closer to the log's start than this share of the log. */
const CLOSE_TO_START = 0.1;

/** Where a reader stands in one partition. */
export interface Standing extends LogOfPartition {
  /** The next offset to read; -1 if none is stored. */
  stored: number;
  /** What became of the log since. */
  change: LogChange;
  /** The age of the next record, milliseconds; null if it is not known. */
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
  /** Whether the plan of the next load has already reported what is gone. */
  isPlanned: boolean;
}

/** Where a reader stands, by partition. */
export interface StoredOffsets {
  stored: ReadonlyMap<number, number>;
  /** What became of the logs since. */
  changes: ReadonlyMap<number, LogChange>;
}

/** The reader that a source is, or a group; of one of a source's topics. */
export function readerOf(source: KnownSource | null, group: string, topic: string): Reader {
  if (source === null) {
    return {
      name: `group "${group}"`,
      toEarliest: "--on-lost earliest, or gpdb-kafka offsets reset --to earliest, continues with " +
        "what is left",
      whenNone: "the first run starts at --fallback",
      isPlanned: false,
    };
  }
  const place = source.topic === null ? `${topic}:earliest` : "earliest";
  return {
    name: `source "${source.name}"`,
    toEarliest: `SELECT kafka.seek('${source.name}', '${place}') continues with what is left`,
    whenNone: "the fallback of the source decides where the first load starts",
    isPlanned: true,
  };
}

/**
 * Compares stored offsets with what the log still has. `retention` is the topic's retention.ms,
 * null if it is unknown or without limit.
 */
export async function checkOffsets(
  say: Say,
  cluster: Cluster,
  logs: readonly LogOfPartition[],
  { stored, changes }: StoredOffsets,
  reader: Reader,
  retention: number | null,
): Promise<void> {
  const standings = logs.map((log): Standing => ({
    ...log,
    stored: stored.get(log.partition) ?? -1,
    change: changes.get(log.partition) ?? UNCHANGED,
    age: null,
  }));
  if (retention !== null) {
    const behind = standings.filter((s) => s.stored >= s.start && s.stored < s.stable);
    const next = behind.map(({ topic, partition, stored }) => ({
      topic,
      partition,
      offset: stored,
    }));
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
  { name, toEarliest, whenNone, isPlanned }: Reader,
  retention: number | null,
): void {
  const numbers = (some: Standing[]) => partitionsText(some.map(({ partition }) => partition));
  const none = standings.filter(({ stored }) => stored === -1);
  const some = standings.filter(({ stored }) => stored !== -1);
  const recreated = some.filter(({ change }) => change.other !== null);
  const same = some.filter((s) => !recreated.includes(s));
  const expired = same.filter(({ stored, start }) => stored < start);
  const beyond = same.filter(({ stored, high }) => stored > high);
  const inside = same.filter((s) => !expired.includes(s) && !beyond.includes(s));
  const cut = inside.filter(({ stored, change }) => change.shared < stored);
  const there = inside.filter((s) => !cut.includes(s));
  const close = there.filter((standing) => isClose(standing, retention));
  if (recreated.length > 0) {
    say("fail", `${name}, ${numbers(recreated)}: ${recreated[0].change.other}`, toEarliest);
  }
  if (cut.length > 0) {
    const [{ partition, stored, change }] = cut;
    say(
      "fail",
      `${name}, ${
        numbers(cut)
      }: the log was truncated (partition ${partition} stands at ${stored},` +
        ` the log it has read ends at ${change.shared}): some records written since were not read`,
      toEarliest,
    );
  }
  if (expired.length > 0 && !isPlanned) {
    const [{ partition, stored, start }] = expired;
    const lost = expired.reduce((sum, s) => sum + s.start - s.stored, 0);
    say(
      "fail",
      `${name}, ${numbers(expired)}: expired: ${lost} offsets were deleted before they were read` +
        ` (partition ${partition} stands at ${stored}, its log starts at ${start})`,
      toEarliest,
    );
  }
  if (beyond.length > 0 && !isPlanned) {
    const [{ partition, stored, high }] = beyond;
    say(
      "fail",
      `${name}, ${numbers(beyond)}: the stored offset is past the end of the log` +
        ` (partition ${partition} stands at ${stored}, its log ends at ${high}): ` +
        "the topic was recreated, or lost records",
      toEarliest,
    );
  }
  if (close.length > 0) {
    const oldest = Math.max(...close.map(({ age }) => age ?? -1));
    const why = retention !== null && oldest >= 0
      ? `the next record is ${inWords(oldest)} old, and the topic keeps ${inWords(retention)}`
      : "the next records to read are the next to be deleted";
    say("warn", `${name}, ${numbers(close)}: ${why}`, "load soon, or raise retention.ms");
  }
  if (none.length > 0) {
    say("ok", `${name} has no stored offset for ${numbers(none)}: ${whenNone}`);
  }
  if (there.length > close.length) {
    const lag = there.reduce((sum, s) => sum + Math.max(s.stable - s.stored, 0), 0);
    say("ok", `${name} is ${lag} offsets behind the end of ${numbers(there)}`);
  }
}

function isClose({ start, stable, stored, age }: Standing, retention: number | null): boolean {
  if (stored >= stable) return false;
  if (retention !== null && age !== null) return age > CLOSE * retention;
  return start > 0 && stored - start < CLOSE_TO_START * (stable - start);
}
