import { recordEnd } from "../protocol/record_batch.ts";
import type { RowFormat } from "./columns.ts";

/** Rows are made of this many bytes of records at a time: about what a cache holds. */
const WINDOW = 4 * 1024 * 1024;
/** Room for rows that are longer than their records, beside the size of these. */
const SPARE_ROOM = 256 * 1024;
/** The most bytes that the length of a record can have. */
const LENGTH_MAX = 5;

/**
 * The records of one batch, which need not be all there yet: rows are made of one window of them
 * after another, so that a batch may be of any size.
 */
export class BatchRecords {
  /** What is there of them; of pieces, in a buffer of its own. */
  #bytes: Uint8Array;
  #buffer = new Uint8Array();
  /** Whether the last of them are there. */
  isWhole: boolean;
  /** Told what one record needs, bytes; throws where that is too much. */
  readonly #afford: (size: number) => void;
  /** Where the records start that are not used yet. */
  #from = 0;
  /** Where the window ended that was looked at last. */
  #end = 0;
  /** Where the next one ends, at least: at the end of a record that is larger than most. */
  #need = 0;
  /** Room for rows, at least: for one that is longer than most. */
  #room = 0;
  /** What {@link room} said last. */
  #given = 0;

  /** `bytes`: all the records; null if they come piece by piece. */
  constructor(bytes: Uint8Array | null, afford: (size: number) => void) {
    this.#bytes = bytes ?? new Uint8Array();
    this.isWhole = bytes !== null;
    this.#afford = afford;
  }

  /** Whether all that came was used. */
  get isEmpty(): boolean {
    return this.#from === this.#bytes.length;
  }

  /** The records that rows are made of next; the last one may be cut. */
  window(): Uint8Array {
    this.#end = Math.min(this.#bytes.length, Math.max(this.#from + WINDOW, this.#need));
    return this.#bytes.subarray(this.#from, this.#end);
  }

  /** These first bytes of the window are rows now, or left out. */
  use(size: number): void {
    if (size === 0) return;
    this.#from += size;
    this.#need = this.#room = 0;
  }

  /** How long the rows may be that are made of a window of this size, in bytes. */
  room({ fixed }: RowFormat, size: number): number {
    this.#given = Math.max(size + Math.max(size >> 1, SPARE_ROOM) + fixed, this.#room);
    return this.#given;
  }

  /**
   * There must be room for the row of the next record, however long it is. How long its fields of
   * structured values are, or its rows with their columns, is seen when they are written: so it is
   * twice what was given before.
   */
  enlargeRoom({ fixed, factor }: RowFormat): void {
    const size = recordEnd(this.#bytes, this.#from) - this.#from;
    this.#need = this.#from + size;
    const least = fixed + factor * size;
    this.#room = least > this.#given ? least : 2 * this.#given;
    this.#afford(size + this.#room);
  }

  /** Whether the record that is next goes on after the window's end. */
  isCut(): boolean {
    const end = recordEnd(this.#bytes, this.#from);
    const need = end === -1 ? this.#from + LENGTH_MAX : end;
    if (need <= this.#end || (this.isWhole && need > this.#bytes.length)) return false;
    this.#need = need;
    return true;
  }

  /** Makes the window reach to the end of that record. False: more must be added for it. */
  enlarge(): boolean {
    if (this.#need > this.#from + WINDOW) this.#afford(2 * (this.#need - this.#from));
    return this.#need <= this.#bytes.length;
  }

  /** The next piece, which is copied. */
  add(piece: Uint8Array): void {
    const left = this.#bytes.length - this.#from;
    let end = this.#bytes.length + piece.length;
    if (end > this.#buffer.length) {
      const rest = this.#bytes.subarray(this.#from);
      const size = Math.max(left, this.#need - this.#from) + piece.length;
      // A record of many pieces gets its buffer once.
      if (size > this.#buffer.length) this.#buffer = new Uint8Array(size);
      this.#buffer.set(rest);
      this.#need = Math.max(this.#need - this.#from, 0);
      this.#from = 0;
      end = left + piece.length;
    }
    this.#buffer.set(piece, end - piece.length);
    this.#bytes = this.#buffer.subarray(0, end);
  }
}
