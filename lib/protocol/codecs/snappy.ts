import type { CodecImplementation } from "./codec.ts";
import { CodecLimitError, malformed } from "./errors.ts";
import { Fault, LzCodec } from "./lz.ts";

/** snappy-java's stream header: a magic, then the version and the least compatible one, int32. */
const XERIAL = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1];
/** The part of it that tells the stream from a raw block: `\x82SNAPPY\0`. */
const MAGIC = 8;
/** The header's first int32: where streams were joined it stands in place of a block's size. */
const MAGIC_HEAD = -0x7dacb1bf;
/** snappy-java's default block size. */
const BLOCK = 32768;
/** The most that a byte can stand for: a copy of 64 bytes takes three. */
const EXPANSION = 22;

/**
 * Snappy, raw as librdkafka writes it
 * (https://github.com/google/snappy/blob/main/format_description.txt), or in the stream of blocks
 * of the Java client: https://github.com/xerial/snappy-java, SnappyOutputStream.
 */
export class Snappy extends LzCodec implements CodecImplementation {
  decompress(source: Uint8Array, limit: number): Uint8Array {
    const { lz } = this;
    const start = lz.load(source);
    const end = lz.source + source.length;
    const out = isXerial(source)
      ? this.#blocks(lz.source + XERIAL.length, end, start, limit)
      : this.#block(lz.source, end, start, start, limit);
    return lz.bytes.subarray(start, out);
  }

  #blocks(p: number, end: number, start: number, limit: number): number {
    let out = start;
    while (p < end) {
      if (end - p < 4) throw malformed("snappy", "a block's size is cut off");
      const size = this.lz.view.getInt32(p);
      if (size === MAGIC_HEAD && end - p >= XERIAL.length) {
        p += XERIAL.length;
        continue;
      }
      p += 4;
      if (size <= 0 || size > end - p) {
        throw malformed("snappy", `a block says it has ${size} bytes, ${end - p} are left`);
      }
      out = this.#block(p, p + size, out, start, limit);
      p += size;
    }
    return out;
  }

  /** Decodes the raw block from p to end to `out`, and returns where it ends there. */
  #block(p: number, end: number, out: number, start: number, limit: number): number {
    const { bytes } = this.lz;
    const size = end - p;
    let length = 0;
    for (let unit = 1, byte = 128; byte > 127; unit *= 128) {
      if (p === end || unit > 2 ** 28) throw malformed("snappy", "its length is cut off");
      byte = bytes[p++];
      length += (byte & 127) * unit;
    }
    if (out - start + length > limit) {
      throw new CodecLimitError("snappy", limit, out - start + length);
    }
    if (length > size * EXPANSION) {
      throw malformed("snappy", `${size} bytes cannot hold ${length}`);
    }
    this.lz.reserve(out + length);
    const stop = this.lz.code.snappyDecode(p, end, out, out + length);
    if (stop === Fault.malformed) throw malformed("snappy", "its elements do not fit its length");
    return stop;
  }

  compress(source: Uint8Array): Uint8Array {
    const { lz } = this;
    const start = lz.load(source);
    const end = lz.source + source.length;
    lz.reserve(start + XERIAL.length + Math.ceil(source.length * 1.01) + 64);
    lz.bytes.set(XERIAL, start);
    let out = start + XERIAL.length;
    for (let p = lz.source; p < end; p += BLOCK) {
      const n = Math.min(BLOCK, end - p);
      let q = out + 4;
      for (let rest = n; rest > 0; rest >>>= 7) lz.bytes[q++] = rest > 127 ? rest | 128 : rest;
      q = lz.code.snappyEncode(p, n, q);
      lz.view.setInt32(out, q - out - 4);
      out = q;
    }
    return lz.bytes.subarray(start, out);
  }
}

function isXerial(source: Uint8Array): boolean {
  if (source.length < XERIAL.length) return false;
  for (let i = 0; i < MAGIC; i++) if (source[i] !== XERIAL[i]) return false;
  return true;
}
