import { ProtocolError } from "./errors.ts";

const utf8 = new TextDecoder();

/**
 * Reads the primitive types of Kafka's protocol (https://kafka.apache.org/protocol#protocol_types)
 * from a message. Every read past the end throws {@link ProtocolError}; a length that can't fit is
 * found before anything is made of it.
 */
export class Reader {
  /** Where the next read starts, an index into {@link bytes}. */
  at: number;
  readonly bytes: Uint8Array;
  readonly end: number;
  /** How long the broker reads nothing more from this connection, milliseconds (KIP-219). */
  throttled = 0;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Steps over `size` bytes and returns where they start. */
  skip(size: number): number {
    const at = this.at;
    if (size < 0 || size > this.end - at) {
      throw new ProtocolError(
        `message ends early: ${size} bytes needed, ${this.end - at} left`,
      );
    }
    this.at = at + size;
    return at;
  }

  int8(): number {
    return this.#view.getInt8(this.skip(1));
  }

  int16(): number {
    return this.#view.getInt16(this.skip(2));
  }

  int32(): number {
    return this.#view.getInt32(this.skip(4));
  }

  /** A response's throttle_time_ms: kept in {@link throttled}, for the connection. */
  throttleTime(): void {
    this.throttled = this.int32();
  }

  /** An int64 as a number: offsets, times and producer ids stay below 2^53. */
  int64(): number {
    return Number(this.#view.getBigInt64(this.skip(8)));
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  string(): string {
    const value = this.nullableString();
    if (value === null) throw new ProtocolError("a string is null");
    return value;
  }

  nullableString(): string | null {
    const size = this.int16();
    if (size === -1) return null;
    const at = this.skip(size);
    return utf8.decode(this.bytes.subarray(at, at + size));
  }

  nullableBytes(): Uint8Array | null {
    const size = this.int32();
    if (size === -1) return null;
    const at = this.skip(size);
    return this.bytes.subarray(at, at + size);
  }

  /** An array; a null one is empty. */
  array<T>(element: (reader: Reader) => T): T[] {
    return this.#elements(this.int32(), element);
  }

  #elements<T>(count: number, element: (reader: Reader) => T): T[] {
    // An element takes at least a byte, so this also stops a wild count from reserving memory.
    if (count > this.end - this.at) {
      throw new ProtocolError(`an array of ${count} in ${this.end - this.at} bytes`);
    }
    const out: T[] = [];
    for (let i = 0; i < count; i++) out.push(element(this));
    return out;
  }

  /** An unsigned varint of at most five bytes (KIP-482). */
  unsignedVarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.int8();
      value += (byte & 127) * 2 ** shift;
      if (byte >= 0) return value;
    }
    throw new ProtocolError("a varint of more than five bytes");
  }

  compactString(): string {
    const value = this.nullableCompactString();
    if (value === null) throw new ProtocolError("a string is null");
    return value;
  }

  nullableCompactString(): string | null {
    const size = this.unsignedVarint() - 1;
    if (size === -1) return null;
    const at = this.skip(size);
    return utf8.decode(this.bytes.subarray(at, at + size));
  }

  /** An array with a compact count; a null one is empty. */
  compactArray<T>(element: (reader: Reader) => T): T[] {
    return this.#elements(Math.max(this.unsignedVarint() - 1, 0), element);
  }

  /** As Kafka prints it: 22 characters of base64url. Null for the one of only zeros. */
  uuid(): string | null {
    const at = this.skip(16);
    const bytes = this.bytes.subarray(at, at + 16);
    if (bytes.every((byte) => byte === 0)) return null;
    const text = btoa(String.fromCharCode(...bytes));
    return text.slice(0, 22).replaceAll("+", "-").replaceAll("/", "_");
  }

  /** Steps over tagged fields: this client needs none of them. */
  skipTaggedFields(): void {
    for (let left = this.unsignedVarint(); left > 0; left--) {
      this.unsignedVarint();
      this.skip(this.unsignedVarint());
    }
  }

  /** Throws unless all was read: what is left over was not understood. */
  finish(): void {
    if (this.at !== this.end) {
      throw new ProtocolError(`${this.end - this.at} bytes left at the end of a message`);
    }
  }
}
