import type { CodecImplementation } from "./codec.ts";
import { CodecLimitError, malformed } from "./errors.ts";
import { Fault, type Lz, LzCodec } from "./lz.ts";

const MAGIC = 0x184d2204;
/** Sixteen magics whose frames hold something else and are to be skipped. */
const SKIPPABLE = 0x184d2a50;
const Flag = {
  version: 0xc0,
  version1: 0x40,
  independent: 0x20,
  blockChecksum: 0x10,
  contentSize: 0x08,
  contentChecksum: 0x04,
  reserved: 0x02,
  dictionary: 0x01,
} as const;
/** Of a block's size: the block is not compressed. */
const STORED = 0x8000_0000;
/** Flags and block size of what is written, 64 KB, and their checksum: as librdkafka and Java. */
const HEADER = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82];
const BLOCK = 65536;

/** LZ4 frames: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md */
export class Lz4 extends LzCodec implements CodecImplementation {
  decompress(source: Uint8Array, limit: number): Uint8Array {
    const { lz } = this;
    const start = lz.load(source);
    const end = lz.source + source.length;
    if (source.length === 0) throw malformed("lz4", "it is empty");
    const reader = new FrameReader(lz, end, start, limit);
    for (let p = lz.source; p < end;) p = reader.frame(p);
    return lz.bytes.subarray(start, reader.out);
  }

  compress(source: Uint8Array): Uint8Array {
    const { lz } = this;
    const start = lz.load(source);
    const end = lz.source + source.length;
    lz.reserve(start + Math.ceil(source.length * 1.01) + 64);
    lz.bytes.set(HEADER, start);
    let out = start + HEADER.length;
    for (let p = lz.source; p < end; p += BLOCK) {
      const n = Math.min(BLOCK, end - p);
      const size = lz.code.lz4Encode(p, n, out + 4) - out - 4;
      if (size < n) {
        lz.view.setUint32(out, size, true);
        out += 4 + size;
      } else {
        lz.view.setUint32(out, n + STORED, true);
        lz.bytes.copyWithin(out + 4, p, p + n);
        out += 4 + n;
      }
    }
    lz.view.setUint32(out, 0, true); // end mark
    return lz.bytes.subarray(start, out + 4);
  }
}

/** Decodes the frames of one source, one after the other. */
class FrameReader {
  /** Where the output ends so far. */
  out: number;
  readonly #lz: Lz;
  readonly #end: number;
  readonly #limit: number;
  /** Where the output may end at most. */
  readonly #most: number;

  constructor(lz: Lz, end: number, start: number, limit: number) {
    this.#lz = lz;
    this.#end = end;
    this.#limit = limit;
    this.#most = start + limit;
    this.out = start;
  }

  /** Decodes the frame at p, and returns its end. */
  frame(p: number): number {
    this.#need(p, 4);
    const magic = this.#uint32(p);
    if ((magic & ~15) === SKIPPABLE) {
      this.#need(p, 8);
      this.#need(p + 8, this.#uint32(p + 4));
      return p + 8 + this.#uint32(p + 4);
    }
    if (magic !== MAGIC) throw malformed("lz4", "it does not start like a frame");
    const descriptor = p + 4;
    this.#need(p, HEADER.length);
    const flags = this.#lz.bytes[descriptor];
    const sizeCode = this.#lz.bytes[descriptor + 1] >> 4;
    const blockMax = 1 << (8 + 2 * sizeCode);
    if (
      (flags & (Flag.version | Flag.reserved)) !== Flag.version1 || sizeCode < 4 || sizeCode > 7
    ) {
      throw malformed("lz4", "its frame is of an unknown kind");
    }
    if (flags & Flag.dictionary) throw malformed("lz4", "its frame requires a dictionary");
    p = descriptor + 2;
    let promised = -1;
    if (flags & Flag.contentSize) {
      this.#need(p, 9);
      promised = this.#uint32(p) + this.#uint32(p + 4) * 2 ** 32;
      if (this.out + promised > this.#most) {
        throw new CodecLimitError("lz4", this.#limit, promised);
      }
      p += 8;
    }
    if (this.#lz.bytes[p] !== (this.#lz.xxh32(descriptor, p) >>> 8 & 255)) {
      throw malformed("lz4", "its frame header's checksum is wrong");
    }
    const base = this.out;
    p = this.#blocks(p + 1, flags, blockMax);
    if (promised !== -1 && this.out - base !== promised) {
      throw malformed("lz4", `its frame announced ${promised} bytes and has ${this.out - base}`);
    }
    if (flags & Flag.contentChecksum) {
      this.#check(p, base, this.out, "content");
      p += 4;
    }
    return p;
  }

  #blocks(p: number, flags: number, blockMax: number): number {
    const base = this.out;
    while (true) {
      this.#need(p, 4);
      const word = this.#uint32(p);
      p += 4;
      if (word === 0) return p; // end mark
      const size = word & ~STORED;
      this.#need(p, size);
      // The checksum is of the block as it is stored.
      if (flags & Flag.blockChecksum) this.#check(p + size, p, p + size, "block");
      this.#block(p, size, word >= STORED, blockMax, flags & Flag.independent ? this.out : base);
      p += size + (flags & Flag.blockChecksum ? 4 : 0);
    }
  }

  #block(p: number, size: number, stored: boolean, blockMax: number, base: number): void {
    const lz = this.#lz;
    if (stored) {
      if (size > blockMax) throw malformed("lz4", "a block is larger than its frame allows");
      if (this.out + size > this.#most) throw new CodecLimitError("lz4", this.#limit);
      lz.reserve(this.out + size);
      lz.bytes.copyWithin(this.out, p, p + size);
      this.out += size;
      return;
    }
    const most = Math.min(this.out + blockMax, this.#most);
    lz.reserve(most);
    const stop = lz.code.lz4Decode(p, p + size, this.out, most, base);
    if (stop === Fault.malformed) throw malformed("lz4", "a block's sequences are broken");
    if (stop === Fault.tooLong) {
      if (most === this.#most) throw new CodecLimitError("lz4", this.#limit);
      throw malformed("lz4", "a block is larger than its frame allows");
    }
    this.out = stop;
  }

  #check(at: number, start: number, end: number, what: string): void {
    this.#need(at, 4);
    if (this.#lz.xxh32(start, end) !== this.#uint32(at)) {
      throw malformed("lz4", `its ${what} checksum is wrong`);
    }
  }

  #need(p: number, size: number): void {
    if (size > this.#end - p) throw malformed("lz4", "its frame is cut off");
  }

  #uint32(p: number): number {
    return this.#lz.view.getUint32(p, true);
  }
}
