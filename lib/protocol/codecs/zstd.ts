import * as zlib from "node:zlib";
import type { CodecImplementation } from "./codec.ts";
import { PIECE, pieces } from "./pieces.ts";
import { Result } from "./result.ts";
import { LEVEL, ZstdLibrary } from "./zstd_library.ts";

/** The runtime's, which are native code; there are none in Deno 2.4. */
const inflate: typeof zlib.zstdDecompressSync | undefined = zlib.zstdDecompressSync;
const deflate: typeof zlib.zstdCompressSync | undefined = zlib.zstdCompressSync;

/** A call of them has its price: below this many bytes of a source the library is as fast. */
const WORTH = 32 * 1024;
const MAGIC = 0xfd2fb528;
/** Bits of a frame header's descriptor, and what its two numbers mean. */
const Descriptor = { singleSegment: 0x20, checksum: 0x04 } as const;
const dictionaryIdSizes = [0, 1, 2, 4];
const contentSizeSizes = [0, 2, 4, 8];
/** Of the types of blocks, the one that is a byte and how often to repeat it. */
const RUN = 1;
const BLOCK_MAX = 128 * 1024;

/**
 * Zstandard (RFC 8878). The runtime is a third faster than the library in WebAssembly. But when
 * it inflates, it ignores what is cut off and what follows a first frame: so it gets only large
 * sources that are one whole frame, as clients write them, and the library gets all else, and says
 * what is wrong.
 */
export class Zstd implements CodecImplementation {
  readonly #result = new Result();
  readonly #compressed = new Result();
  #library: ZstdLibrary | null = null;

  decompress(source: Uint8Array, limit: number): Uint8Array {
    const most = source.length < WORTH ? 0 : mostOfFrame(source);
    if (inflate !== undefined && most !== 0) {
      try {
        // One more than can come, or it asks for another chunk to see that nothing follows.
        const chunkSize = Math.min(most, limit) + 1;
        const bytes = inflate(source, { chunkSize, maxOutputLength: Math.max(limit, 1) });
        if (bytes.length <= limit) return this.#result.keep(bytes);
      } catch {
        // Reported by the library.
      }
    }
    return this.#code.decompress(source, limit);
  }

  stream(source: Uint8Array): AsyncGenerator<Uint8Array> | null {
    if (inflate === undefined || mostOfFrame(source) === 0) return null;
    return pieces("zstd", zlib.createZstdDecompress({ chunkSize: PIECE }), source);
  }

  compress(source: Uint8Array): Uint8Array {
    if (deflate === undefined || source.length < WORTH) return this.#code.compress(source);
    // pledgedSrcSize is Node's, but not in the declarations yet.
    const options: zlib.ZstdOptions & { pledgedSrcSize: number } = {
      // Room for all of it, or it would be put together of several chunks; and the frame says its size.
      chunkSize: source.length + (source.length >> 8) + 512,
      pledgedSrcSize: source.length,
      params: { [zlib.constants.ZSTD_c_compressionLevel]: LEVEL },
    };
    return this.#compressed.keep(deflate(source, options));
  }

  get #code(): ZstdLibrary {
    return this.#library ??= new ZstdLibrary();
  }
}

/** What `source` can inflate to at most, in bytes; 0 if it is not just one whole frame. */
export function mostOfFrame(source: Uint8Array): number {
  const view = new DataView(source.buffer, source.byteOffset, source.length);
  if (source.length < 8 || view.getUint32(0, true) !== MAGIC) return 0;
  const descriptor = source[4];
  const isSingle = (descriptor & Descriptor.singleSegment) !== 0;
  let at = 5 + (isSingle ? 0 : 1) + dictionaryIdSizes[descriptor & 3];
  at += descriptor >> 6 === 0 && isSingle ? 1 : contentSizeSizes[descriptor >> 6];
  let blocks = 0;
  for (let isLast = false; !isLast; blocks++) {
    if (at + 3 > source.length) return 0;
    const header = view.getUint16(at, true) | source[at + 2] << 16;
    isLast = (header & 1) === 1;
    at += 3 + ((header >> 1 & 3) === RUN ? 1 : header >>> 3);
  }
  if ((descriptor & Descriptor.checksum) !== 0) at += 4;
  return at === source.length ? blocks * BLOCK_MAX : 0;
}
