import { Failure } from "../failure.ts";
import { BrokerError } from "../kafka/errors.ts";
import { byLeader, byTopic, lookUpOffsets, noLeader, partitionName } from "../kafka/offsets.ts";
import { Backoff } from "../kafka/retry.ts";
import { OFFSET_OUT_OF_RANGE } from "../protocol/error_codes.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { Kernel } from "../protocol/kernel/kernel.ts";
import { fetch, type FetchedPartition, type FetchResponse } from "../protocol/messages/fetch.ts";
import { EARLIEST } from "../protocol/messages/list_offsets.ts";
import { nextOffset } from "../protocol/record_batch.ts";
import { Ahead } from "./ahead.ts";
import { Handover } from "./handover.ts";
import { lost } from "./plan.ts";
import type { Reading } from "./reading.ts";
import { PartitionRows } from "./rows.ts";
import type { Span } from "./span.ts";
import { unlessAborted } from "./waiting.ts";

/** Bytes asked for at a time: of one broker; of all together, however many there are; of a partition. */
const BROKER_MAX_BYTES = 8 * 1024 * 1024;
const MAX_BYTES = 16 * 1024 * 1024;
const PARTITION_MAX_BYTES = 1024 * 1024;
/** How long a broker may wait for data that the snapshot says is there, milliseconds. */
const MAX_WAIT = 500;
/** Rows are handed on when they are this many bytes, however much a response inflates. */
const ROWS_MAX = 4 * 1024 * 1024;

/**
 * Reads the spans to their ends: all leaders at once, each by its own loop. Throws Failure when
 * nothing was gained for the config's timeout.
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
      // The leader moved or went away: go on behind what was written, with whoever leads now.
      await cluster.refresh([...new Set(group.map((span) => span.topic))]).catch(() => {});
      const left = group.filter((span) => span.done < span.end && !reading.decoder.full);
      for (const span of left) span.jump(span.done);
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
  const buffers = [new Kernel(), new Kernel(), new Kernel()];
  const hand = new Handover(reading, spans);
  let round = 0;
  const ask = (turn: number): Promise<FetchResponse> | null => {
    if (reading.signal?.aborted) return null;
    const open = spans.filter((span) => !span.isFetched);
    if (open.length === 0) return null;
    // A broker fills its answer in the order asked: each partition is first in turn.
    open.push(...open.splice(0, round++ % open.length));
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
      turn = (turn + 1) % buffers.length;
      asked = problem ? null : ask(turn);
      const apart = await decoder.prepare(kernel, response) || !decoder.inPlace;
      await makeRows(reading, hand, kernel, apart, response, spans);
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
    await hand.finish();
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

function request({ cluster, options }: Reading, spans: readonly Span[], maxBytes: number) {
  const idle = typeof options.until === "object" ? options.until.idle : Infinity;
  return {
    isolation: options.isolation,
    maxWait: Math.min(MAX_WAIT, cluster.config.timeout / 2, idle / 2),
    maxBytes,
    partitionMaxBytes: PARTITION_MAX_BYTES,
    topics: byTopic(spans).map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, fetched }) => ({ partition, offset: fetched })),
    })),
  };
}

/**
 * Moves the spans' next fetch behind what came. Tells whether there was anything, and the first
 * error that the broker reports. Throws Failure (record) where a batch can't be what it says.
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
  for (const fetched of response.partitions) {
    const span = spanOf(spans, fetched);
    if (fetched.errorCode === OFFSET_OUT_OF_RANGE) await recover(reading, span);
    else if (fetched.errorCode !== 0) {
      const failed = `cannot fetch ${partitionName(span)} at offset ${span.fetched}`;
      problem ??= new BrokerError(failed, fetched.errorCode);
    } else if (fetched.end > fetched.start) {
      const next = behind(kernel, fetched, span, isFirst);
      gained ||= next > span.fetched;
      span.fetched = next;
      isFirst = false;
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

/** What was to be read next is gone: deleted since the plan was made. */
async function recover({ cluster, options }: Reading, span: Span): Promise<void> {
  const item = { ...span, timestamp: EARLIEST };
  const [earliest] = await lookUpOffsets(cluster, options.isolation, [item]);
  if (options.onLost === "fail") {
    throw lost(span, span.fetched, `the log starts at ${earliest}`);
  }
  const next = options.onLost === "earliest" ? Math.max(earliest, span.done) : span.end;
  span.jump(Math.min(next, span.end));
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
