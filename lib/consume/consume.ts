import { Cluster } from "../kafka/cluster.ts";
import type { ClientConfig } from "../kafka/config.ts";
import { partitionName } from "../kafka/partitions.ts";
import { fetch } from "../protocol/messages/fetch.ts";
import { findCoordinator } from "../protocol/messages/find_coordinator.ts";
import { listOffsets } from "../protocol/messages/list_offsets.ts";
import { offsetCommit } from "../protocol/messages/offset_commit.ts";
import { offsetFetch } from "../protocol/messages/offset_fetch.ts";
import { readAlone } from "./alone.ts";
import type { DeadLetters } from "./dead_letters.ts";
import { type Counts, RowContext } from "./row_context.ts";
import { type ConsumeOptions, isStructured } from "./options.ts";
import type { BeforeExit } from "./group.ts";
import { Losses } from "./lost.ts";
import { Output } from "./output.ts";
import type { Run } from "./reading.ts";
import type { Structure } from "./structure.ts";
import { topicNames } from "./topics.ts";
import type { Registry } from "../registry/registry.ts";

/**
 * What a run did. Offsets: `from` the first one read, `to` the next one to read, `end` the
 * snapshot's.
 */
export interface Summary extends Counts {
  bytes: number;
  /** Offsets skipped because their records are lost: only with --on-lost earliest or latest. */
  lost: number;
  seconds: number;
  /** The paths of structured values that no row had a field for, if there are any. */
  neverMet?: string[];
  partitions: {
    topic: string;
    partition: number;
    from: number;
    to: number;
    /** Null if the run had no end. */
    end: number | null;
  }[];
}

/**
 * Reads this process's share of the topics, from each partition's start to the end it had when the
 * run began, and writes the rows to `stream`, which is closed after the last one. Then, and only
 * then, the offsets are committed. `log` gets a line for each record left out, for each loss, and
 * for a leader that is away for long.
 *
 * A member of a group commits at each change of its partitions too, and before the stream is
 * closed; `beforeExit` gets what it still has to do if a signal ends the process.
 *
 * Throws Failure; then nothing was committed, unless its message says so.
 */
export async function consume(
  options: ConsumeOptions,
  config: ClientConfig,
  stream: WritableStream<Uint8Array>,
  log: (line: string) => void,
  beforeExit: BeforeExit = () => {},
): Promise<Summary> {
  const started = performance.now();
  const cluster = new Cluster(config, [
    ...[fetch, listOffsets, findCoordinator, offsetFetch, offsetCommit],
    ...(typeof options.badRecord === "object"
      ? [(await import("../protocol/messages/produce.ts")).produce]
      : []),
  ]);
  let registry: Registry | null = null;
  try {
    options = { ...options, topics: await topicNames(cluster, options) };
    let structure: Structure = { key: null, value: null };
    if (options.key !== null || isStructured(options.value)) {
      const { openStructure } = await import("./structure.ts");
      ({ structure, registry } = await openStructure(options, config.debug));
    }
    const { deadLetters, context } = await rowContext(cluster, options, structure, log);
    const output = new Output(stream);
    const losses = new Losses(log);
    const run: Run = {
      cluster,
      options,
      context,
      output,
      losses,
      warn: log,
      settle: () => deadLetters?.flush() ?? Promise.resolve(),
    };
    const spans = await (options.assignment.share === "group"
      // Loaded only if it is used: it loads kafkajs, which takes longer than a whole short run.
      ? (await import("./group.ts")).readAsMember(run, beforeExit)
      : readAlone(run));
    const { neverMet } = context.format;
    return {
      ...context.counts,
      ...(neverMet.length > 0 && context.counts.records > 0 ? { neverMet } : {}),
      bytes: output.bytes,
      lost: losses.skipped,
      seconds: Math.round(performance.now() - started) / 1000,
      partitions: spans.map(({ topic, partition, from, written, end }) => ({
        topic,
        partition,
        from,
        to: written,
        end: end === Infinity ? null : end,
      })),
    };
  } finally {
    registry?.close();
    cluster.close();
  }
}

/** What the rows of a run are made with, and where bad records go. */
async function rowContext(
  cluster: Cluster,
  options: ConsumeOptions,
  structure: Structure,
  log: (line: string) => void,
): Promise<{ context: RowContext; deadLetters: DeadLetters | null }> {
  const deadLetters = typeof options.badRecord === "object"
    ? new (await import("./dead_letters.ts")).DeadLetters(cluster, options.badRecord.deadLetter)
    : null;
  await deadLetters?.open();
  const context = new RowContext(options, (bad) => {
    deadLetters?.add(bad);
    log(`${partitionName(bad)} offset ${bad.offset}: ${bad.why}; left out`);
  }, structure);
  return { context, deadLetters };
}
