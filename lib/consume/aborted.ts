import type { AbortedTransaction } from "../protocol/messages/fetch.ts";
import { Attribute, Batch, Control, controlType, int64At } from "../protocol/record_batch.ts";

/** Follows, batch by batch of one response, which records belong to aborted transactions (KIP-98). */
export class Aborted {
  readonly #waiting: AbortedTransaction[];
  readonly #active = new Set<number>();

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#waiting = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
  }

  /**
   * Whether the batch from `at` to `end`, whose offsets end before `next`, holds no records for
   * readers.
   */
  isVoid(view: DataView, at: number, end: number, next: number): boolean {
    const attributes = view.getInt16(at + Batch.attributes);
    const isControl = (attributes & Attribute.control) !== 0;
    if ((attributes & Attribute.transactional) === 0) return isControl;
    while (this.#waiting.length > 0 && this.#waiting[0].firstOffset < next) {
      this.#active.add(this.#waiting.shift()!.producerId);
    }
    const producer = int64At(view, at + Batch.producerId);
    if (!isControl) return this.#active.has(producer);
    if (controlType(view, at, end) === Control.abort) this.#active.delete(producer);
    return true;
  }
}
