import type { WrittenSchema } from "./written_schema.ts";
import type { Codec } from "../protocol/record_batch.ts";

/**
 * What a record's value is. `row`: the row as it stands; `field`: the text of its only column that is
 * left; `hex`: the bytes that this column has as `\\x` and digits; `json`: an object of its columns;
 * `avro`: a record of them.
 */
export type ValueForm = "row" | "field" | "hex" | "json" | "avro";

/** What a column becomes in JSON. */
export const columnTypes = ["text", "number", "boolean", "json"] as const;
export type ColumnType = typeof columnTypes[number];

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
   * CSV field of that number, from 1 (an empty one is not a key), which `cut` leaves out of the
   * value. Null: no keys.
   */
  key: { delimiter: number } | { column: number; cut: boolean } | null;
  /** CSV fields, by their number from 1, that are headers instead of part of the value. */
  headerColumns: readonly { name: string; column: number }[];
  /** Whether an empty value is a null one, if its record has a key. */
  tombstones: boolean;
  value: ValueForm;
  /** The columns of a row, in their order, if `value` needs their names. */
  columns: readonly { name: string; type: ColumnType }[];
  /** What an Avro value is written by. */
  schema: WrittenSchema | null;
  /** The one partition that all rows go to. */
  partition: number | null;
  /** Whether a key chooses the partition. */
  partitioner: "murmur2" | "sticky";
  codec: Codec;
  /** How hard gzip tries, from 0 to 9; undefined: the default. */
  level?: number;
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
