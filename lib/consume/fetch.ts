import { Failure } from "../failure.ts";
import { BrokerError } from "../kafka/errors.ts";
import { byLeader, byTopic, lookUpOffsets, noLeader, partitionName } from "../kafka/offsets.ts";
import { Backoff } from "../kafka/retry.ts";
import { OFFSET_OUT_OF_RANGE } from "../protocol/error_codes.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { Kernel } from "../protocol/kernel/kernel.ts";
import { fetch, type FetchedPartition, type FetchResponse } from "../protocol/messages/fetch.ts";
import { EARLIEST } from "../protocol/messages/list_offsets.ts";
import { batchEnd } from "../protocol/record_batch.ts";
import { Ahead } from "./ahead.ts";
import { checkBatches } from "./check_batches.ts";
import { Handover } from "./handover.ts";
import type { AnswerBuffer } from "./memory.ts";
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
/** What stands around the records in an answer, bytes at most: counted, not limited. */
const ANSWER_ROOM = 256 * 1024;
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
): Promise<void> {
  const { cluster, options, decoder, signal } = reading;
  const { memory } = decoder;
  if (id === -1) throw noLeader(`cannot fetch ${partitionName(spans[0])}`);
  const connection = await cluster.broker(id);
  const hand = new Handover(reading, spans);
  const room = maxBytes + ANSWER_ROOM;
  let round = 0;
  const isOver = () => signal?.aborted || spans.every((span) => span.isFetched);
  const ask = (buffer: AnswerBuffer): Asked => {
    const open = spans.filter((span) => !span.isFetched);
    // A broker fills its answer in the order asked: each partition is first in turn.
    open.push(...open.splice(0, round++ % open.length));
    buffer.place = `${partitionName(open[0])} offset ${open[0].fetched}`;
    const response = connection.call(fetch, request(reading, open, maxBytes), { into: buffer });
    response.catch(() => {}); // Met below, after the rows before it are written.
    return { buffer, response };
  };
  const askAtOnce = () => {
    const buffer = isOver() ? null : memory.tryTake(room);
    return buffer === null ? null : ask(buffer);
  };
  const askLater = async () => {
    if (isOver()) return null;
    await hand.finish();
    const taken = memory.take(room);
    const buffer = signal ? await unlessAborted(taken, signal) : await taken;
    if (buffer) return ask(buffer);
    taken.then((unused) => memory.give(unused));
    return null;
  };
  let asked: Asked | null = null;
  try {
    while ((asked ??= await askLater()) !== null) {
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
        if (!problem) asked = askAtOnce();
        const fetched = response.partitions.filter(({ errorCode }) => errorCode === 0);
        const apart = await decoder.prepare(buffer, fetched) || !decoder.inPlace;
        await memory.inTurn(() => makeRows(reading, hand, buffer, apart, fetched, spans));
      } finally {
        hand.afterwards(() => memory.give(buffer));
      }
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
    // An answer that nobody waits for any more comes into its buffer nevertheless.
    if (asked !== null) {
      const { buffer, response } = asked;
      const give = () => memory.give(buffer);
      response.then(give, give);
    }
    await hand.finish();
  }
}

/** Whether nothing came for as long as the run was told to wait. */
function isIdle({ options: { until }, lastRecords }: Reading): boolean {
  return typeof until === "object" && performance.now() - lastRecords >= until.idle;
}

/** Makes the rows of what was fetched and hands them over, in pieces where they are many. */
async function makeRows(
  { decoder, inflater, signal }: Reading,
  hand: Handover,
  source: Kernel,
  apart: boolean,
  partitions: readonly FetchedPartition[],
  spans: readonly Span[],
): Promise<void> {
  const { memory } = decoder;
  let target = apart ? await memory.scratch() : source;
  let from = Kernel.DATA;
  let out = from;
  /** Hands over, and goes on in another buffer, or after the rows that are being written. */
  const handOver = async () => {
    await hand.over(target, from, out);
    if (apart) {
      const written = target;
      hand.afterwards(() => memory.giveScratch(written));
      target = source;
      target = await memory.scratch();
    }
    from = out = apart ? Kernel.DATA : out;
  };
  const ahead = new Ahead(inflater, source, apart ? partitions : []);
  try {
    for (const fetched of partitions) {
      const span = spanOf(spans, fetched);
      const rows = new PartitionRows(decoder, source, fetched, span, ahead.records);
      try {
        while (!rows.finished && !decoder.full && !signal?.aborted) {
          const reach = await ahead.reach(rows.at, fetched.end);
          out = rows.write(target, out, from + ROWS_MAX, reach);
          if (rows.isHungry) await rows.feed();
          else if (rows.at < reach) await handOver();
        }
      } finally {
        await rows.close();
      }
    }
    await hand.over(target, from, out);
  } finally {
    const last = target;
    if (last !== source) hand.afterwards(() => memory.giveScratch(last));
  }
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
      const next = behind(reading, kernel, fetched, span, isFirst);
      gained ||= next > span.fetched;
      span.fetched = next;
      isFirst = false;
    }
  }
  return { gained, problem };
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
