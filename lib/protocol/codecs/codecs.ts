import type { Codec } from "../record_batch.ts";
import type { CodecImplementation } from "./codec.ts";
import type { Lz } from "./lz.ts";

const loading = new Map<Codec, Promise<CodecImplementation>>();

/** Loads a codec's code on first use: readers of uncompressed topics do not pay for it. */
export function loadCodec(codec: Codec): Promise<CodecImplementation> {
  let implementation = loading.get(codec);
  if (!implementation) loading.set(codec, implementation = load(codec));
  return implementation;
}

/** The same with buffers of its own: what it is used for leaves others' results as they are. */
export async function ownCodec(codec: Codec): Promise<CodecImplementation> {
  if (codec !== "snappy" && codec !== "lz4") return await load(codec);
  return await load(codec, new (await import("./lz.ts")).Lz());
}

async function load(codec: Codec, lz?: Lz): Promise<CodecImplementation> {
  switch (codec) {
    case "none":
      return new (await import("./none.ts")).None();
    case "gzip":
      return new (await import("./gzip.ts")).Gzip();
    case "snappy":
      return new (await import("./snappy.ts")).Snappy(lz);
    case "lz4":
      return new (await import("./lz4.ts")).Lz4(lz);
    case "zstd":
      return new (await import("./zstd.ts")).Zstd();
  }
}
