import { Cluster } from "../kafka/cluster.ts";
import type { ClientConfig } from "../kafka/config.ts";
import { partitionName, type TopicPartition } from "../kafka/offsets.ts";
import { fetch } from "../protocol/messages/fetch.ts";
import { findCoordinator } from "../protocol/messages/find_coordinator.ts";
import { listOffsets } from "../protocol/messages/list_offsets.ts";
import { offsetCommit } from "../protocol/messages/offset_commit.ts";
import { offsetFetch } from "../protocol/messages/offset_fetch.ts";
import { produce } from "../protocol/messages/produce.ts";
import { assign } from "./assign.ts";
import { Commits } from "./commits.ts";
import { DeadLetters } from "./dead_letters.ts";
import { type Counts, Decoder } from "./decoder.ts";
import { readSpans } from "./fetch.ts";
import type { ConsumeOptions } from "./options.ts";
import type { OnStop } from "./group.ts";
import { Inflater } from "./inflater.ts";
import { Output } from "./output.ts";
import { plan } from "./plan.ts";
import type { Reading } from "./reading.ts";
import type { Span } from "./span.ts";

/** What a run did. Offsets: `from` the first one read, `to` the next one to read, `end` the snapshot's. */
export interface Summary extends Counts {
  bytes: number;
  seconds: number;
  partitions: {
    topic: string;
    partition: number;
    from: number;
    to: number;
    /** Null where the run had no end. */
    end: number | null;
  }[];
}

/**
 * Reads this process's share of the topics, from each partition's start to the end it had when the
 * run began, and writes the rows to `stream`, which is closed behind the last one. Then, and only
 * then, the offsets are committed. `log` is told of records left out.
 *
 * A member of a group commits at each change of its partitions too, and before the stream is
 * closed; `onStop` is told what it has to do yet where a signal ends the process.
 *
 * Throws Failure; then nothing was committed, but for a failure that says so itself.
 */
export async function consume(
  options: ConsumeOptions,
  config: ClientConfig,
  stream: WritableStream<Uint8Array>,
  log: (line: string) => void,
  onStop: OnStop = () => {},
): Promise<Summary> {
  const started = performance.now();
  const cluster = new Cluster(config, [
    ...[fetch, listOffsets, findCoordinator, offsetFetch, offsetCommit],
    ...(typeof options.badRecord === "object" ? [produce] : []),
  ]);
  const inflater = new Inflater(config.debug);
  try {
    const { deadLetters, decoder } = await decoding(cluster, options, log);
    const partitions = await partitionsOf(cluster, options);
    const output = new Output(stream);
    const reading: Reading = {
      cluster,
      options,
      decoder,
      inflater,
      output,
      settle: () => deadLetters?.flush() ?? Promise.resolve(),
      written: () => Promise.resolve(),
      lastRecords: performance.now(),
      idle: false,
    };
    const spans = await (options.assignment.share === "group"
      // Loaded only where it is used: it brings kafkajs, which takes longer than a whole short run.
      ? (await import("./group.ts")).readAsMember(reading, onStop)
      : readAlone(reading, assign(options, partitions)));
    return {
      ...decoder.counts,
      bytes: output.bytes,
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
    inflater.close();
    cluster.close();
  }
}

/** Reads what is nobody else's to read, and commits when the stream is closed. */
async function readAlone(reading: Reading, partitions: TopicPartition[]): Promise<Span[]> {
  const { cluster, options, output } = reading;
  const spans = await plan(cluster, options, partitions);
  const commits = new Commits(cluster, options, spans);
  await readSpans(
    { ...reading, written: () => commits.inPassing(), lastRecords: performance.now() },
    spans.filter((span) => !span.isFetched),
  );
  await output.close();
  await commits.last();
  return spans;
}

/** The decoder, and where it sends bad records. */
async function decoding(
  cluster: Cluster,
  options: ConsumeOptions,
  log: (line: string) => void,
): Promise<{ decoder: Decoder; deadLetters: DeadLetters | null }> {
  const deadLetters = typeof options.badRecord === "object"
    ? new DeadLetters(cluster, options.badRecord.deadLetter)
    : null;
  await deadLetters?.open();
  const decoder = new Decoder(options, (bad) => {
    deadLetters?.add(bad);
    log(`${partitionName(bad)} offset ${bad.offset}: ${bad.why}; left out`);
  });
  return { decoder, deadLetters };
}

async function partitionsOf(cluster: Cluster, { topics }: ConsumeOptions) {
  const partitions: TopicPartition[] = [];
  for (const topic of topics) {
    for (const { partition } of (await cluster.topic(topic)).partitions) {
      partitions.push({ topic, partition });
    }
  }
  return partitions.sort((a, b) => a.partition - b.partition);
}
