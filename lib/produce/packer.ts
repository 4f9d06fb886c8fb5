import { Packed, SPOILT } from "../protocol/kernel/packing.ts";
import { Batch } from "../protocol/record_batch.ts";
import type { Arena, Slot } from "./arena.ts";
import { RecordBatch } from "./batch.ts";
import type { ProduceOptions } from "./options.ts";
import { Pace } from "./pace.ts";
import type { Sealer } from "./sealer.ts";
import type { Sink } from "./sender.ts";
import { whyUnfit } from "./why_unfit.ts";

/** The largest batch that is filled: less after a broker said that one was too large. */
export class BatchLimit {
  /** Bytes, header included: a topic accepts 1,048,588 by default. */
  bytes = 1_000_000;
}

/** How long a row may wait for others to fill its batch with while no input comes, milliseconds. */
const LINGER = 20;
/** Below this, waiting for input does not count as a wait. */
const PROMPT = 3;

/** Fills batches with rows, and passes them on when they are full or have waited. */
export class Packer {
  /** Rows packed, their bytes, and empty lines. */
  rows = 0;
  bytes = 0;
  empty = 0;
  readonly #arena: Arena;
  readonly #options: ProduceOptions;
  readonly #sink: Sink;
  readonly #sealer: Pick<Sealer, "seal">;
  readonly #pace: Pace;
  /** A row that can't be a record, and its line; it throws, or counts it. */
  readonly #bad: (line: number, why: string) => void;
  readonly #limit: BatchLimit;
  /** The slots of the open batches, by partition. */
  readonly #open = new Map<number, Slot>();
  /** Where rows without a key go. */
  #partition: number;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #waitingSince = Infinity;
  #openSince = Infinity;

  constructor(
    arena: Arena,
    options: ProduceOptions,
    sink: Sink,
    sealer: Pick<Sealer, "seal">,
    bad: (line: number, why: string) => void,
    limit = new BatchLimit(),
  ) {
    this.#limit = limit;
    this.#arena = arena;
    this.#options = options;
    this.#sink = sink;
    this.#sealer = sealer;
    this.#bad = bad;
    this.#pace = new Pace(options);
    this.#partition = options.partition ?? sink.next(-1);
  }

  /**
   * Packs the rows between `start` and `end` of the kernel's memory. `last`: the input ends there.
   * Returns where the first row starts that is not whole.
   */
  async pack(start: number, end: number, last: boolean): Promise<number> {
    const { kernel } = this.#arena;
    const limited = this.#pace.limited;
    while (true) {
      const budget = limited && start < end ? await this.#pace.next(this.closeAll) : 0x7fffffff;
      start = kernel.pack(start, end, last, this.#partition, budget);
      const { stop, partition, size, line, rows } = kernel.packed;
      this.rows += rows;
      this.bytes += kernel.packed.bytes;
      this.empty += kernel.packed.empty;
      if (limited) this.#pace.took(rows);
      switch (stop) {
        case Packed.more:
          return start;
        case Packed.open:
          await this.#openBatch(partition);
          break;
        case Packed.full:
          this.#close(partition);
          if (partition === this.#partition) this.#turn();
          break;
        case Packed.large:
          await this.#makeRoom(partition, Batch.records + size);
          break;
        case Packed.unfit:
          this.#bad(line, whyUnfit(kernel.packed, this.#options));
      }
    }
  }

  /** Passes on all open batches, full or not. */
  readonly closeAll = (): void => {
    for (const partition of [...this.#open.keys()]) this.#close(partition);
    this.#turn();
  };

  /** Passes on all open batches and waits until nothing is under way. */
  async drain(): Promise<void> {
    this.closeAll();
    await this.#sink.flush();
  }

  /** Waits for input: meanwhile rows that waited long enough are passed on. */
  async waiting(input: Promise<number | null>): Promise<number | null> {
    this.#waitingSince = performance.now();
    try {
      return await input;
    } finally {
      this.#waitingSince = Infinity;
    }
  }

  /** The first line of which a row is in an open batch; Infinity for none. */
  get firstLine(): number {
    return Math.min(...[...this.#open.keys()].map((partition) => this.#arena.line(partition)));
  }

  /** Ends the timer. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Goes to another partition, so that all get their share. */
  #turn(): void {
    if (this.#options.partition === null) this.#partition = this.#sink.next(this.#partition);
  }

  async #openBatch(partition: number): Promise<void> {
    const current = this.#partition;
    const slot = await this.#slot();
    // Meanwhile others may have been passed on: the row that this is for must find it.
    this.#partition = current;
    this.#opened(partition, slot, Math.min(this.#limit.bytes, slot.end - slot.start));
  }

  #opened(partition: number, slot: Slot, limit: number): void {
    this.#open.set(partition, slot);
    this.#arena.open(partition, slot, limit);
    if (this.#open.size === 1) this.#openSince = performance.now();
    this.#timer ??= setTimeout(this.#linger, LINGER);
  }

  async #slot(): Promise<Slot> {
    while (true) {
      const slot = this.#arena.take();
      if (slot !== null) return slot;
      await this.#sink.changed();
    }
  }

  /** Lets the empty batch of `partition` take a record that makes it `size` bytes large. */
  async #makeRoom(partition: number, size: number): Promise<void> {
    const arena = this.#arena;
    const needed = size + SPOILT + 4;
    if (needed > arena.slotSize) {
      const current = this.#partition;
      this.#close(partition);
      let slot: Slot | null;
      while ((slot = arena.takeLarge(needed)) === null) {
        await this.drain();
        arena.grow(arena.inputSize, needed);
      }
      // The row that this is for must find its partition again.
      this.#partition = current;
      this.#opened(partition, slot, size);
    } else arena.widen(partition, size - Batch.records);
  }

  #close(partition: number): void {
    const arena = this.#arena;
    const slot = this.#open.get(partition)!;
    const end = arena.at(partition);
    const count = arena.count(partition);
    arena.close(partition);
    this.#open.delete(partition);
    if (count === 0) return arena.give(slot);
    const at = { partition, start: slot.start, end, top: slot.end, count };
    const batch = new RecordBatch(arena.kernel, at, () => arena.give(slot));
    this.#sealer.seal(batch);
    this.#sink.send(batch);
  }

  readonly #linger = (): void => {
    this.#timer = null;
    if (this.#open.size === 0) return;
    const now = performance.now();
    const age = now - this.#openSince;
    // While input keeps coming, many open batches get time to fill.
    if (age >= LINGER && now - this.#waitingSince >= PROMPT || age >= 10 * LINGER) this.closeAll();
    else this.#timer = setTimeout(this.#linger, Math.max(LINGER - age, PROMPT));
  };
}
