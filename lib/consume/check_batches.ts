import { Failure } from "../failure.ts";
import { partitionName } from "../kafka/partitions.ts";
import { ProtocolError } from "../protocol/errors.ts";
import type { Kernel } from "../protocol/kernel/kernel.ts";
import type { FetchedPartition } from "../protocol/messages/fetch.ts";
import { Batch, batchEnd, int64At } from "../protocol/record_batch.ts";
import type { Span } from "./span.ts";

/** Offsets are JavaScript numbers: exact below this. */
const OFFSET_MAX = Number.MAX_SAFE_INTEGER - 0x8000_0000;

/**
 * Checks the headers of the batches that came of a partition: base offset and length are not in the
 * CRC (brokers write them), so these must make sense beside those of the other batches, and beside
 * what was asked for. The CRCs are compared by {@link checkCrc} just before a batch becomes rows,
 * which then finds its bytes in the processor's cache; until then nothing that is in the CRC decides
 * more than what is asked for next, and what is inflated on trial. If headers are wrong the CRCs come
 * first: one that does not match is the reason.
 *
 * Returns the offset after the last batch, and removes from `fetched` what must not be read: a
 * cut batch, and offsets past the high watermark, which a broker sends if that moved meanwhile.
 * Both are asked for again. Throws Failure (record), naming topic, partition and offset.
 */
export function checkBatches(
  kernel: Kernel,
  fetched: FetchedPartition,
  span: Span,
  checkCrcs: boolean,
): number {
  const { view } = kernel;
  const { highWatermark } = fetched;
  let next = span.fetched;
  let at = fetched.start;
  const checkThese = () => {
    if (!checkCrcs) return;
    for (let from = fetched.start, to; from <= at; from = to) {
      to = batchEnd(view, from, fetched.end);
      if (to === -1) return;
      checkCrc(kernel, span, from, to);
    }
  };
  for (let end; (end = wholeBatch(view, at, fetched.end, span, next)) !== -1; at = end) {
    const base = int64At(view, at);
    const delta = view.getInt32(at + Batch.lastOffsetDelta);
    const count = view.getInt32(at + Batch.count);
    if (base < 0 || base > OFFSET_MAX || delta < 0 || count < 0 || count > delta + 1) {
      checkThese();
      throw brokenBatch(
        span,
        base,
        `the batch cannot hold ${count} records with offsets up to ${delta} more than its own`,
      );
    }
    const last = base + delta;
    // The first batch may start before what was asked for, unless that is where the last one ended.
    const mayBegin = at === fetched.start && !span.isBetweenBatches;
    if (mayBegin ? last < next : base < next) {
      checkThese();
      throw brokenBatch(
        span,
        base,
        `the batch of offsets ${base} to ${last} cannot be right: offset ${next} was expected`,
      );
    }
    if (highWatermark >= 0 && last >= highWatermark) {
      // It is not read now, so that nothing else would find it.
      checkThese();
      break;
    }
    next = last + 1;
  }
  fetched.end = at;
  return next;
}

/** Compares the CRC of the batch from `at` to `end` with its bytes. Throws Failure (record) if it differs. */
export function checkCrc(kernel: Kernel, span: Span, at: number, end: number): void {
  const summed = kernel.crc32c(at + Batch.attributes, end - at - Batch.attributes);
  if (summed === kernel.view.getUint32(at + Batch.crc)) return;
  const base = int64At(kernel.view, at);
  throw brokenBatch(span, base, "the batch's CRC32C does not match its bytes");
}

/** The end of the batch at `at`; -1 if it is not whole. `next` is the offset it should have. */
function wholeBatch(view: DataView, at: number, end: number, span: Span, next: number): number {
  // Older formats have their length there, too, but a smaller one.
  if (at + Batch.magic < end) {
    const magic = view.getInt8(at + Batch.magic);
    if (magic !== 2) {
      throw new Failure(
        "record",
        `${partitionName(span)} offset ${int64At(view, at)}: stored in message format ${magic}, ` +
          "only format 2 (Kafka 0.11 and later) can be read",
      );
    }
  }
  try {
    return batchEnd(view, at, end);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new Failure("record", `${partitionName(span)} offset ${next}: ${error.message}`, {
      cause: error,
    });
  }
}

/** A batch that can't be read: `what` is wrong with it. */
export function brokenBatch(span: Span, base: number, what: string): Failure {
  return new Failure("record", `${partitionName(span)} base offset ${base}: ${what}`);
}
