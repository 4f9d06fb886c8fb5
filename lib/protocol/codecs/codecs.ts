import type { Codec } from "../record_batch.ts";

/**
 * One of the codecs of record batches. Synchronous; its buffers are kept from call to call, so what
 * a call returns is good until the next one.
 */
export interface CodecImplementation {
  /**
   * What `source` was before it was compressed. Throws ProtocolError where it is malformed, and
   * CodecLimitError where it would give more than `limit` bytes.
   */
  decompress(source: Uint8Array, limit: number): Uint8Array;
  /** The compressed form of `source`, as brokers and the Java client read it. */
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
