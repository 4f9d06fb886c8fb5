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
  /** The next offset to turn into a row: all before it are written, or left out and counted. */
  done: number;

  constructor({ topic, partition }: TopicPartition, from: number, end: number) {
    this.topic = topic;
    this.partition = partition;
    this.from = from;
    this.end = end;
    this.fetched = from;
    this.done = from;
  }

  /** Goes on at another offset: what lies between is gone. */
  jump(offset: number): void {
    this.fetched = offset;
    this.done = offset;
  }
}
