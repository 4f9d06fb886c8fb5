import type { Kernel } from "../protocol/kernel/kernel.ts";
import type { FetchedPartition } from "../protocol/messages/fetch.ts";
import type { Handover } from "./handover.ts";
import type { Reading } from "./reading.ts";
import { PartitionRows } from "./rows.ts";
import { type Span, spanOf } from "./span.ts";
import { unlessAborted } from "../waiting.ts";

/** Rows are handed on as soon as they pass this many bytes, however much a response inflates. */
const ROWS_MAX = 1024 * 1024;

/** Makes the rows of what was fetched and hands them over, in pieces where they are many. */
export async function makeRows(
  { context, signal }: Reading,
  hand: Handover,
  source: Kernel,
  apart: boolean,
  partitions: readonly FetchedPartition[],
  spans: readonly Span[],
): Promise<void> {
  const { memory } = context;
  /** The buffer that rows are made in; null if that is where their records lie. */
  let buffer = apart ? await memory.scratch() : null;
  let target = buffer ?? source;
  let from = context.ready(target);
  let out = from;
  /** Hands over, and goes on in another buffer, or after the rows that are being written. */
  const handOver = async () => {
    context.note(target);
    await hand.over(target, from, out);
    if (buffer === null) {
      from = out;
      return;
    }
    const written = buffer;
    hand.afterwards(() => memory.giveScratch(written));
    buffer = null;
    target = buffer = await memory.scratch();
    from = out = context.ready(target);
  };
  try {
    for (const fetched of partitions) {
      const span = spanOf(spans, fetched);
      const rows = new PartitionRows(context, source, fetched, span);
      try {
        while (!rows.finished && !context.full && !signal?.aborted) {
          out = rows.write(target, out, from + ROWS_MAX);
          if (rows.isHungry) await rows.feed();
          else if (rows.unknown !== null) {
            const learning = context.learn(rows.unknown);
            await (signal ? unlessAborted(learning, signal) : learning);
            // The next program is loaded into a buffer without rows.
            if (out > from) await handOver();
            else {
              context.note(target);
              from = out = context.ready(target);
            }
          } else if (!rows.finished) await handOver();
        }
      } finally {
        await rows.close();
      }
    }
    context.note(target);
    await hand.over(target, from, out);
  } finally {
    const last = buffer;
    if (last !== null) hand.afterwards(() => memory.giveScratch(last));
  }
}
