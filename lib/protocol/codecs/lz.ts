import { Buffer } from "node:buffer";
import { lzWasm } from "./lz_wasm.ts";

interface Exports {
  memory: WebAssembly.Memory;
  init(): void;
  lz4Decode(src: number, end: number, out: number, limit: number, base: number): number;
  snappyDecode(src: number, end: number, out: number, limit: number): number;
  lz4Encode(src: number, n: number, out: number): number;
  snappyEncode(src: number, n: number, out: number): number;
  xxh32(p: number, n: number): number;
}

const PAGE = 65536;
/** The first index after the tables of lz.as.ts. */
const DATA = 40960;
/** Copies are whole vectors: this many bytes after a source are read, and after an output spoilt. */
const SLACK = 128;

/** What the decoders of lz.as.ts return instead of an output's end. */
export const Fault = { malformed: 0, tooLong: 1 } as const;

let compiled: WebAssembly.Module | undefined;

/** What a codec of lz.as.ts has: the code, and the memory. */
export abstract class LzCodec {
  protected readonly lz = new Lz();
}

/**
 * The compiled loops of lz.as.ts and their memory: a source first, then the output. Both grow to
 * the largest batch met and are used again. Indexes are into {@link bytes}.
 */
export class Lz {
  readonly code: Exports;
  bytes!: Uint8Array<ArrayBuffer>;
  view!: DataView<ArrayBuffer>;
  /** Where the source starts. */
  readonly source = DATA;

  constructor() {
    compiled ??= new WebAssembly.Module(Buffer.from(lzWasm, "base64"));
    this.code = new WebAssembly.Instance(compiled).exports as unknown as Exports;
    this.code.init();
    this.#look();
  }

  #look(): void {
    const memory = this.code.memory.buffer as ArrayBuffer;
    this.bytes = new Uint8Array(memory);
    this.view = new DataView(memory);
  }

  /** Puts `source` into the memory and returns where the output may start. */
  load(source: Uint8Array): number {
    const out = DATA + source.length + SLACK;
    this.reserve(out);
    this.bytes.set(source, DATA);
    return out;
  }

  /** Makes room for an output that ends at `end`. */
  reserve(end: number): void {
    const missing = end + SLACK - this.bytes.length;
    if (missing <= 0) return;
    this.code.memory.grow(Math.ceil(missing / PAGE));
    this.#look();
  }

  /** xxHash32 of the bytes from start to end, as an unsigned number. */
  xxh32(start: number, end: number): number {
    return this.code.xxh32(start, end - start) >>> 0;
  }
}
