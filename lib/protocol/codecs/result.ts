/** Buffers that the runtime shares among small results are smaller. */
export const OWN_BUFFER = 64 * 1024;

/** The last result of a function of node:zlib, each of which is a new buffer. */
export class Result {
  #last = new Uint8Array();

  /** Keeps `bytes`, and gives the memory of those before back: to be collected they take 64 MB. */
  keep(bytes: Uint8Array): Uint8Array {
    const { buffer } = this.#last;
    if (buffer.byteLength >= OWN_BUFFER) buffer.transfer(0);
    return this.#last = plain(bytes);
  }
}

/** Not the Buffer that it is: its slice() would not copy. */
export function plain({ buffer, byteOffset, length }: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, length);
}
