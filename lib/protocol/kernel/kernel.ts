import { Buffer } from "node:buffer";
import { kernelWasm } from "./kernel_wasm.ts";
import { type Packing, PackState } from "./packing.ts";

interface Exports {
  memory: WebAssembly.Memory;
  init(): void;
  crc32c(start: number, size: number): number;
  rows(
    start: number,
    end: number,
    count: number,
    min: number,
    max: number,
    budget: number,
    out: number,
    flags: number,
    floor: number,
    ceiling: number,
  ): number;
  fields(
    start: number,
    end: number,
    count: number,
    min: number,
    max: number,
    budget: number,
    out: number,
    flags: number,
    enough: number,
    floor: number,
    ceiling: number,
    columns: number,
    fixed: number,
    factor: number,
  ): number;
  setUpPacking(
    end: number,
    quotes: boolean,
    keyMode: number,
    keyArgument: number,
    hashing: boolean,
    partitions: number,
    table: number,
    scratch: number,
    tombstones: boolean,
    shape: number,
  ): void;
  startInput(headerRows: number): number;
  pack(start: number, end: number, last: boolean, only: number, budget: number): number;
  discard(start: number, end: number, last: boolean): number;
}

const PAGE = 65536;
/** Where the kernel keeps what {@link Kernel.rows} says of itself (STATE in memory.as.ts). */
const STATE = 16640;
/** The same of {@link Kernel.pack} (PACKED in memory.as.ts). */
const PACKED = 16960;
/** Copies are whole vectors: this many bytes after the caller's may be touched. */
const SLACK = 64;

const INT32_MAX = 0x7fffffff;

let compiled: WebAssembly.Module | undefined;

/** Why {@link Kernel.rows} returned. */
export const Stop = {
  /** All the records were seen. */
  done: 0,
  /** A value wants an exact look: it lies at valueAt, valueLength bytes (negative: null). */
  suspect: 1,
  /** The budget is used up and another record waits at `at`. */
  full: 2,
  /** The bytes are not records. */
  broken: 3,
  /** A field can't be part of any row: valueAt is one of {@link unfitReasons}, valueLength its column. */
  unfit: 4,
  /** The next record's row may be longer than what is left up to `enough`: it waits at `at`. */
  enough: 5,
} as const;

/** Why a text can't be a field, by its number in the kernel. */
export const unfitReasons = [
  "",
  "holds a NUL byte",
  "is not UTF-8",
  "holds a line that is just \\., which would end the data",
  "is outside the years 1 to 9999",
] as const;

/** Flags of {@link Kernel.rows}, and the last three of {@link Kernel.fields} alone. */
export const Flag = {
  guard: 1,
  emptyTombstones: 2,
  valueField: 4,
  valueHex: 8,
  /** All records have the batch's time (LogAppendTime). */
  appendTime: 16,
} as const;

/** A field before the value: some text, or what is taken from the record. */
export type Column =
  | { kind: "text"; text: Uint8Array }
  | { kind: "offset" | "timestamp" | "key" }
  | { kind: "header"; text: Uint8Array };

const columnKinds = { text: 0, offset: 1, timestamp: 2, key: 3, header: 4 } as const;
/** Where {@link Kernel.fields} looks for the batch and the columns (memory.as.ts). */
const PARAMETERS = 20480;
const COLUMNS = 20496;
const COLUMN_ENTRY = 12;

/**
 * A buffer with the compiled loops that work on it (*.as.ts): the memory that a socket reads
 * into is the memory that WebAssembly decodes in, so nothing is copied in or out.
 *
 * Indexes are into {@link bytes}; the caller's part starts at {@link DATA}.
 */
export class Kernel {
  /** The first index that is the caller's. */
  static readonly DATA = 32768;

  bytes!: Uint8Array<ArrayBuffer>;
  view!: DataView<ArrayBuffer>;
  /** What the last {@link pack} did. */
  packed!: PackState;
  #state!: Int32Array;
  readonly #exports: Exports;

  constructor() {
    compiled ??= new WebAssembly.Module(Buffer.from(kernelWasm, "base64"));
    this.#exports = new WebAssembly.Instance(compiled).exports as unknown as Exports;
    this.#exports.init();
    this.#look();
  }

  /** The memory's bytes, looked up again: growing it detaches what was handed out before. */
  #look(): void {
    const memory = this.#exports.memory.buffer as ArrayBuffer;
    this.bytes = new Uint8Array(memory);
    this.view = new DataView(memory);
    this.#state = new Int32Array(memory, STATE, 9);
    this.packed = new PackState(new Uint32Array(memory, PACKED, 9));
  }

  /** Makes room for `size` bytes from DATA on. What was there stays; {@link bytes} may be new. */
  reserve(size: number): void {
    const missing = Kernel.DATA + size + SLACK - this.bytes.length;
    if (missing <= 0) return;
    this.#exports.memory.grow(Math.ceil(missing / PAGE));
    this.#look();
  }

  /** CRC32C of `size` bytes, as an unsigned number (RFC 3720, appendix B.4). */
  crc32c(start: number, size: number): number {
    return this.#exports.crc32c(start, size) >>> 0;
  }

  /**
   * Turns records into rows, in place: from `start` to `end`, at most `count` of them, written
   * where min <= offset delta < max, at most `budget`. `out` lies at least 32 bytes before `start`.
   * Records whose offset deltas do not rise from above `floor` up to `ceiling` are broken. Returns
   * where the rows end; the getters below tell the rest of this call.
   */
  rows(
    start: number,
    end: number,
    count: number,
    min: number,
    max: number,
    budget: number,
    out: number,
    flags: number,
    floor = -1,
    ceiling = INT32_MAX,
  ): number {
    // deno-fmt-ignore
    return this.#exports.rows(
      start, end, count, min, max, budget, out, flags, floor, ceiling);
  }

  /**
   * Says what {@link fields} puts before the values. Throws RangeError if the names do not
   * fit into the kernel's 12 KiB for them.
   */
  setColumns(columns: readonly Column[]): void {
    let text = COLUMNS + COLUMN_ENTRY * columns.length;
    for (const [index, column] of columns.entries()) {
      const bytes = "text" in column ? column.text : new Uint8Array();
      if (text + bytes.length > Kernel.DATA - SLACK) throw new RangeError("too many columns");
      const entry = COLUMNS + COLUMN_ENTRY * index;
      this.view.setInt32(entry, columnKinds[column.kind], true);
      this.view.setUint32(entry + 4, text, true);
      this.view.setInt32(entry + 8, bytes.length, true);
      this.bytes.set(bytes, text);
      text += bytes.length;
    }
  }

  /**
   * Like {@link rows}, with `columns` fields before each value ({@link setColumns}). The rows go to
   * another place, up to `enough`: one takes at most `fixed` bytes and `factor` times its record's
   * size. `offset` and `time` are the batch's. A suspect record is not one of the rows, and
   * {@link at} is where it starts.
   */
  fields(
    start: number,
    end: number,
    count: number,
    min: number,
    max: number,
    budget: number,
    out: number,
    flags: number,
    enough: number,
    floor: number,
    ceiling: number,
    { count: columns, fixed, factor }: { count: number; fixed: number; factor: number },
    offset: number,
    time: number,
  ): number {
    this.view.setBigInt64(PARAMETERS, BigInt(offset), true);
    this.view.setBigInt64(PARAMETERS + 8, BigInt(time), true);
    // deno-fmt-ignore
    return this.#exports.fields(
      start, end, count, min, max, budget, out, flags, enough, floor, ceiling, columns, fixed, factor);
  }

  /** One of {@link Stop}. */
  get stop(): number {
    return this.#state[0];
  }
  /** Where the next record starts. */
  get at(): number {
    return this.#state[1];
  }
  /** Records seen, written or not; a suspect one counts. */
  get seen(): number {
    return this.#state[2];
  }
  /** Rows written. */
  get emitted(): number {
    return this.#state[3];
  }
  /** Null values skipped. */
  get nulls(): number {
    return this.#state[4];
  }
  /** Offset delta of the last record taken between min and max; -1 if there was none. */
  get delta(): number {
    return this.#state[5];
  }
  /** Where a suspect value lies: at the end of the rows, not yet one of them. */
  get valueAt(): number {
    return this.#state[6];
  }
  /** The last record's value size; negative for null. */
  get valueLength(): number {
    return this.#state[7];
  }
  /** Offset delta of the last record seen: the `floor` of the next call. */
  get passed(): number {
    return this.#state[8];
  }

  /** Says how {@link pack} finds rows, and where it puts their records. */
  setUpPacking(packing: Packing): void {
    const { split, key, hashing, partitions, table, scratch, tombstones, shape } = packing;
    const mode = key === null ? 0 : "delimiter" in key ? 1 : 2;
    const argument = key === null ? 0 : "delimiter" in key ? key.delimiter : key.column;
    this.#exports.setUpPacking(
      split === "nul" ? 0 : 0x0a,
      split === "csv",
      mode,
      argument,
      hashing,
      partitions,
      table,
      scratch,
      tombstones,
      shape,
    );
  }

  /** A new input begins. Lines are counted over all inputs: returns the number of its first. */
  startInput(headerRows: number): number {
    return this.#exports.startInput(headerRows) >>> 0;
  }

  /**
   * Appends the rows between `start` and `end`, `budget` at most, to the open batches: those with a
   * key to its partition where keys choose it, the others to partition `only`. `last`: no more will
   * come after `end`. Returns where the first row starts that is left; {@link packed} says why.
   * A row of which only a part was there is not searched again from its start, so the next call
   * must begin with it.
   */
  pack(start: number, end: number, last: boolean, only: number, budget: number): number {
    return this.#exports.pack(start, end, last, only, budget);
  }

  /**
   * Steps over the rest of a row whose beginning is lost already. Returns where the next one starts,
   * or 0 if that is not before `end`.
   */
  discard(start: number, end: number, last: boolean): number {
    return this.#exports.discard(start, end, last);
  }
}
