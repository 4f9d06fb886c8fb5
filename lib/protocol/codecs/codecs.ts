import type { Codec } from "../record_batch.ts";
import type { CodecImplementation } from "./codec.ts";

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
