import { partitionName } from "../kafka/partitions.ts";
import type { BadRows } from "./bad_rows.ts";
import type { RecordBatch } from "./batch.ts";
import type { Compressor } from "./compressor.ts";
import type { BatchLimit } from "./packer.ts";
import type { PartitionQueue } from "./partition_queue.ts";
import { splitBatch } from "./split_batch.ts";

/** No smaller batches are filled because a broker found one too large, bytes. */
const LEAST_BATCH = 16 * 1024;

/** Deals with batches that a broker finds too large for the topic. */
export class TooLarge {
  readonly #limit: BatchLimit;
  readonly #compressor: Compressor | null;
  readonly #bad: BadRows;

  /** Lowers `limit`, which the packer reads. */
  constructor(limit: BatchLimit, compressor: Compressor | null, bad: BadRows) {
    this.#limit = limit;
    this.#compressor = compressor;
    this.#bad = bad;
  }

  /** Puts two halves in the batch's place; of a single row nothing, and that is a bad one. */
  readonly deal = (queue: PartitionQueue, batch: RecordBatch, error: Error): void => {
    if (batch.count > 1) {
      const half = Math.max(LEAST_BATCH, batch.recordsSize >> 1);
      this.#limit.bytes = Math.min(this.#limit.bytes, half);
      queue.replace(batch, splitBatch(batch, this.#compressor));
      return;
    }
    const code = error.message.split(": ").at(-1);
    this.#bad.add(
      batch.line(0),
      `is too large for ${partitionName(queue)}: a batch of ${batch.size} bytes, ${code}: ` +
        "the topic's max.message.bytes is the limit",
    );
    queue.replace(batch, []);
  };
}
