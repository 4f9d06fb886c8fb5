import type { LogIdentity } from "../kafka/log_identity.ts";
import { partitionName, type TopicPartition } from "../kafka/partitions.ts";
import { ProtocolError } from "../protocol/errors.ts";

/** What a span is read for beside its offsets; see {@link Span}. */
export interface SpanNotes {
  /** The leader epoch of what comes before its start; -1 if it is not known. */
  leaderEpoch?: number;
  /** What identifies its log. */
  identity?: LogIdentity;
  /** Committed with its offset. */
  metadata?: string;
  /** Whether the group has no offset for it, and the fallback says where it starts. */
  isFallback?: boolean;
}

/** The offsets of one partition that a run reads, and how far it is. */
export class Span implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  /** The first offset, and the first one that is not read any more. */
  readonly from: number;
  readonly end: number;
  notes: SpanNotes;
  /** The next offset to ask the broker for. */
  fetched: number;
  /** Whether that is where a batch ended, so that none can begin before it. */
  isBetweenBatches = false;
  /** The next offset to turn into a row: all before it are rows, or left out and counted. */
  done: number;
  /** All before it are rows that the output has accepted. */
  written: number;
  /** The highest leader epoch of the batches fetched; -1 if none is known. */
  leaderEpoch: number;
  /** How many answers in a row had nothing from {@link fetched} on, though its end is past it. */
  empty = 0;
  /** When a broker has last answered what it has, by patientNow(). */
  answered = -Infinity;
  /** Whether its leader was lost, and the log of the next one may be another. */
  isDoubted = false;

  constructor(
    { topic, partition }: TopicPartition,
    from: number,
    end: number,
    notes: SpanNotes = {},
  ) {
    this.topic = topic;
    this.partition = partition;
    this.from = from;
    this.end = end;
    this.notes = notes;
    this.fetched = from;
    this.done = from;
    this.written = from;
    this.leaderEpoch = notes.leaderEpoch ?? -1;
  }

  /** Whether there is nothing more to ask for. */
  get isFetched(): boolean {
    return this.fetched >= this.end;
  }

  /** Continues at another offset: what is between does not exist. */
  jump(offset: number): void {
    this.fetched = offset;
    this.isBetweenBatches = false;
    this.done = offset;
    this.empty = 0;
  }
}

/** The span that something came for. Throws ProtocolError if none was asked for. */
export function spanOf(spans: readonly Span[], came: TopicPartition): Span {
  const span = spans.find((s) => s.partition === came.partition && s.topic === came.topic);
  if (!span) throw new ProtocolError(`a broker sent ${partitionName(came)}, not asked for`);
  return span;
}
