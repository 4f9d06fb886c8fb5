import { Failure } from "../failure.ts";
import type { Connection } from "../kafka/connection.ts";
import { ConnectionError } from "../kafka/connection_error.ts";
import type { BrokerError } from "../kafka/errors.ts";
import { byTopic, noLeader, partitionName } from "../kafka/partitions.ts";
import type { Backoff } from "../kafka/retry.ts";
import { patientNow } from "../kafka/throttle.ts";
import {
  fetch,
  type FetchRequest,
  type FetchResponse,
  fetchWithRack,
} from "../protocol/messages/fetch.ts";
import { advance } from "./advance.ts";
import { Handover } from "./handover.ts";
import { makeRows } from "./make_rows.ts";
import type { AnswerBuffer } from "./memory.ts";
import type { Outage } from "./outage.ts";
import type { Reading } from "./reading.ts";
import type { ReadReplicas } from "./read_replicas.ts";
import { checkLogs } from "./recover.ts";
import type { Span } from "./span.ts";
import { pause, unlessAborted } from "../waiting.ts";

/** Bytes asked for of a partition at a time. */
export const PARTITION_MAX_BYTES = 1024 * 1024;
/** How long a broker may wait for data that the snapshot says is there, milliseconds. */
const MAX_WAIT = 500;
/** What an answer has around its records, bytes at most: counted, not limited. */
const ANSWER_ROOM = 256 * 1024;
/**
 * A follower is left after this many answers in a row without records, if the leader has some, and
 * if it is late by this part of the timeout: the leader is still to be asked in time.
 */
const EMPTY_ANSWERS = 2;
const FOLLOWER_PATIENCE = 1 / 3;

const never = new AbortController().signal;

/** What the readers of a run share. */
export interface ReadersShare {
  readonly reading: Reading;
  readonly replicas: ReadReplicas;
  /** Of an answer, about. */
  readonly maxBytes: number;
  readonly backoff: Backoff;
  /** All that are read. */
  readonly spans: readonly Span[];
  /** Reads spans on that are to be read from another broker now. */
  readonly place: (spans: readonly Span[]) => void;
}

/** A fetch under way, what it asks for, and the buffer its answer is read into. */
interface Asked {
  buffer: AnswerBuffer;
  spans: readonly Span[];
  response: Promise<FetchResponse>;
}

/**
 * Reads spans from one broker, to their ends or until none is to be read from it any more; more may
 * be added to the list meanwhile. With three buffers at most: while the rows of one are written,
 * those of the next are made, and the broker sends into the third; two are enough if rows are not
 * made in place. Where memory is short it waits for the buffers of other brokers' readers, and
 * holds none of its own meanwhile.
 */
export async function readBroker(
  { reading, replicas, maxBytes, backoff, place, spans: all }: ReadersShare,
  id: number,
  spans: Span[],
  outage: Outage,
): Promise<void> {
  const { cluster, options, context, signal } = reading;
  const { memory } = context;
  if (id === -1) throw noLeader(`cannot fetch ${partitionName(spans[0])}`);
  const soon = <T>(work: Promise<T>): Promise<T> =>
    replicas.areAny && spans.some((span) => replicas.isFollower(span, id))
      ? inTime(work, maxWait(reading) + cluster.config.timeout * FOLLOWER_PATIENCE, id)
      : work;
  const connection = await soon(cluster.broker(id));
  if (options.rack !== "" && !connection.accepts(fetchWithRack)) {
    const { name, version } = fetchWithRack;
    cluster.config.debug(
      `client.rack: ${connection.name} has no ${name} ${version}, so it is read from as a leader only`,
    );
  }
  const hand = new Handover(reading, spans);
  const room = maxBytes + ANSWER_ROOM;
  let round = 0;
  let empty = 0;
  let askedAt = 0;
  const isOpen = (span: Span) =>
    !span.isFetched && !span.isDoubted && !replicas.isElsewhere(span, id);
  /** What may be asked for now; nothing if that is over. */
  const openSpans = () => signal?.aborted ? [] : spans.filter(isOpen);
  const ask = (buffer: AnswerBuffer, open: Span[]): Asked => {
    // A broker fills its answer in the order asked: each partition is first in turn.
    open.push(...open.splice(0, round++ % open.length));
    askedAt = performance.now();
    buffer.place = `${partitionName(open[0])} offset ${open[0].fetched}`;
    const wanted = request(reading, replicas, id, open, maxBytes);
    const response = call(connection, reading, replicas, open, wanted, buffer);
    response.catch(() => {}); // Met below, after the rows before it are written.
    return { buffer, spans: open, response };
  };
  const askAtOnce = () => {
    const open = openSpans();
    const mustWait = open.length === 0 || spans.some((span) => span.isDoubted);
    const buffer = mustWait ? null : memory.tryTake(room, id);
    return buffer === null ? null : ask(buffer, open);
  };
  const askLater = async () => {
    if (openSpans().length === 0) return null;
    await hand.finish();
    const taken = memory.take(room, id);
    const buffer = signal ? await unlessAborted(taken, signal) : await taken;
    // Its choice of replicas may have ended meanwhile, and more spans may have come.
    const open = openSpans();
    if (buffer && open.length > 0) return ask(buffer, open);
    taken.then((unused) => memory.give(unused));
    return null;
  };
  let asked: Asked | null = null;
  try {
    while (true) {
      if (asked === null) {
        await checkLogs(reading, spans);
        asked = await backoff.apart(askLater());
      }
      if (asked === null) break;
      const { buffer } = asked;
      const due = soon(asked.response);
      const response: FetchResponse | undefined = signal
        ? await unlessAborted(due, signal)
        : await due;
      if (response === undefined) break;
      asked = null;
      let problem: BrokerError | null;
      let gained: boolean;
      let isSent: boolean;
      /** Whether rows are made elsewhere: then nothing of the answer is used when they are made. */
      let apart = false;
      try {
        ({ problem, gained, isSent } = await advance(
          ...[reading, replicas, id, buffer, response, spans] as const,
        ));
        if (!problem && !gained && !isSent) {
          // It should have waited for records: a broker that does not is not asked without end.
          const left = askedAt + maxWait(reading) - performance.now();
          if (left > 0) await pause(left, signal ?? never);
        }
        empty = gained ? 0 : empty + 1;
        if (empty >= EMPTY_ANSWERS && options.until === "end") {
          for (const span of spans) {
            if (replicas.isFollower(span, id)) replicas.leave(span, `broker ${id} is behind it`);
          }
        }
        if (!problem) asked = askAtOnce();
        const fetched = response.partitions.filter(({ errorCode }) => errorCode === 0);
        apart = await context.prepare(buffer, fetched) || !context.inPlace;
        const making = () => makeRows(reading, hand, buffer, apart, fetched, spans);
        await backoff.apart(memory.inTurn(making));
      } finally {
        if (apart) memory.give(buffer);
        else hand.afterwards(() => memory.give(buffer));
      }
      if (context.full) break;
      if (problem) throw problem;
      outage.ends();
      if (gained) {
        reading.lastRecords = patientNow(cluster.config);
        backoff.progress();
      } else if (options.until === "end") {
        if (backoff.expired) throw stalled(spans.find((span) => span.done < span.end)!);
      } else if (!isIdle(reading)) backoff.progress();
      else if (all.every((span) => isIdle(reading, span.answered))) {
        backoff.progress();
        // An answer may have come while the leaders were asked: it is looked at first.
        if (!replicas.areAny || replicas.atEndSince === reading.lastRecords) reading.idle = true;
        else if (!replicas.areAsked && !await replicas.areAtEnd(reading.lastRecords)) {
          reading.lastRecords = patientNow(cluster.config); // The leaders have some.
        }
      }
      if (reading.idle) break;
      if (!replicas.areAny) continue;
      const elsewhere = spans.filter((span) =>
        replicas.isElsewhere(span, id) && !asked?.spans.includes(span)
      );
      if (elsewhere.length > 0) {
        await backoff.apart(hand.finish());
        for (const span of elsewhere) spans.splice(spans.indexOf(span), 1);
        place(elsewhere);
      }
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

/** Asks as the broker understands it: with this client's rack, if it has one. */
function call(
  connection: Connection,
  { options: { rack } }: Reading,
  replicas: ReadReplicas,
  spans: readonly Span[],
  request: FetchRequest,
  into: AnswerBuffer,
): Promise<FetchResponse> {
  return rack !== "" && connection.accepts(fetchWithRack)
    ? connection.call(fetchWithRack, { ...request, rack: replicas.rackFor(spans) }, { into })
    : connection.call(fetch, request, { into });
}

/**
 * Waits for what follower `id` is to do. Throws ConnectionError if that takes long, or if no other
 * try helps: its leader is to be asked then.
 */
async function inTime<T>(work: Promise<T>, milliseconds: number, id: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const seconds = Math.round(milliseconds / 100) / 10;
    reject(new ConnectionError(`broker ${id} did not answer within ${seconds} s`));
  }, milliseconds);
  try {
    return await Promise.race([work, promise]);
  } catch (error) {
    if (!(error instanceof Failure && error.kind === "broker")) throw error;
    throw new ConnectionError(error.message, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** Whether nothing had come for as long as the run is to wait: now, or at another time. */
function isIdle(
  { cluster: { config }, options: { until }, lastRecords }: Reading,
  now = patientNow(config),
): boolean {
  return typeof until === "object" && now - lastRecords >= until.idle;
}

/** How long a broker is to wait for records, milliseconds. */
function maxWait({ cluster: { config }, options: { until } }: Reading): number {
  const idle = typeof until === "object" ? until.idle : Infinity;
  return Math.floor(Math.min(MAX_WAIT, config.timeout / 2, idle / 2));
}

function request(
  reading: Reading,
  replicas: ReadReplicas,
  id: number,
  spans: readonly Span[],
  maxBytes: number,
): FetchRequest {
  const { options } = reading;
  return {
    isolation: options.isolation,
    maxWait: maxWait(reading),
    maxBytes,
    partitionMaxBytes: PARTITION_MAX_BYTES,
    topics: byTopic(spans).map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map((span) => ({
        partition: span.partition,
        offset: span.fetched,
        leaderEpoch: replicas.epochFor(span, id),
      })),
    })),
  };
}

function stalled(span: Span): Failure {
  return new Failure(
    "incomplete",
    `${partitionName(span)} was read up to offset ${span.done} of ${span.end}: ` +
      "its leader sends no more records — try again",
  );
}
