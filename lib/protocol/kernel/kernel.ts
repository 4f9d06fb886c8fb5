import { Buffer } from "node:buffer";
import type { FieldsOf, Program, RowsOf } from "./calls.ts";
import { kernelWasm } from "./kernel_wasm.ts";
import { type Packing, PackState } from "./packing.ts";
import { powersOfTen } from "./powers.ts";

export { Flag, Stop } from "./calls.ts";
export type { FieldsOf, Program, RowsOf } from "./calls.ts";
export { unfitReasons } from "./reasons.ts";

interface Exports {
  memory: WebAssembly.Memory;
  init(): void;
  crc32c(start: number, size: number): number;
  rows(): number;
  fields(): number;
  openProgram(): boolean;
  /** Addresses of memory.as.ts. */
  STATE: WebAssembly.Global;
  PACKED: WebAssembly.Global;
  PARAMETERS: WebAssembly.Global;
  POWERS: WebAssembly.Global;
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
/** Copies are whole vectors: this many bytes after the caller's may be touched. */
const SLACK = 64;

const INT32_MAX = 0x7fffffff;

let compiled: WebAssembly.Module | undefined;

/** The parameters of {@link Kernel.rows} and {@link Kernel.fields}, by index of their int32. */
const P = {
  start: 0,
  end: 1,
  count: 2,
  min: 3,
  max: 4,
  budget: 5,
  out: 6,
  flags: 7,
  floor: 8,
  ceiling: 9,
  enough: 10,
  partition: 11,
  topicSize: 12,
  /** int64 each. */
  offset: 14,
  time: 16,
  /** Bytes; no topic's name is longer than 249. */
  topic: 18,
} as const;
const TOPIC_MAX = 256;
const utf8 = new TextEncoder();

/**
 * A buffer with the compiled loops that work on it (*.as.ts): the memory that a socket reads
 * into is the memory that WebAssembly decodes in, so nothing is copied in or out.
 *
 * Indexes are into {@link bytes}; the caller's part starts at {@link start}.
 */
export class Kernel {
  /** The first index that is the caller's, where no program is loaded (DATA in memory.as.ts). */
  static readonly DATA = 65536;

  /** The first index that is the caller's: after the program, if one is loaded. */
  start: number = Kernel.DATA;
  /** The program that is loaded. */
  program: Program | null = null;

  bytes!: Uint8Array<ArrayBuffer>;
  view!: DataView<ArrayBuffer>;
  /** What the last {@link pack} did. */
  packed!: PackState;
  #state!: Int32Array;
  #parameters!: Int32Array;
  #topic = "";
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
    const { STATE, PACKED, PARAMETERS } = this.#exports;
    this.#state = new Int32Array(memory, STATE.value, 12);
    this.#parameters = new Int32Array(memory, PARAMETERS.value, P.topic);
    this.packed = new PackState(new Uint32Array(memory, PACKED.value, 9));
  }

  /** Makes room for `size` bytes from {@link DATA} on. What was there stays; {@link bytes} may be new. */
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
   * Loads the program of {@link fields}: from now on the caller's part begins at {@link start}. What
   * was in the memory is lost. {@link bytes} may be new.
   */
  load(program: Program): void {
    const size = Math.ceil(program.size / 64) * 64;
    this.reserve(size);
    this.bytes.set(program.bytes, Kernel.DATA);
    this.bytes.fill(0, Kernel.DATA + program.bytes.length, Kernel.DATA + size);
    this.bytes.set(powersOfTen(), this.#exports.POWERS.value);
    if (!this.#exports.openProgram()) throw new RangeError("not a program of rows");
    this.program = program;
    this.start = Kernel.DATA + size;
  }

  /** A byte for each slot of the program: 1 if a row had that field since the program was loaded. */
  get met(): Uint8Array {
    const at = Kernel.DATA + (this.program?.met ?? 0);
    return this.bytes.subarray(at, at + (this.program?.slots ?? 0));
  }

  #ask(what: RowsOf): void {
    const parameters = this.#parameters;
    parameters[P.start] = what.start;
    parameters[P.end] = what.end;
    parameters[P.count] = what.count;
    parameters[P.min] = what.min ?? 0;
    parameters[P.max] = what.max ?? INT32_MAX;
    parameters[P.budget] = what.budget ?? INT32_MAX;
    parameters[P.out] = what.out;
    parameters[P.flags] = what.flags;
    parameters[P.floor] = what.floor ?? -1;
    parameters[P.ceiling] = what.ceiling ?? INT32_MAX;
  }

  /**
   * Turns records into rows, in place: `out` lies at least 32 bytes before `start`. Returns where the
   * rows end; the getters below tell the rest of this call.
   */
  rows(what: RowsOf): number {
    this.#ask(what);
    return this.#exports.rows();
  }

  /** Says of which partition the next records are. */
  setPartition(topic: string, partition: number): void {
    this.#parameters[P.partition] = partition;
    if (topic === this.#topic) return;
    const at = this.#exports.PARAMETERS.value + 4 * P.topic;
    const { written } = utf8.encodeInto(topic, this.bytes.subarray(at, at + TOPIC_MAX));
    this.#parameters[P.topicSize] = written;
    this.#topic = topic;
  }

  /**
   * Like {@link rows}, with the fields of the program's columns before each value ({@link load}). The
   * rows go to another place, up to `enough`. A record that it stops at is not one of the rows, and
   * {@link at} is where it starts.
   */
  fields(what: FieldsOf): number {
    if (this.program === null) throw new RangeError("no program is loaded");
    this.#ask(what);
    const { enough, offset, time } = what;
    this.#parameters[P.enough] = enough;
    this.#setInt64(P.offset, offset);
    this.#setInt64(P.time, time);
    return this.#exports.fields();
  }

  /** Exact for all safe integers. */
  #setInt64(index: number, value: number): void {
    this.#parameters[index] = value;
    this.#parameters[index + 1] = Math.floor(value / 2 ** 32);
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
  /** Records whose rows were written. */
  get emitted(): number {
    return this.#state[3];
  }
  /** Rows written: more than {@link emitted} if values hold several. */
  get written(): number {
    return this.#state[11];
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
  /** Where in a key or value a walker found what it rejects: a byte, from 0; -1 if unknown. */
  get badAt(): number {
    return this.#state[9];
  }
  /** In which slot's path that is; -1 if unknown. */
  get badSlot(): number {
    return this.#state[10];
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
