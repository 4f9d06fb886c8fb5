/**
 * C's memcpy, which returns the address that it copied to. Deno has calls of its own for addresses
 * and what is there, but not for a program that may load only certain libraries.
 */
export type Memcpy = (to: Uint8Array<ArrayBuffer>, from: bigint, count: bigint) => bigint;

/**
 * Memory that is shared with C. An ArrayBuffer is outside the JavaScript heap, so it does not move;
 * it lives as long as something refers to it, which the caller of C sees to.
 */
export class Memory {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #base: bigint;
  #used = 0;

  /** `room` bytes for all that is placed and taken. */
  constructor(memcpy: Memcpy, room: number) {
    this.#bytes = new Uint8Array(new ArrayBuffer(room));
    this.#view = new DataView(this.#bytes.buffer);
    this.#base = memcpy(this.#bytes, 0n, 0n);
  }

  /** The address of this many zero bytes, aligned as C aligns anything. */
  take(count: number): bigint {
    const at = this.#used;
    if (at + count > this.#bytes.length) throw new RangeError("no room left for C");
    this.#used = (at + count + 15) & ~15;
    return this.#base + BigInt(at);
  }

  /** The address of a copy of the bytes. */
  place(bytes: Uint8Array): bigint {
    const address = this.take(bytes.length);
    this.#bytes.set(bytes, this.#at(address));
    return address;
  }

  /** The address of a copy of words of 8 bytes: a C structure of sizes and pointers. */
  words(...values: (number | bigint)[]): bigint {
    const address = this.take(8 * values.length);
    values.forEach((value, i) =>
      this.#view.setBigUint64(this.#at(address) + 8 * i, BigInt(value), true)
    );
    return address;
  }

  /** The address of a copy of a text, UTF-8 and a zero byte. */
  text(text: string): bigint {
    return this.place(utf8.encode(`${text}\0`));
  }

  /** An unsigned number of 4 bytes. */
  uint32(address: bigint): number {
    return this.#view.getUint32(this.#at(address), true);
  }

  /** A pointer, or a number of 8 bytes. */
  word(address: bigint): bigint {
    return this.#view.getBigUint64(this.#at(address), true);
  }

  #at(address: bigint): number {
    return Number(address - this.#base);
  }
}

const utf8 = new TextEncoder();

/** A copy of bytes that C owns. */
export function copyFromC(
  memcpy: Memcpy,
  address: bigint,
  count: bigint,
): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(Number(count));
  if (count > 0n) memcpy(copy, address, count);
  return copy;
}
