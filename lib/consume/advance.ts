import { Failure } from "../failure.ts";
import { BrokerError } from "../kafka/errors.ts";
import { partitionName } from "../kafka/partitions.ts";
import { patientNow } from "../kafka/throttle.ts";
import { errorName, OFFSET_OUT_OF_RANGE } from "../protocol/error_codes.ts";
import type { Kernel } from "../protocol/kernel/kernel.ts";
import type { FetchedPartition, FetchResponse } from "../protocol/messages/fetch.ts";
import { BATCH_PREFIX, batchEnd, int64At, lastEpoch } from "../protocol/record_batch.ts";
import { checkBatches } from "./check_batches.ts";
import type { Reading } from "./reading.ts";
import type { ReadReplicas } from "./read_replicas.ts";
import { recover } from "./recover.ts";
import { type Span, spanOf } from "./span.ts";

/** After this many answers in a row without records a leader has none up to the span's end. */
const EMPTY_ANSWERS = 2;

/** What an answer changed. */
export interface Advance {
  /** Whether any span moved. */
  gained: boolean;
  /** Whether any span is to be read from another broker now. */
  isSent: boolean;
  /** The first error that the broker reports. */
  problem: BrokerError | null;
}

/**
 * Moves the spans' next fetch past what came from broker `id`. Throws Failure (record) if a batch
 * can't be what it says.
 */
export async function advance(
  reading: Reading,
  replicas: ReadReplicas,
  id: number,
  kernel: Kernel,
  response: FetchResponse,
  spans: readonly Span[],
): Promise<Advance> {
  let gained = false;
  let isSent = false;
  let problem = response.errorCode === 0
    ? null
    : new BrokerError("cannot fetch", response.errorCode);
  let isFirst = true;
  // In an answer full of other partitions' records a partition may have none.
  const now = patientNow(reading.cluster.config);
  const isEmpty = response.partitions.every(({ start, end }) => start === end);
  for (const fetched of response.partitions) {
    const span = spanOf(spans, fetched);
    const { start, end, errorCode, preferredReplica } = fetched;
    // One that would have another replica read says nothing of what it has itself.
    const isOther = preferredReplica !== -1 && preferredReplica !== id;
    if (errorCode === 0 && !isOther) span.answered = now;
    if (errorCode !== 0 && replicas.isFollower(span, id)) {
      // Its leader may know better; and if that is another one now, the log may be, too.
      replicas.leave(span, `broker ${id} answered ${errorName(errorCode)}`);
      span.isDoubted = true;
      isSent = true;
      continue;
    }
    if (preferredReplica !== -1 && errorCode === 0) {
      if (replicas.prefer(span, preferredReplica, id)) isSent = true;
    }
    if (errorCode === OFFSET_OUT_OF_RANGE) {
      const contradiction = await recover(reading, span);
      problem ??= contradiction;
      gained ||= contradiction === null;
    } else if (errorCode !== 0) {
      const failed = `cannot fetch ${partitionName(span)} at offset ${span.fetched}`;
      problem ??= new BrokerError(failed, errorCode);
    } else if (end > start && isMisplaced(kernel, fetched, span)) {
      gained = true;
      isFirst = false;
    } else if (end > start) {
      const next = behind(reading, kernel, fetched, span, isFirst);
      gained ||= next > span.fetched;
      span.fetched = next;
      span.empty = 0;
      span.leaderEpoch = Math.max(span.leaderEpoch, lastEpoch(kernel.view, start, fetched.end));
      isFirst = false;
    } else if (replicas.isElsewhere(span, id) || isOther) {
      span.empty = 0;
    } else if (isEmpty && isHole(reading, fetched, span)) {
      if (replicas.isFollower(span, id)) {
        replicas.leave(span, `broker ${id} has no records from offset ${span.fetched} on`);
        isSent = true;
        continue;
      }
      reading.cluster.config.debug(
        `${partitionName(span)} has no records from offset ${span.fetched} to ${span.end}`,
      );
      span.jump(span.end);
      gained = true;
    }
  }
  return { gained, isSent, problem };
}

/**
 * Whether what came begins before what was asked for, in the middle of a batch it may seem. Then it
 * is asked for again from there on: a batch's base offset is not in its CRC, and only the batches
 * around it show whether it is right.
 */
function isMisplaced({ view }: Kernel, fetched: FetchedPartition, span: Span): boolean {
  const { start, end, logStart } = fetched;
  if (span.isBetweenBatches || end - start < BATCH_PREFIX) return false;
  const base = int64At(view, start);
  // Records may be deleted up to the middle of a batch: then nothing before it can be asked for.
  if (base >= span.fetched || base < Math.max(logStart, 0)) return false;
  fetched.end = start;
  span.fetched = base;
  span.isBetweenBatches = true;
  return true;
}

/**
 * The offset after the whole batches that came, their headers checked. The first partition's first
 * batch is always whole.
 */
function behind(
  { options }: Reading,
  kernel: Kernel,
  fetched: FetchedPartition,
  span: Span,
  isFirst: boolean,
): number {
  const { start, end } = fetched;
  const next = checkBatches(kernel, fetched, span, options.checkCrcs);
  if (isFirst && batchEnd(kernel.view, start, end) === -1) {
    throw new Failure(
      "record",
      `${partitionName(span)} offset ${span.fetched}: no whole batch in the ` +
        `${end - start} bytes that were sent`,
    );
  }
  if (next > span.fetched) span.isBetweenBatches = true;
  return next;
}

/**
 * Whether a leader that has sent nothing, again, has no records up to the span's end: those that
 * came last were removed by compaction. It says itself that readers may read up to there and that
 * the log starts before, so there is nothing it could still send.
 */
function isHole({ options }: Reading, fetched: FetchedPartition, span: Span): boolean {
  const { highWatermark, lastStableOffset, logStart } = fetched;
  const readable = options.isolation === "read_committed" ? lastStableOffset : highWatermark;
  const isWhole = readable >= span.end && logStart <= span.fetched && span.done === span.fetched;
  span.empty = isWhole ? span.empty + 1 : 0;
  return span.empty >= EMPTY_ANSWERS;
}
