import type { Kernel } from "../kernel/kernel.ts";
import type { Codec } from "../record_batch.ts";

/** One of the codecs of record batches. Synchronous; its buffers are kept from call to call. */
export interface CodecImplementation {
  /**
   * Decompresses `source` into `target.bytes` from `at` on, growing target through reserve(), and
   * returns how many bytes came out. `source` may be a view of target.bytes in front of `at`.
   * Throws ProtocolError where source is malformed, and CodecLimitError where it would give more
   * than `limit` bytes. What lies behind `at` is not touched then.
   */
  decompress(source: Uint8Array, target: Kernel, at: number, limit: number): number;
  /**
   * The compressed form of `source`, as brokers and the Java client read it. The view returned is
   * good until the next call.
   */
  compress(source: Uint8Array): Uint8Array;
}

const loading = new Map<Codec, Promise<CodecImplementation>>();

/** Loads a codec's code on first use: who reads uncompressed topics does not pay for it. */
export function loadCodec(codec: Codec): Promise<CodecImplementation> {
  let implementation = loading.get(codec);
  if (!implementation) loading.set(codec, implementation = load(codec));
  return implementation;
}

async function load(codec: Codec): Promise<CodecImplementation> {
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
