import { Kernel } from "../kernel/kernel.ts";
import type { CodecImplementation } from "./codecs.ts";
import { CodecLimitError } from "./errors.ts";

/** No compression, for code that treats all codecs alike. */
export class None implements CodecImplementation {
  decompress(source: Uint8Array, target: Kernel, at: number, limit: number): number {
    const { buffer, byteOffset, length } = source;
    if (length > limit) throw new CodecLimitError("uncompressed", limit);
    const inside = buffer === target.bytes.buffer;
    target.reserve(at - Kernel.DATA + length);
    // Growing the memory has detached a source that was a part of it.
    if (inside) target.bytes.copyWithin(at, byteOffset, byteOffset + length);
    else target.bytes.set(source, at);
    return length;
  }

  compress(source: Uint8Array): Uint8Array {
    return source;
  }
}
