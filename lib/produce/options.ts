import type { Codec } from "../protocol/record_batch.ts";

/** What a run of the producer does; `lib/cli/flags/produce.ts` makes it from the command line. */
export interface ProduceOptions {
  topic: string;
  /** Read one after the other; none: stdin. */
  files: readonly string[];
  /** `skip`: the first row of each input is left out. */
  header: "skip" | "none";
  /** What ends a row. `csv`: a newline, but not one between quotes. */
  split: "line" | "csv" | "nul";
  /**
   * A row's key: what is before its first delimiter byte (a row without one has none), or the
   * CSV field of that number, from 1 (an empty one is not a key). Null: no keys.
   */
  key: { delimiter: number } | { column: number } | null;
  /** The one partition that all rows go to. */
  partition: number | null;
  /** Whether a key chooses the partition. */
  partitioner: "murmur2" | "sticky";
  codec: Codec;
  /** -1: all in-sync replicas have a batch when it counts as delivered; 1: the leader has it. */
  acks: -1 | 1 | 0;
  /** Whether the brokers leave out what a retry sends again. Needs acks -1. */
  idempotent: boolean;
  /** A row that can't be a record. */
  badRecord: "fail" | "skip";
  /** Rows a second at most; Infinity for no limit. */
  rate: number;
  /** A pause of `pause` milliseconds after every `batchRows` rows; Infinity rows for none. */
  batchRows: number;
  pause: number;
  /** Read, split and batch as always, but send nothing. */
  dryRun: boolean;
}
