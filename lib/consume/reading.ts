import type { Cluster } from "../kafka/cluster.ts";
import { patientNow } from "../kafka/throttle.ts";
import type { RowContext } from "./row_context.ts";
import type { Losses } from "./lost.ts";
import type { ConsumeOptions } from "./options.ts";
import type { Output } from "./output.ts";

/** What a whole run shares. */
export interface Run {
  readonly cluster: Cluster;
  readonly options: ConsumeOptions;
  readonly context: RowContext;
  readonly output: Output;
  readonly losses: Losses;
  /** Gets lines that people should see. */
  readonly warn: (line: string) => void;
  /** Awaited before rows are written: bad records of their batches are safe elsewhere. */
  readonly settle: () => Promise<void>;
}

/**
 * What the readers of some partitions share at the same time; one object, which is never copied.
 */
export interface Reading extends Run {
  /** Awaited when the output has accepted rows. */
  readonly written: () => Promise<void>;
  /** Aborted if the spans are to be left as they are: rows being made are still written. */
  readonly signal?: AbortSignal;
  /** When the last records came, by patientNow(). */
  lastRecords: number;
  /** Whether nothing came for as long as the run was to wait: found by one reader, for all. */
  idle: boolean;
}

/** Begins to read: nothing came yet, and the time to wait for something begins now. */
export function newReading(
  run: Run,
  written: () => Promise<void>,
  signal?: AbortSignal,
): Reading {
  return { ...run, written, signal, lastRecords: patientNow(run.cluster.config), idle: false };
}
