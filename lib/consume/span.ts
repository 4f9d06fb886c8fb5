import type { TopicPartition } from "../kafka/offsets.ts";

/** The offsets of one partition that a run reads, and how far it is. */
export class Span implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  /** The first offset, and the first one that is not read any more. */
  readonly from: number;
  readonly end: number;
  /** The next offset to ask the broker for. */
  fetched: number;
  /** Whether that is where a batch ended, so that none can begin before it. */
  isBetweenBatches = false;
  /** The next offset to turn into a row: all before it are rows, or left out and counted. */
  done: number;
  /** All before it are rows that the output took. */
  written: number;

  constructor({ topic, partition }: TopicPartition, from: number, end: number) {
    this.topic = topic;
    this.partition = partition;
    this.from = from;
    this.end = end;
    this.fetched = from;
    this.done = from;
    this.written = from;
  }

  /** Whether there is nothing more to ask for. */
  get isFetched(): boolean {
    return this.fetched >= this.end;
  }

  /** Goes on at another offset: what lies between is gone. */
  jump(offset: number): void {
    this.fetched = offset;
    this.isBetweenBatches = false;
    this.done = offset;
  }
}
