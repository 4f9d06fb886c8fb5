import type { Codec } from "../record_batch.ts";
import type { CodecImplementation } from "./codec.ts";

/**
 * A codec with buffers of its own, which its last result lies in: whoever keeps one while others are
 * at work must not share it. Its code is loaded on first use: readers of uncompressed topics do not
 * pay for it.
 */
export async function loadCodec(codec: Codec): Promise<CodecImplementation> {
  switch (codec) {
    case "none":
      return new (await import("./none.ts")).None();
    case "gzip":
      return new (await import("./gzip.ts")).Gzip();
    case "snappy":
      return new (await import("./snappy.ts")).Snappy();
    case "lz4":
      return new (await import("./lz4.ts")).Lz4();
    case "zstd":
      return new (await import("./zstd.ts")).Zstd();
  }
}
