import type { RecordBatch } from "./batch.ts";
import type { Sink } from "./sender.ts";

/** Batches as they would be sent; bytes are with their headers, and compressed. */
export interface Batches {
  count: number;
  bytes: number;
  largest: number;
}

/** Counts batches instead of sending them. */
export class DryRun implements Sink {
  readonly batches: Batches = { count: 0, bytes: 0, largest: 0 };

  send(batch: RecordBatch): void {
    this.batches.count++;
    this.batches.bytes += batch.size;
    this.batches.largest = Math.max(this.batches.largest, batch.size);
    batch.release();
  }

  next(): number {
    return 0;
  }

  changed(): Promise<void> {
    return Promise.resolve();
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }
}
