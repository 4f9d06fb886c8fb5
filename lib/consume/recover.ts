import { BrokerError } from "../kafka/errors.ts";
import {
  identityChange,
  identityText,
  type LogIdentity,
  sharedEnds,
} from "../kafka/log_identity.ts";
import { type PartitionLog, readLogs } from "../kafka/logs.ts";
import { partitionName } from "../kafka/partitions.ts";
import { OFFSET_NOT_AVAILABLE } from "../protocol/error_codes.ts";
import { resume, type Wanted } from "./lost.ts";
import type { Reading } from "./reading.ts";
import type { Span } from "./span.ts";

/**
 * Whether the logs are still those that were read so far: after a leader was lost, the next one's
 * log may be shorter (an unclean election), and a topic may be another one of the same name. A span
 * whose place is gone continues where `--on-lost` says. Throws Failure if that is `fail`.
 */
export async function checkLogs(reading: Reading, spans: readonly Span[]): Promise<void> {
  const { cluster } = reading;
  const doubted = spans.filter((span) => span.isDoubted);
  if (doubted.length === 0) return;
  const found = await identities(reading, doubted);
  const wanted = await wantedOf(reading, doubted, found);
  const gone = doubted.filter((_, i) => isGone(wanted[i]));
  const logs = await readLogs(cluster, gone);
  for (const [i, span] of gone.entries()) {
    goOn(reading, span, wanted[doubted.indexOf(span)], logs[i], found);
  }
  for (const span of doubted) span.isDoubted = false;
}

/**
 * What was to be read next is not in the log: deleted since the plan was made, or the log was
 * truncated. Returns the error to try again after, if the leader's answers contradict each other.
 */
export async function recover(reading: Reading, span: Span): Promise<BrokerError | null> {
  const found = await identities(reading, [span]);
  const [wanted] = await wantedOf(reading, [span], found);
  const [log] = await readLogs(reading.cluster, [span]);
  if (goOn(reading, span, wanted, log, found)) return null;
  const failed = `cannot fetch ${partitionName(span)} at offset ${span.fetched}, which its log has`;
  return new BrokerError(failed, OFFSET_NOT_AVAILABLE);
}

type Identities = ReadonlyMap<string, LogIdentity>;

/** The spans' topics as any broker knows them; those it does not know are left out. */
async function identities({ cluster }: Reading, spans: readonly Span[]): Promise<Identities> {
  const { topics } = await cluster.refresh([...new Set(spans.map(({ topic }) => topic))]);
  return new Map(
    topics.filter(({ errorCode }) => errorCode === 0).map(({ topic, topicId }) =>
      [topic, { clusterId: cluster.clusterId, topicId }] as const
    ),
  );
}

/** Where the spans are to continue, and what says that their logs are not those that were read. */
async function wantedOf(
  { cluster }: Reading,
  spans: readonly Span[],
  found: Identities,
): Promise<Wanted[]> {
  const changes = spans.map(({ topic, notes: { identity } }) => {
    const now = found.get(topic);
    return identity && now ? identityChange(identity, now) : null;
  });
  const shared = await sharedEnds(
    cluster,
    spans.map(({ topic, partition, fetched: offset, leaderEpoch }, i) => ({
      topic,
      partition,
      offset,
      // Epochs of another log say nothing of this one; and one that no leader had is not believed.
      leaderEpoch: changes[i] === null && leaderEpoch <= cluster.leaderEpoch(topic, partition)
        ? leaderEpoch
        : -1,
    })),
  );
  return spans.map(({ fetched: offset }, i) => ({ offset, change: changes[i], shared: shared[i] }));
}

function isGone({ offset, change, shared }: Wanted): boolean {
  return change !== null || offset > shared;
}

/** Moves a span on if its place is gone. Returns whether it is. Throws Failure. */
function goOn(
  { options, losses }: Reading,
  span: Span,
  wanted: Wanted,
  log: PartitionLog,
  found: Identities,
): boolean {
  const resumed = resume(span, wanted, log, options);
  if (resumed === null) return false;
  // A run to the end the log had at its start does not go on past that.
  const offset = Math.min(resumed.offset, span.end);
  const skipped = Math.max(0, resumed.skipped - (resumed.offset - offset));
  losses.add({ ...resumed, offset, skipped });
  span.jump(offset);
  span.leaderEpoch = log.leaderEpoch;
  const identity = found.get(span.topic);
  if (wanted.change !== null && identity !== undefined) {
    span.notes = { ...span.notes, identity, metadata: identityText(identity) };
  }
  return true;
}
