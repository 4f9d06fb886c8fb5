import type { LogChange } from "../kafka/log_changes.ts";
import type { PartitionLog } from "../kafka/logs.ts";
import type { TopicPartition } from "../kafka/partitions.ts";
import type { SourcePlace } from "../load/source.ts";
import { behind } from "./behind.ts";

/** Where a reader and a partition's log stood at one time. */
export interface LagPoint extends TopicPartition {
  readonly log: PartitionLog;
  /** Of the log, since the offset in Kafka was stored. */
  readonly change: LogChange;
  /** In Kafka; null if nothing is stored. */
  readonly stored: number | null;
  /** In the database; null if it was not asked. */
  readonly database: SourcePlace | null;
}

/** All partitions at one time. */
export interface LagSample {
  /** Epoch milliseconds. */
  readonly time: number;
  readonly points: readonly LagPoint[];
}

/** What changed a second; null if it is not known, or has no meaning: the reader went back. */
export interface Speed {
  /** Offsets written a second. */
  in: number | null;
  /** Offsets read a second. */
  out: number | null;
  /** Seconds until nothing is left at these speeds; Infinity: never. Null: not known. */
  catchUp: number | null;
}

export interface PartitionLag extends LagPoint, Speed {
  readonly lag: number;
  /** Of the database; null without one. */
  readonly databaseLag: number | null;
  readonly note: string;
}

/** A sample with what it means beside the samples before it. */
export interface LagReport extends Speed {
  readonly time: number;
  readonly partitions: readonly PartitionLag[];
  readonly lag: number;
  /** Null without a database. */
  readonly databaseLag: number | null;
}

/**
 * What the last of some samples says. Speeds are taken between the first and the last: readers
 * commit now and then, and from one sample to the next they would seem to jump. With a database its
 * offsets are the ones that count, Kafka's are their late mirror.
 */
export function reportLag(samples: readonly LagSample[], hasDatabase: boolean): LagReport {
  const first = samples[0];
  const last = samples[samples.length - 1];
  const seconds = (last.time - first.time) / 1000;
  const partitions = last.points.map((point): PartitionLag => {
    const { lag, note } = behind(point.stored, point.log, point.change);
    const { database } = point;
    const before = first.points.find(({ topic, partition }) =>
      topic === point.topic && partition === point.partition
    );
    const at = (p: LagPoint) => hasDatabase ? p.database?.offset ?? null : p.stored;
    const written = before ? point.log.stable - before.log.stable : null;
    const read = before ? passed(at(before), at(point), before.log) : null;
    return {
      ...point,
      lag,
      databaseLag: database?.lag ?? null,
      note: database ? placeNote(database) : note,
      ...speed(perSecond(written, seconds), perSecond(read, seconds), database?.lag ?? lag),
    };
  });
  const sum = (of: (p: PartitionLag) => number | null) =>
    partitions.reduce((total, p) => total + (of(p) ?? 0), 0);
  // What is not known of some partitions can't be summed up, but of those that nothing moves.
  const total = (of: (p: PartitionLag) => number | null) =>
    partitions.every((p) => of(p) === null) ? null : sum(of);
  const lag = sum((p) => p.lag);
  const databaseLag = hasDatabase ? sum((p) => p.databaseLag) : null;
  return {
    time: last.time,
    partitions,
    lag,
    databaseLag,
    ...speed(total((p) => p.in), total((p) => p.out), databaseLag ?? lag),
  };
}

function placeNote({ offset, lost }: SourcePlace): string {
  return offset === null ? "nothing stored" : lost > 0 ? `${lost} deleted unread` : "";
}

/** Offsets that a reader passed; who has nothing stored starts at the log's start, or not yet. */
function passed(from: number | null, to: number | null, log: PartitionLog): number | null {
  if (to === null) return from === null ? 0 : null;
  return to - (from ?? log.start);
}

function perSecond(count: number | null, seconds: number): number | null {
  return count === null || count < 0 || seconds <= 0 ? null : count / seconds;
}

function speed(written: number | null, read: number | null, lag: number): Speed {
  return { in: written, out: read, catchUp: catchUp(written, read, lag) };
}

function catchUp(written: number | null, read: number | null, lag: number): number | null {
  if (lag === 0) return 0;
  if (written === null || read === null) return null;
  return read > written ? lag / (read - written) : Infinity;
}
