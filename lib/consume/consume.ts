import { Cluster } from "../kafka/cluster.ts";
import type { ClientConfig } from "../kafka/config.ts";
import { commitOffsets, type TopicPartition } from "../kafka/offsets.ts";
import { fetch } from "../protocol/messages/fetch.ts";
import { findCoordinator } from "../protocol/messages/find_coordinator.ts";
import { listOffsets } from "../protocol/messages/list_offsets.ts";
import { offsetCommit } from "../protocol/messages/offset_commit.ts";
import { offsetFetch } from "../protocol/messages/offset_fetch.ts";
import { assign } from "./assign.ts";
import { readSpans } from "./fetch.ts";
import type { ConsumeOptions } from "./options.ts";
import { Output } from "./output.ts";
import { plan } from "./plan.ts";
import { type Counts, RowDecoder } from "./rows.ts";

/** What a run did. Offsets: `from` the first one read, `to` the next one to read, `end` the snapshot's. */
export interface Summary extends Counts {
  bytes: number;
  seconds: number;
  partitions: { topic: string; partition: number; from: number; to: number; end: number }[];
}

/**
 * Reads this process's share of the topics, from each partition's start to the end it had when the
 * run began, and writes the rows to `stream`, which is closed behind the last one. Then, and only
 * then, the offsets are committed. `log` is told of records left out.
 *
 * Throws Failure; then nothing was committed, but for a failure that says so itself.
 */
export async function consume(
  options: ConsumeOptions,
  config: ClientConfig,
  stream: WritableStream<Uint8Array>,
  log: (line: string) => void,
): Promise<Summary> {
  const started = performance.now();
  const cluster = new Cluster(config, [
    fetch,
    listOffsets,
    findCoordinator,
    offsetFetch,
    offsetCommit,
  ]);
  try {
    const partitions: TopicPartition[] = [];
    for (const topic of options.topics) {
      for (const { partition } of (await cluster.topic(topic)).partitions) {
        partitions.push({ topic, partition });
      }
    }
    partitions.sort((a, b) => a.partition - b.partition);
    const spans = await plan(cluster, options, assign(options, partitions));
    const output = new Output(stream);
    const decoder = new RowDecoder(options, log);
    const unread = spans.filter((span) => span.done < span.end);
    await readSpans({ cluster, options, decoder, output }, unread);
    await output.close();
    if (options.commit) {
      // Offsets that did not move too: a stored offset that is not renewed expires in the end.
      const offsets = spans.map(({ topic, partition, done }) => ({
        topic,
        partition,
        offset: done,
      }));
      await commitOffsets(cluster, options.group, offsets);
    }
    return {
      ...decoder.counts,
      bytes: output.bytes,
      seconds: Math.round(performance.now() - started) / 1000,
      partitions: spans.map(({ topic, partition, from, done, end }) => ({
        topic,
        partition,
        from,
        to: done,
        end,
      })),
    };
  } finally {
    cluster.close();
  }
}
