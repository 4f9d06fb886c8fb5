import { Failure } from "../failure.ts";
import { ConnectionError } from "../kafka/connection_error.ts";
import { Kernel } from "../protocol/kernel/kernel.ts";
import { MEMORY_MAX, MEMORY_PROPERTY } from "./memory_limits.ts";

const MB = 1024 * 1024;
/** Buffers for rows: while one is filled, one is written, and one is handed over. */
const SCRATCH = 3;
/** A buffer for rows that grew larger goes when it was not needed so large for a while. */
const LARGE = 16 * MB;
/** Uses of a buffer that make a while. */
const WHILE = 16;

/**
 * The memory for what is fetched and made of it: one bound for the whole run, however many leaders
 * it reads from. A quarter is for answers, of all leaders together; a leader waits for its share. A
 * half is for what is larger than usual: one answer, one batch that can't be inflated piece by
 * piece, or one record. The rest is for rows, which are made of one answer at a time.
 */
export class Memory {
  readonly max: number;
  /** The most that one answer, batch or record may take. */
  readonly most: number;
  readonly #usual: number;
  /** What the buffers for answers take. */
  #used = 0;
  /**
   * How large the next answer of a leader may be, after one that was larger than asked for. Not of
   * all together: the small answers of others say nothing of it.
   */
  readonly #expected = new Map<number, number>();
  readonly #waiting: Waiting[] = [];
  readonly #spare: AnswerBuffer[] = [];
  /** Buffers for rows that are used, and those that wait to be. */
  readonly #filled = new Set<RowBuffer>();
  readonly #empty: RowBuffer[] = [];
  readonly #wanted: ((buffer: RowBuffer) => void)[] = [];
  #turn: Promise<void> = Promise.resolve();

  constructor(max = MEMORY_MAX) {
    this.max = max;
    this.most = max / 2;
    this.#usual = max / 4;
  }

  /**
   * A buffer for an answer of `size` bytes, or a little more, of this leader; null if it must be
   * waited for.
   */
  tryTake(size: number, leader: number): AnswerBuffer | null {
    return this.#waiting.length > 0 ? null : this.#take(size, leader);
  }

  /** The same, waiting for it. A caller that waits must hold no buffer: others may wait for it. */
  take(size: number, leader: number): Promise<AnswerBuffer> {
    const buffer = this.tryTake(size, leader);
    if (buffer !== null) return Promise.resolve(buffer);
    const { promise, resolve } = Promise.withResolvers<AnswerBuffer>();
    this.#waiting.push({ size, leader, resolve });
    return promise;
  }

  /** Takes back a buffer whose answer is not looked at any more. */
  give(buffer: AnswerBuffer): void {
    this.#used -= buffer.counted;
    buffer.counted = 0;
    // Used again rather than left to be collected, which takes its time; all within their quarter.
    const kept = this.#spare.reduce((sum, { bytes }) => sum + bytes.length, this.#used);
    if (kept + buffer.bytes.length <= this.#usual || this.#spare.length === 0) {
      this.#spare.push(buffer);
    }
    while (this.#waiting.length > 0) {
      const { size, leader, resolve } = this.#waiting[0];
      const next = this.#take(size, leader);
      if (next === null) return;
      this.#waiting.shift();
      resolve(next);
    }
  }

  #take(least: number, leader: number): AnswerBuffer | null {
    const size = Math.max(least, this.#expected.get(leader) ?? 0);
    if (this.#used > 0 && this.#used + size > this.#usual) return null;
    const fitting = this.#spare.findIndex(({ bytes }) => bytes.length > size);
    const [buffer = new AnswerBuffer(this)] = this.#spare.splice(fitting, 1);
    buffer.counted = Math.max(size, buffer.bytes.length);
    buffer.leader = leader;
    this.#used += buffer.counted;
    return buffer;
  }

  /**
   * An answer of `size` bytes comes into a buffer. Throws if there is no room for it: Failure if
   * there never is, else ConnectionError, and it is to be asked for again.
   */
  answer(buffer: AnswerBuffer, size: number): void {
    const expected = this.#expected.get(buffer.leader) ?? 0;
    if (size <= buffer.counted) {
      this.#expected.set(buffer.leader, Math.max(size, expected / 2));
      return;
    }
    this.#expected.set(buffer.leader, Math.max(size, expected));
    const others = this.#used - buffer.counted;
    if (size > this.most) {
      throw new Failure("record", `${buffer.place}: ${this.tooMuch("the answer", size)}`);
    }
    if (others > 0 && others + size > this.#usual) {
      throw new ConnectionError(`an answer of ${size} bytes must wait for memory`);
    }
    buffer.counted = size;
    this.#used = others + size;
  }

  /** What to say of something that needs more than {@link most}; `size` if it is known. */
  tooMuch(what: string, size?: number): string {
    const needed = size === undefined ? `more than ${this.most}` : `${size}`;
    const enough = size === undefined ? `more than ${this.max}` : `${2 * size} or more`;
    return `${what} needs ${needed} bytes of memory at once, but one answer gets at most half of ` +
      `${MEMORY_PROPERTY}=${this.max} — set ${MEMORY_PROPERTY} (-X or --config) ` +
      `to ${enough}, or write smaller batches`;
  }

  /** Runs `work` after all work asked for before: rows are made of one answer at a time. */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turn = promise;
    await before;
    try {
      return await work();
    } finally {
      resolve();
    }
  }

  /** A buffer for rows: waits for one that was written. */
  scratch(): Promise<RowBuffer> {
    if (this.#hasRoom()) return Promise.resolve(this.#fill());
    return new Promise((resolve) => this.#wanted.push(resolve));
  }

  /**
   * Takes back a buffer for rows. Large ones are used again: what is dropped is collected late, and
   * meanwhile others would be made.
   */
  giveScratch(buffer: RowBuffer): void {
    this.#filled.delete(buffer);
    this.#empty.push(buffer.isTooLarge() ? new RowBuffer() : buffer);
    while (this.#wanted.length > 0 && this.#hasRoom()) this.#wanted.shift()!(this.#fill());
  }

  /** Whether another buffer for rows may be used, which may grow as large as the largest. */
  #hasRoom(): boolean {
    if (this.#filled.size === 0) return true;
    if (this.#filled.size === SCRATCH) return false;
    let used = 0;
    let largest = 0;
    for (const { bytes } of this.#filled) {
      used += bytes.length;
      largest = Math.max(largest, bytes.length);
    }
    return largest <= LARGE || used + largest <= this.most;
  }

  #fill(): RowBuffer {
    // The one used last is the largest, if rows are large: the others then stay small.
    const buffer = this.#empty.pop() ?? new RowBuffer();
    this.#filled.add(buffer);
    return buffer;
  }
}

/** A buffer that rows are made in. */
export class RowBuffer extends Kernel {
  /** Uses since it was needed as large as it is. */
  #uses = 0;

  override reserve(size: number): void {
    if (size > LARGE) this.#uses = 0;
    super.reserve(size);
  }

  /** Counts a use. Its memory never shrinks: whether another one shall take its place. */
  isTooLarge(): boolean {
    return this.bytes.length > LARGE && ++this.#uses > WHILE;
  }
}

/** A caller that waits for a buffer. */
interface Waiting {
  size: number;
  leader: number;
  resolve: (buffer: AnswerBuffer) => void;
}

/** A buffer that an answer is read into. */
export class AnswerBuffer extends Kernel {
  /** What it counts for, bytes. */
  counted = 0;
  /** The id of the broker that was asked. */
  leader = -1;
  /** Where the first batch was asked for, which comes whole however large it is: for messages. */
  place = "";
  readonly #memory: Memory;

  constructor(memory: Memory) {
    super();
    this.#memory = memory;
  }

  override reserve(size: number): void {
    this.#memory.answer(this, size);
    super.reserve(size);
  }
}
