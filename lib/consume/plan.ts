import { Failure } from "../failure.ts";
import type { Cluster } from "../kafka/cluster.ts";
import {
  lookUpOffsets,
  partitionName,
  storedOffsets,
  type TopicPartition,
} from "../kafka/offsets.ts";
import { EARLIEST, LATEST } from "../protocol/messages/list_offsets.ts";
import type { ConsumeOptions } from "./options.ts";
import { Span } from "./span.ts";

/**
 * Where each partition is read from and to. The end is taken once, here: the last stable offset
 * (the high watermark under read_uncommitted). Throws Failure where a start can't be had.
 */
export async function plan(
  cluster: Cluster,
  options: ConsumeOptions,
  partitions: readonly TopicPartition[],
): Promise<Span[]> {
  if (partitions.length === 0) return [];
  const { ranges, start, isolation } = options;
  const at = (timestamp: number) =>
    lookUpOffsets(cluster, isolation, partitions.map((p) => ({ ...p, timestamp })));
  const [earliest, end, wanted] = await Promise.all([
    at(EARLIEST),
    at(LATEST),
    start.at === "stored" && ranges === null
      ? storedOffsets(cluster, options.group, partitions)
      : start.at === "time"
      ? at(start.time)
      : null,
  ]);
  // Between the last stable offset and the high watermark is nothing to read yet, but a start
  // there is no lost one.
  const beyond = (wanted ?? []).some((offset, i) => offset > end[i]);
  const last = beyond && isolation === "read_committed"
    ? await lookUpOffsets(
      cluster,
      "read_uncommitted",
      partitions.map((p) => ({ ...p, timestamp: LATEST })),
    )
    : end;
  return partitions.map((partition, i) => {
    const log: Log = { earliest: earliest[i], end: end[i], last: last[i] };
    if (ranges !== null) {
      const { from, to } = ranges.find((range) => range.partition === partition.partition)!;
      return rangeSpan(partition, from, to, log, options);
    }
    const from = startOf(partition, log, wanted?.[i] ?? -1, options);
    return new Span(partition, from, options.until === "end" ? Math.max(from, log.end) : Infinity);
  });
}

/** A partition's first offset, its snapshot end, and its high watermark. */
interface Log {
  earliest: number;
  end: number;
  last: number;
}

function startOf(
  partition: TopicPartition,
  log: Log,
  wanted: number,
  { start, group, fallback, onLost }: ConsumeOptions,
): number {
  switch (start.at) {
    case "earliest":
      return log.earliest;
    case "latest":
      return log.end;
    case "back":
      return Math.max(log.earliest, log.end - start.count);
    case "time":
      // No record is as late: nothing to read.
      return wanted === -1 ? log.end : Math.min(wanted, log.end);
    case "offset":
      return existing(partition, start.offset, log, onLost);
    case "stored":
      if (wanted !== -1) return existing(partition, wanted, log, onLost);
      if (fallback === "earliest") return log.earliest;
      if (fallback === "latest") return log.end;
      throw new Failure(
        "record",
        `group "${group}" has stored no offset for ${partitionName(partition)}: ` +
          "say --fallback earliest or latest, or start with -o",
      );
  }
}

function existing(
  partition: TopicPartition,
  offset: number,
  log: Log,
  onLost: ConsumeOptions["onLost"],
): number {
  if (offset >= log.earliest && offset <= log.last) return offset;
  if (onLost === "earliest") return log.earliest;
  if (onLost === "latest") return log.end;
  throw lost(partition, offset, `the log has ${log.earliest} to ${log.last}`);
}

/** An explicit range must be there whole: its rows are promised to somebody. */
function rangeSpan(
  partition: TopicPartition,
  from: number,
  to: number,
  log: Log,
  { onLost }: ConsumeOptions,
): Span {
  if (from === to) return new Span(partition, from, to);
  if (to > log.end) {
    throw new Failure(
      "incomplete",
      `--ranges wants ${partitionName(partition)} up to offset ${to}, readable is up to ${log.end}`,
    );
  }
  if (from < log.earliest) {
    if (onLost === "fail") throw lost(partition, from, `the log starts at ${log.earliest}`);
    return new Span(partition, Math.min(log.earliest, to), to);
  }
  return new Span(partition, from, to);
}

/** The failure that says an offset is gone, or never was. */
export function lost(partition: TopicPartition, offset: number, log: string): Failure {
  return new Failure(
    "record",
    `offset ${offset} of ${partitionName(partition)} does not exist (${log}): ` +
      "records were deleted, or the topic was made anew; go on with --on-lost earliest or latest",
  );
}
