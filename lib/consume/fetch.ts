import { Failure } from "../failure.ts";
import { BrokerError } from "../kafka/errors.ts";
import { byLeader, byTopic, noLeader, partitionName } from "../kafka/partitions.ts";
import { Backoff } from "../kafka/retry.ts";
import { patientNow } from "../kafka/throttle.ts";
import { OFFSET_OUT_OF_RANGE } from "../protocol/error_codes.ts";
import type { Kernel } from "../protocol/kernel/kernel.ts";
import { fetch, type FetchedPartition, type FetchResponse } from "../protocol/messages/fetch.ts";
import { BATCH_PREFIX, batchEnd, int64At, lastEpoch } from "../protocol/record_batch.ts";
import { checkBatches } from "./check_batches.ts";
import { Handover } from "./handover.ts";
import { makeRows } from "./make_rows.ts";
import type { AnswerBuffer } from "./memory.ts";
import { Outage } from "./outage.ts";
import type { Reading } from "./reading.ts";
import { checkLogs, recover } from "./recover.ts";
import { type Span, spanOf } from "./span.ts";
import { pause, unlessAborted } from "../waiting.ts";

/**
 * Bytes asked for at a time: of one broker; of all together, however many there are; of a
 * partition.
 */
const BROKER_MAX_BYTES = 8 * 1024 * 1024;
const MAX_BYTES = 16 * 1024 * 1024;
const PARTITION_MAX_BYTES = 1024 * 1024;
/** How long a broker may wait for data that the snapshot says is there, milliseconds. */
const MAX_WAIT = 500;
/** What an answer has around its records, bytes at most: counted, not limited. */
const ANSWER_ROOM = 256 * 1024;
/** After this many answers in a row without records a leader has none up to the span's end. */
const EMPTY_ANSWERS = 2;

const never = new AbortController().signal;

/**
 * Reads the spans to their ends: all leaders at once, each by its own loop. Throws Failure when
 * nothing was gained for the config's timeout; the time in which rows are made and accepted by the
 * output does not count.
 */
export async function readSpans(
  reading: Reading,
  spans: readonly Span[],
  backoff = new Backoff(reading.cluster.config),
): Promise<void> {
  const leaders = byLeader(reading.cluster, spans).size;
  const share = Math.max(PARTITION_MAX_BYTES, MAX_BYTES / leaders);
  const most = reading.options.fetchMax ?? BROKER_MAX_BYTES;
  const maxBytes = Math.min(most, Math.floor(share));
  await readGroup(reading, spans, maxBytes, backoff);
}

/** Reads spans, those of each leader by themselves, and continues when a leader is lost. */
async function readGroup(
  reading: Reading,
  spans: readonly Span[],
  maxBytes: number,
  backoff: Backoff,
): Promise<void> {
  const { cluster, context, signal } = reading;
  const outage = new Outage(reading);
  // In a run without an end a leader may be lost for days: nothing may grow with each try.
  while (spans.length > 0) {
    const leaders = byLeader(cluster, spans);
    if (leaders.size > 1) {
      const groups = [...leaders.values()];
      await Promise.all(groups.map((group) => readGroup(reading, group, maxBytes, backoff)));
      return;
    }
    const [id] = leaders.keys();
    try {
      return await readLeader(reading, id, spans, maxBytes, backoff, outage);
    } catch (error) {
      await backoff.next(error);
      if (signal?.aborted) return;
      outage.goesOn(error);
      // The leader moved or is lost: continue after what was written, with the present leader.
      await cluster.refresh([...new Set(spans.map((span) => span.topic))]).catch(() => {});
      spans = spans.filter((span) => span.done < span.end && !context.full);
      for (const span of spans) {
        span.jump(span.done);
        span.isDoubted = true;
      }
    }
  }
}

/** A fetch under way, and the buffer its answer is read into. */
interface Asked {
  buffer: AnswerBuffer;
  response: Promise<FetchResponse>;
}

/**
 * Reads from one leader, with three buffers at most: while the rows of one are written, those of
 * the next are made, and the broker sends into the third. Where memory is short it waits for the
 * buffers of other leaders, and holds none of its own meanwhile.
 */
async function readLeader(
  reading: Reading,
  id: number,
  spans: readonly Span[],
  maxBytes: number,
  backoff: Backoff,
  outage: Outage,
): Promise<void> {
  const { cluster, options, context, signal } = reading;
  const { memory } = context;
  if (id === -1) throw noLeader(`cannot fetch ${partitionName(spans[0])}`);
  const connection = await cluster.broker(id);
  await checkLogs(reading, spans);
  const hand = new Handover(reading, spans);
  const room = maxBytes + ANSWER_ROOM;
  let round = 0;
  let askedAt = 0;
  const isOver = () => signal?.aborted || spans.every((span) => span.isFetched);
  const ask = (buffer: AnswerBuffer): Asked => {
    const open = spans.filter((span) => !span.isFetched);
    // A broker fills its answer in the order asked: each partition is first in turn.
    open.push(...open.splice(0, round++ % open.length));
    askedAt = performance.now();
    buffer.place = `${partitionName(open[0])} offset ${open[0].fetched}`;
    const response = connection.call(fetch, request(reading, open, maxBytes), { into: buffer });
    response.catch(() => {}); // Met below, after the rows before it are written.
    return { buffer, response };
  };
  const askAtOnce = () => {
    const buffer = isOver() ? null : memory.tryTake(room, id);
    return buffer === null ? null : ask(buffer);
  };
  const askLater = async () => {
    if (isOver()) return null;
    await hand.finish();
    const taken = memory.take(room, id);
    const buffer = signal ? await unlessAborted(taken, signal) : await taken;
    if (buffer) return ask(buffer);
    taken.then((unused) => memory.give(unused));
    return null;
  };
  let asked: Asked | null = null;
  try {
    while ((asked ??= await backoff.apart(askLater())) !== null) {
      const { buffer } = asked;
      const response: FetchResponse | undefined = signal
        ? await unlessAborted(asked.response, signal)
        : await asked.response;
      if (response === undefined) break;
      asked = null;
      let problem: BrokerError | null;
      let gained: boolean;
      try {
        ({ problem, gained } = await advance(reading, buffer, response, spans));
        if (!problem && !gained) {
          // It should have waited for records: a broker that does not is not asked without end.
          const left = askedAt + maxWait(reading) - performance.now();
          if (left > 0) await pause(left, signal ?? never);
        }
        if (!problem) asked = askAtOnce();
        const fetched = response.partitions.filter(({ errorCode }) => errorCode === 0);
        const apart = await context.prepare(buffer, fetched) || !context.inPlace;
        const making = () => makeRows(reading, hand, buffer, apart, fetched, spans);
        await backoff.apart(memory.inTurn(making));
      } finally {
        hand.afterwards(() => memory.give(buffer));
      }
      if (context.full) break;
      if (problem) throw problem;
      outage.ends();
      if (gained) {
        reading.lastRecords = patientNow(cluster.config);
        backoff.progress();
      } else if (options.until === "end") {
        if (backoff.expired) throw stalled(spans.find((span) => span.done < span.end)!);
      } else {
        backoff.progress();
        reading.idle ||= isIdle(reading);
      }
      if (reading.idle) break;
    }
  } finally {
    // An answer that is not waited for any more still comes into its buffer.
    if (asked !== null) {
      const { buffer, response } = asked;
      const give = () => memory.give(buffer);
      response.then(give, give);
    }
    await backoff.apart(hand.finish());
  }
}

/** Whether nothing came for as long as the run is to wait. */
function isIdle({ cluster: { config }, options: { until }, lastRecords }: Reading): boolean {
  return typeof until === "object" && patientNow(config) - lastRecords >= until.idle;
}

/** How long a broker is to wait for records, milliseconds. */
function maxWait({ cluster: { config }, options: { until } }: Reading): number {
  const idle = typeof until === "object" ? until.idle : Infinity;
  return Math.floor(Math.min(MAX_WAIT, config.timeout / 2, idle / 2));
}

function request(reading: Reading, spans: readonly Span[], maxBytes: number) {
  const { options } = reading;
  return {
    isolation: options.isolation,
    maxWait: maxWait(reading),
    maxBytes,
    partitionMaxBytes: PARTITION_MAX_BYTES,
    topics: byTopic(spans).map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, fetched }) => ({ partition, offset: fetched })),
    })),
  };
}

/**
 * Moves the spans' next fetch past what came. Returns whether any moved, and the first error that
 * the broker reports. Throws Failure (record) if a batch can't be what it says.
 */
async function advance(
  reading: Reading,
  kernel: Kernel,
  response: FetchResponse,
  spans: readonly Span[],
): Promise<{ gained: boolean; problem: BrokerError | null }> {
  let gained = false;
  let problem = response.errorCode === 0
    ? null
    : new BrokerError("cannot fetch", response.errorCode);
  let isFirst = true;
  // In an answer full of other partitions' records a partition may have none.
  const isEmpty = response.partitions.every(({ start, end }) => start === end);
  for (const fetched of response.partitions) {
    const span = spanOf(spans, fetched);
    const { start, end } = fetched;
    if (fetched.errorCode === OFFSET_OUT_OF_RANGE) {
      const contradiction = await recover(reading, span);
      problem ??= contradiction;
      gained ||= contradiction === null;
    } else if (fetched.errorCode !== 0) {
      const failed = `cannot fetch ${partitionName(span)} at offset ${span.fetched}`;
      problem ??= new BrokerError(failed, fetched.errorCode);
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
    } else if (isEmpty && isHole(reading, fetched, span)) {
      reading.cluster.config.debug(
        `${partitionName(span)} has no records from offset ${span.fetched} to ${span.end}`,
      );
      span.jump(span.end);
      gained = true;
    }
  }
  return { gained, problem };
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
 * The offset after the whole batches that came, all of them checked. The first partition's first
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

function stalled(span: Span): Failure {
  return new Failure(
    "incomplete",
    `${partitionName(span)} was read up to offset ${span.done} of ${span.end}: ` +
      "its leader sends no more records — try again",
  );
}
