import type { CodecImplementation } from "./codec.ts";
import { CodecLimitError } from "./errors.ts";

/** No compression, for code that treats all codecs alike. */
export class None implements CodecImplementation {
  decompress(source: Uint8Array, limit: number): Uint8Array {
    if (source.length > limit) throw new CodecLimitError("uncompressed", limit);
    return source;
  }

  compress(source: Uint8Array): Uint8Array {
    return source;
  }
}
