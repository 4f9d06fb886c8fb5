import type { Cluster } from "../kafka/cluster.ts";
import type { Decoder } from "./decoder.ts";
import type { Inflater } from "./inflater.ts";
import type { ConsumeOptions } from "./options.ts";
import type { Output } from "./output.ts";

/** What one run's readers share. */
export interface Reading {
  cluster: Cluster;
  options: ConsumeOptions;
  decoder: Decoder;
  inflater: Inflater;
  output: Output;
  /** Awaited before rows are written: bad records of their batches are safe elsewhere. */
  settle: () => Promise<void>;
  /** Awaited when the output took rows. */
  written: () => Promise<void>;
  /** When the last records came, as performance.now() tells it. */
  lastRecords: number;
  /** Whether nothing came for as long as the run was told to wait: found by one reader, for all. */
  idle: boolean;
  /** Aborted where the spans are to be left as they are: rows already fetched are written yet. */
  signal?: AbortSignal;
}
