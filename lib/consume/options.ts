import type { LogIdentity } from "../kafka/log_identity.ts";
import type { CsvDialect } from "../records/dialect.ts";
import type { Isolation } from "../protocol/messages/list_offsets.ts";
import type { Path } from "../records/paths.ts";
import type { SchemaFile } from "../records/schema_form.ts";
import type { RegistryConfig } from "../registry/config.ts";

/** Where reading starts. `back`: that many offsets before the end; `time`: epoch milliseconds. */
export type Start =
  | { at: "stored" | "earliest" | "latest" }
  | { at: "offset"; offset: number }
  | { at: "back"; count: number }
  | { at: "time"; time: number };

/** Offsets from <= x < to of one partition. */
export interface Range {
  /** Absent: of the run's only topic. */
  topic?: string;
  partition: number;
  from: number;
  to: number;
  /** The log that these offsets are of, if that is known: no other is read. */
  log?: LogIdentity;
}

/** Which partitions are read: all, the i-th of every n, or what the group gives to its member. */
export type Assignment =
  | { share: "all" }
  | { share: "slot"; index: number; count: number }
  | { share: "group" };

/** A field before the value. */
export type ColumnName =
  | "partition"
  | "offset"
  | "timestamp"
  | "key"
  | "topic"
  | "headers"
  | "key:hex"
  | "tombstone"
  | "schema"
  | { header: string };

/** A format whose fields become columns. */
export const structuredForms = ["json", "avro", "protobuf"] as const;
export type StructuredForm = typeof structuredForms[number];

export function isStructured(form: string): form is StructuredForm {
  return structuredForms.some((one) => one === form);
}

/** What is done with a record that is not a valid row. */
export type BadRecordAction = "fail" | "skip" | "pass" | { deadLetter: string };

/**
 * When a run ends: at the ends the partitions had at its start, never, or when nothing came for
 * this long.
 */
export type Until = "end" | "forever" | { idle: number };

/** What a run of the consumer does; `lib/cli/flags/consume.ts` makes it from the command line. */
export interface ConsumeOptions {
  /** With a pattern: none, or those that it matches when the run starts. */
  topics: string[];
  /** Instead of names: all topics that it matches, also those that are created meanwhile. */
  topicPattern?: RegExp;
  group: string;
  start: Start;
  /** Where to start when the group has stored no offset of the topic: its first run. */
  fallback: "earliest" | "latest" | "fail";
  /** Where to continue when the offset no longer exists. */
  onLost: "earliest" | "latest" | "fail";
  assignment: Assignment;
  /** Only these partitions; null for all. */
  partitions: number[] | null;
  /** Instead of start and snapshot end: exactly these offsets. */
  ranges: Range[] | null;
  /** Records at most that become rows; Infinity for no limit. */
  maxRecords: number;
  commit: boolean;
  isolation: Isolation;
  badRecord: BadRecordAction;
  /** The value as it is, which is one row or several; as a quoted CSV field; as hex digits after `\\x`. */
  value: "row" | "rows" | "field" | "hex" | StructuredForm;
  /** The dialect of CSV that rows are in, which are rewritten; null: they are as they should be. */
  csv: CsvDialect | null;
  /** The fields of a structured value, after those of the key. */
  fields: readonly Path[];
  /** What keys are, if fields of theirs are columns. */
  key: StructuredForm | null;
  keyFields: readonly Path[];
  /** Where the schemas of frames are. */
  registry: RegistryConfig | null;
  /** The schema of values without a frame. */
  schema: SchemaFile | null;
  columns: ColumnName[];
  until: Until;
  /** Where this process runs (KIP-392): partitions are read from replicas there. Empty: from leaders. */
  rack: string;
  /** How often a run without an end looks for new partitions and topics, milliseconds. */
  metadataMaxAge: number;
  tombstones: "skip" | "empty" | "row";
  checkCrcs: boolean;
  /** What may be in memory of all that is fetched and made of it, bytes. */
  memoryMax: number;
  /** Bytes asked of one broker at a time, if not as many as are fastest. */
  fetchMax?: number;
}
