/**
 * One of the codecs of record batches. Synchronous; its buffers are kept from call to call, so what
 * a call returns is good until the next one.
 */
export interface CodecImplementation {
  /**
   * What `source` was before it was compressed. Throws ProtocolError if it is malformed, and
   * CodecLimitError if it would give more than `limit` bytes.
   */
  decompress(source: Uint8Array, limit: number): Uint8Array;
  /**
   * The same piece by piece, each good until the next one, however much it gives; absent, or null,
   * if that can't be done. It throws ProtocolError if `source` is malformed.
   */
  stream?(source: Uint8Array): AsyncGenerator<Uint8Array> | null;
  /**
   * The compressed form of `source`, as brokers and the Java client read it. `level`: how hard gzip
   * tries, from 0 (not at all) to 9; the other codecs have one level.
   */
  compress(source: Uint8Array, level?: number): Uint8Array;
}
