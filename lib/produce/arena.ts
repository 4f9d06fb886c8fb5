import { Kernel } from "../protocol/kernel/kernel.ts";
import { ENTRY, Entry, SCRATCH } from "../protocol/kernel/packing.ts";
import { Batch } from "../protocol/record_batch.ts";
import type { ProduceOptions } from "./options.ts";

/** Memory of one batch; smaller where many partitions have open batches, bytes. */
const SLOT = 1024 * 1024;
/** Memory of all batches together, bytes; each has LEAST_SLOT at least. */
const BUDGET = 24 * 1024 * 1024;
const LEAST_SLOT = 8 * 1024;
/** Batches that may be under way while others fill: as many as these, but within these limits. */
const LEAST_SPARE = 15;
const MOST_SPARE = 256;
/** Where input is read to, bytes. Longer rows let it grow. */
const INPUT = 1024 * 1024;

/** The longest row accepted, bytes: beside it, its record needs as much memory again. */
export const LONGEST_ROW = 64 * 1024 * 1024;

/** Memory for one batch. */
export interface Slot {
  readonly start: number;
  readonly end: number;
}

/**
 * The producer's memory, all of it in one kernel and of a fixed size, so that a row is copied once,
 * from where it was read to where it is sent from. In this order: the table of open batches,
 * scratch space, the program that says what a record is made of, the slots of the batches, the input, and one slot for records that are larger than
 * the other slots. Only the last two ever grow, and only when no batch is under way: growing
 * detaches what a socket may be sending from.
 */
export class Arena {
  readonly kernel: Kernel = new Kernel();
  /** Where {@link Kernel.pack}'s table and scratch space are. */
  readonly table: number = Kernel.DATA;
  readonly scratch: number;
  /** Where the program is that says what a record is made of ({@link shapeOf}); 0 for none. */
  readonly shape: number;
  /** Where input is read to: {@link inputSize} bytes. */
  readonly input: number;
  inputSize: number = INPUT;
  /** Size of a slot. */
  readonly slotSize: number;
  readonly #partitions: number;
  readonly #slots: number;
  readonly #free: Slot[] = [];
  #large: Slot | null = null;
  #largeTaken = false;

  /** `open`: how many batches may be open at once. `shape`: what a record is made of. */
  constructor(partitions: number, open: number, shape: Uint8Array | null) {
    this.#partitions = partitions;
    this.#slots = open + Math.min(Math.max(LEAST_SPARE, open), MOST_SPARE);
    this.slotSize = Math.max(LEAST_SLOT, Math.min(SLOT, Math.floor(BUDGET / this.#slots)));
    this.scratch = this.table + partitions * ENTRY;
    this.shape = shape === null ? 0 : this.scratch + SCRATCH;
    const slots = this.scratch + SCRATCH + align(shape?.length ?? 0);
    this.input = slots + this.#slots * this.slotSize;
    for (let start = slots; start < this.input; start += this.slotSize) {
      this.#free.push({ start, end: start + this.slotSize });
    }
    this.kernel.reserve(this.input + this.inputSize - Kernel.DATA);
    if (shape !== null) this.kernel.bytes.set(shape, this.shape);
  }

  /** Sets how rows are found; `hashing`: whether keys choose partitions. */
  setUp(
    { split, key, tombstones }: Pick<ProduceOptions, "split" | "key" | "tombstones">,
    hashing: boolean,
  ): void {
    const { table, scratch, shape } = this;
    this.kernel.setUpPacking({
      split,
      key,
      hashing,
      partitions: this.#partitions,
      table,
      scratch,
      tombstones,
      shape,
    });
  }

  /** A slot for a batch, or null while all are taken. */
  take(): Slot | null {
    return this.#free.pop() ?? null;
  }

  /** The slot for a batch of `size` bytes, larger than {@link slotSize}; null while it is taken. */
  takeLarge(size: number): Slot | null {
    if (this.#largeTaken || this.#large === null || this.#large.end - this.#large.start < size) {
      return null;
    }
    this.#largeTaken = true;
    return this.#large;
  }

  give(slot: Slot): void {
    if (slot === this.#large) this.#largeTaken = false;
    else this.#free.push(slot);
  }

  /** Whether no batch is open or under way. */
  get idle(): boolean {
    return !this.#largeTaken && this.#free.length === this.#slots;
  }

  /**
   * Makes the input or the large slot as large as that, or leaves them as large as they are. What
   * is in the input stays there. Only for when the arena is idle and nothing is being read.
   */
  grow(inputSize: number, largeSize: number): void {
    const before = this.#large ? this.#large.end - this.#large.start : 0;
    this.inputSize = Math.max(inputSize, this.inputSize);
    const start = this.input + this.inputSize;
    this.#large = { start, end: start + Math.max(before, largeSize) };
    this.kernel.reserve(this.#large.end - Kernel.DATA);
  }

  /** Opens a batch of `partition` in the slot, for records up to `limit` bytes of batch. */
  open(partition: number, slot: Slot, limit: number): void {
    this.#set(partition, Entry.at, slot.start + Batch.records);
    this.#set(partition, Entry.top, slot.end);
    this.#set(partition, Entry.limit, slot.start + limit);
    this.#set(partition, Entry.count, 0);
  }

  /** Lets the open batch of `partition`, which is empty, take one record of `size` bytes. */
  widen(partition: number, size: number): void {
    this.#set(partition, Entry.limit, this.at(partition) + size);
  }

  /** Where the open batch of `partition` ends so far. */
  at(partition: number): number {
    return this.#get(partition, Entry.at);
  }

  /** The records in the open batch of `partition`. */
  count(partition: number): number {
    return this.#get(partition, Entry.count);
  }

  /** The line of the first record in the open batch of `partition`; Infinity if it is empty. */
  line(partition: number): number {
    if (this.count(partition) === 0) return Infinity;
    return this.kernel.view.getUint32(this.#get(partition, Entry.top) - 4, true);
  }

  /** No batch of `partition` is open any more. */
  close(partition: number): void {
    this.#set(partition, Entry.at, 0);
  }

  #set(partition: number, field: number, value: number): void {
    this.kernel.view.setUint32(this.table + partition * ENTRY + field, value, true);
  }

  #get(partition: number, field: number): number {
    return this.kernel.view.getUint32(this.table + partition * ENTRY + field, true);
  }
}

function align(size: number): number {
  return (size + 15) & ~15;
}
