import { Failure } from "../failure.ts";
import { BrokerError } from "../kafka/errors.ts";
import { byLeader, byTopic, noLeader, partitionName } from "../kafka/offsets.ts";
import { Backoff } from "../kafka/retry.ts";
import { OFFSET_OUT_OF_RANGE } from "../protocol/error_codes.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { Kernel } from "../protocol/kernel/kernel.ts";
import { fetch, type FetchedPartition, type FetchResponse } from "../protocol/messages/fetch.ts";
import { lastEpoch, nextOffset } from "../protocol/record_batch.ts";
import { Ahead } from "./ahead.ts";
import { Handover } from "./handover.ts";
import type { Reading } from "./reading.ts";
import { checkLogs, recover } from "./recover.ts";
import { PartitionRows } from "./rows.ts";
import type { Span } from "./span.ts";
import { pause, unlessAborted } from "./waiting.ts";

/** Bytes asked for at a time: of one broker; of all together, however many there are; of a partition. */
const BROKER_MAX_BYTES = 8 * 1024 * 1024;
const MAX_BYTES = 16 * 1024 * 1024;
const PARTITION_MAX_BYTES = 1024 * 1024;
/** How long a broker may wait for data that the snapshot says is there, milliseconds. */
const MAX_WAIT = 500;
/** After this many answers in a row without records a leader has none up to the span's end. */
const EMPTY_ANSWERS = 2;
/** Rows are handed on when they are this many bytes, however much a response inflates. */
const ROWS_MAX = 4 * 1024 * 1024;

const never = new AbortController().signal;

/**
 * Reads the spans to their ends: all leaders at once, each by its own loop. Throws Failure when
 * nothing was gained for the config's timeout; the time in which rows are made and taken by who
 * reads them does not count.
 */
export async function readSpans(
  reading: Reading,
  spans: readonly Span[],
  backoff = new Backoff(reading.cluster.config),
): Promise<void> {
  const { cluster } = reading;
  const leaders = byLeader(cluster, spans);
  const share = Math.max(PARTITION_MAX_BYTES, MAX_BYTES / leaders.size);
  const maxBytes = Math.min(BROKER_MAX_BYTES, Math.floor(share));
  await Promise.all([...leaders].map(async ([id, group]) => {
    try {
      await readLeader(reading, id, group, maxBytes, backoff);
    } catch (error) {
      await backoff.next(error);
      if (reading.signal?.aborted) return;
      // The leader moved or went away: go on after what was written, with whoever leads now.
      await cluster.refresh([...new Set(group.map((span) => span.topic))]).catch(() => {});
      const left = group.filter((span) => span.done < span.end && !reading.decoder.full);
      for (const span of left) {
        span.jump(span.done);
        span.isDoubted = true;
      }
      await readSpans(reading, left, backoff);
    }
  }));
}

/**
 * Reads from one leader, with three buffers in turn: while the rows of one are written, those of
 * the next are made, and the broker sends into the third.
 */
async function readLeader(
  reading: Reading,
  id: number,
  spans: readonly Span[],
  maxBytes: number,
  backoff: Backoff,
): Promise<void> {
  const { cluster, options, decoder } = reading;
  if (id === -1) throw noLeader(`cannot fetch ${partitionName(spans[0])}`);
  const connection = await cluster.broker(id);
  await checkLogs(reading, spans);
  const buffers = [new Kernel(), new Kernel(), new Kernel()];
  const hand = new Handover(reading, spans);
  let round = 0;
  let askedAt = 0;
  const ask = (turn: number): Promise<FetchResponse> | null => {
    if (reading.signal?.aborted) return null;
    const open = spans.filter((span) => !span.isFetched);
    if (open.length === 0) return null;
    // A broker fills its answer in the order asked: each partition is first in turn.
    open.push(...open.splice(0, round++ % open.length));
    askedAt = performance.now();
    const asked = connection.call(fetch, request(reading, open, maxBytes), { into: buffers[turn] });
    asked.catch(() => {}); // Met below, after the rows before it are written.
    return asked;
  };
  let turn = 0;
  let asked = ask(turn);
  try {
    while (asked !== null) {
      const response: FetchResponse | undefined = reading.signal
        ? await unlessAborted(asked, reading.signal)
        : await asked;
      if (response === undefined) break;
      const kernel = buffers[turn];
      const { problem, gained } = await advance(reading, kernel, response, spans);
      if (!problem && !gained) {
        // It should have waited for records: a broker that does not is not asked without end.
        const left = askedAt + maxWait(reading) - performance.now();
        if (left > 0) await pause(left, reading.signal ?? never);
      }
      turn = (turn + 1) % buffers.length;
      asked = problem ? null : ask(turn);
      const apart = await decoder.prepare(kernel, response) || !decoder.inPlace;
      await backoff.apart(makeRows(reading, hand, kernel, apart, response, spans));
      if (decoder.full) break;
      if (problem) throw problem;
      if (gained) {
        reading.lastRecords = performance.now();
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
    await backoff.apart(hand.finish());
  }
}

/** Whether nothing came for as long as the run was told to wait. */
function isIdle({ options: { until }, lastRecords }: Reading): boolean {
  return typeof until === "object" && performance.now() - lastRecords >= until.idle;
}

/** Makes the rows of a response and hands them over, in pieces where they are many. */
async function makeRows(
  { decoder, inflater, signal }: Reading,
  hand: Handover,
  source: Kernel,
  apart: boolean,
  response: FetchResponse,
  spans: readonly Span[],
): Promise<void> {
  let target = apart ? hand.spare() : source;
  let from = Kernel.DATA;
  let out = from;
  const ahead = new Ahead(inflater, source, apart ? response.partitions : []);
  for (const fetched of response.partitions) {
    if (fetched.errorCode !== 0) continue;
    const rows = new PartitionRows(decoder, source, fetched, spanOf(spans, fetched), ahead.records);
    while (!rows.finished && !decoder.full && !signal?.aborted) {
      const reach = await ahead.reach(rows.at, fetched.end);
      out = rows.write(target, out, from + ROWS_MAX, reach);
      if (rows.at >= reach) continue;
      await hand.over(target, from, out);
      // Rows made in place go on behind those that are being written.
      if (apart) target = hand.spare();
      from = out = apart ? Kernel.DATA : out;
    }
  }
  await hand.over(target, from, out);
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
 * the broker reports. Throws Failure (record) where a batch can't be what it says.
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
  // Beside others' records a partition may have none in an answer that is full.
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
    } else if (end > start) {
      const next = behind(kernel, fetched, span, isFirst);
      gained ||= next > span.fetched;
      span.fetched = next;
      span.empty = 0;
      span.leaderEpoch = Math.max(span.leaderEpoch, lastEpoch(kernel.view, start, end));
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

/** The offset behind the whole batches that came. The first partition's first batch is always whole. */
function behind(kernel: Kernel, fetched: FetchedPartition, span: Span, isFirst: boolean): number {
  const { start, end } = fetched;
  const at = `${partitionName(span)} offset ${span.fetched}`;
  try {
    const next = nextOffset(kernel.view, start, end, span.fetched);
    if (!isFirst || next > span.fetched) return next;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new Failure("record", `${at}: ${error.message}`, { cause: error });
  }
  throw new Failure("record", `${at}: no whole batch in the ${end - start} bytes that were sent`);
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

function spanOf(spans: readonly Span[], fetched: FetchedPartition): Span {
  const span = spans.find((s) => s.partition === fetched.partition && s.topic === fetched.topic);
  if (!span) throw new ProtocolError(`a broker sent ${partitionName(fetched)}, not asked for`);
  return span;
}

function stalled(span: Span): Failure {
  return new Failure(
    "incomplete",
    `${partitionName(span)} was read up to offset ${span.done} of ${span.end}: ` +
      "its leader sends nothing more; try again",
  );
}
