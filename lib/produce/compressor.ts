import { loadCodec } from "../protocol/codecs/codecs.ts";
import type { Codec } from "../protocol/record_batch.ts";

/** Makes the records of a batch smaller, and back. */
export interface Compressor {
  readonly codec: Codec;
  readonly level: number | undefined;
  /** Good until the next call. */
  compress(records: Uint8Array): Uint8Array;
  /** `size` is that of the result, bytes. */
  decompress(records: Uint8Array, size: number): Uint8Array;
}

/** What compresses with that codec, gzip at that level; null for none. */
export async function compressorOf(codec: Codec, level?: number): Promise<Compressor | null> {
  if (codec === "none") return null;
  const implementation = await loadCodec(codec);
  return {
    codec,
    level,
    compress: (records) => implementation.compress(records, level),
    // A copy: both halves of a batch are read from it, while they are compressed.
    decompress: (records, size) => implementation.decompress(records, size).slice(),
  };
}
