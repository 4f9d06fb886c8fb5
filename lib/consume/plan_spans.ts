import { Failure } from "../failure.ts";
import type { Cluster } from "../kafka/cluster.ts";
import { identityChange, identityText, type LogIdentity } from "../kafka/log_identity.ts";
import { logEnd, type PartitionLog, readLogs } from "../kafka/logs.ts";
import { lookUpOffsets } from "../kafka/offsets.ts";
import { partitionName, type TopicPartition } from "../kafka/partitions.ts";
import { GroupOffsets, type Stored } from "./group_offsets.ts";
import { type Losses, resume } from "./lost.ts";
import type { ConsumeOptions, Range } from "./options.ts";
import { rangeFinder } from "./ranges.ts";
import { Span } from "./span.ts";
import type { Topic } from "./topics.ts";

/** What a plan needs of a run. */
export interface Planning {
  options: ConsumeOptions;
  losses: Losses;
}

/**
 * Where each of the partitions is read from and to. The end is taken once, here: the last stable
 * offset (the high watermark under read_uncommitted). `before` is what this process has read of
 * them, which may be more than it has committed. Throws Failure if a start can't be had.
 */
export async function planSpans(
  cluster: Cluster,
  { options, losses }: Planning,
  topics: readonly Topic[],
  partitions: readonly TopicPartition[],
  before: readonly Span[] = [],
): Promise<Span[]> {
  if (partitions.length === 0) return [];
  const { ranges, start, isolation, group, until } = options;
  const [logs, stored, times] = await Promise.all([
    readLogs(cluster, partitions),
    start.at === "stored" && ranges === null
      ? GroupOffsets.read(
        cluster,
        group,
        topics,
        partitions,
        before,
        options.topicPattern !== undefined,
      )
      : null,
    start.at === "time"
      ? lookUpOffsets(cluster, isolation, partitions.map((p) => ({ ...p, timestamp: start.time })))
      : null,
  ]);
  const rangeOf = rangeFinder(ranges ?? []);
  return partitions.map((partition, i) => {
    const log = logs[i];
    const topic = topics.find(({ topic }) => topic === partition.topic)!;
    if (ranges !== null) {
      const range = rangeOf(partition)!;
      checkLog(partition, range.log, topic.identity);
      return rangeSpan(partition, range, log, options, losses);
    }
    const found = stored?.of(partition) ?? null;
    const from = found
      ? existing(partition, found, log, options, losses)
      : stored
      ? unstored(partition, stored, log, options)
      : startOf(partition, log, times?.[i] ?? -1, options, losses);
    return new Span(
      partition,
      from,
      until === "end" ? Math.max(from, logEnd(log, isolation)) : Infinity,
      {
        leaderEpoch: epochOf(found, from, log),
        identity: topic.identity,
        metadata: stored?.text(topic) ?? identityText(topic.identity),
        isFallback: stored !== null && found === null,
      },
    );
  });
}

/**
 * Where a run without an end starts in a partition that was added meanwhile, to a topic or with it:
 * all of it is new.
 */
export async function planAddedSpans(
  cluster: Cluster,
  { options, losses }: Planning,
  topics: readonly Topic[],
  partitions: readonly TopicPartition[],
  before: readonly Span[],
): Promise<Span[]> {
  const start = options.start.at === "stored" ? options.start : { at: "earliest" } as const;
  return await planSpans(
    cluster,
    { options: { ...options, start, fallback: "earliest" }, losses },
    topics,
    partitions,
    before,
  );
}

/** The leader epoch to commit while nothing was read: as it was stored, else what leads now. */
function epochOf(stored: Stored | null, from: number, log: PartitionLog): number {
  return stored?.offset === from && stored.leaderEpoch !== -1
    ? stored.leaderEpoch
    : log.leaderEpoch;
}

function startOf(
  partition: TopicPartition,
  log: PartitionLog,
  wanted: number,
  options: ConsumeOptions,
  losses: Losses,
): number {
  const { start, isolation } = options;
  const end = logEnd(log, isolation);
  switch (start.at) {
    case "latest":
      return end;
    case "back":
      return Math.max(log.start, end - start.count);
    case "time":
      // No record is at or after it: nothing to read.
      return wanted === -1 ? end : Math.min(wanted, end);
    case "offset": {
      const offset = { offset: start.offset, change: null, shared: Infinity };
      return existing(partition, offset, log, options, losses);
    }
    default:
      return log.start;
  }
}

/** Where to start in a partition that the group has no offset for. */
function unstored(
  partition: TopicPartition,
  stored: GroupOffsets,
  log: PartitionLog,
  { group, fallback, isolation }: ConsumeOptions,
): number {
  if (fallback === "earliest" || stored.isLater(partition)) return log.start;
  if (fallback === "latest") return logEnd(log, isolation);
  throw new Failure(
    "record",
    `group "${group}" has no stored offset for ${partitionName(partition)} — ` +
      "use --fallback earliest or latest, or start with -o",
  );
}

function existing(
  partition: TopicPartition,
  wanted: { offset: number; change: string | null; shared: number },
  log: PartitionLog,
  options: ConsumeOptions,
  losses: Losses,
): number {
  const resumed = resume(partition, wanted, log, options);
  if (resumed !== null) losses.add(resumed);
  return resumed?.offset ?? wanted.offset;
}

/** The topic may have been recreated since its ranges were planned. */
function checkLog(partition: TopicPartition, planned: LogIdentity | undefined, found: LogIdentity) {
  const change = planned ? identityChange(planned, found) : null;
  if (change === null) return;
  throw new Failure(
    "record",
    `cannot read ${partitionName(partition)}: its log is not the one that was planned (${change})`,
  );
}

/** An explicit range must exist whole: the caller counts on all of its rows. */
function rangeSpan(
  partition: TopicPartition,
  { from, to, log: identity }: Range,
  log: PartitionLog,
  options: ConsumeOptions,
  losses: Losses,
): Span {
  const notes = { identity };
  if (from === to) return new Span(partition, from, to, notes);
  const end = logEnd(log, options.isolation);
  if (to > end) {
    throw new Failure(
      "incomplete",
      `--ranges: ${partitionName(partition)} can be read up to offset ${end}, not up to ${to}`,
    );
  }
  const lost = resume(partition, { offset: from, change: null, shared: Infinity }, log, options);
  if (lost === null) return new Span(partition, from, to, notes);
  const offset = Math.min(log.start, to);
  losses.add({ ...lost, offset, skipped: offset - from });
  return new Span(partition, offset, to, notes);
}
