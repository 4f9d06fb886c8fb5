const utf8 = new TextEncoder();

/**
 * A string's largest size, bytes: what an int16 holds, and brokers accept no more of compact ones.
 */
const MAX_STRING = 0x7fff;

/** Writes the primitive types of Kafka's protocol into a buffer that grows. */
export class Writer {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #at = 0;

  constructor(capacity = 512) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Makes room for `size` bytes and returns where it is; the buffer and its view may be new. */
  #grow(size: number): number {
    const at = this.#at;
    this.#at += size;
    if (this.#at > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(this.#at, 2 * this.#bytes.length));
      bytes.set(this.#bytes);
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer);
    }
    return at;
  }

  int8(value: number): this {
    const at = this.#grow(1);
    this.#view.setInt8(at, value);
    return this;
  }

  int16(value: number): this {
    const at = this.#grow(2);
    this.#view.setInt16(at, value);
    return this;
  }

  int32(value: number): this {
    const at = this.#grow(4);
    this.#view.setInt32(at, value);
    return this;
  }

  int64(value: number): this {
    const at = this.#grow(8);
    this.#view.setBigInt64(at, BigInt(value));
    return this;
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  /** Throws RangeError if the string is longer than the protocol's longest. */
  string(value: string): this {
    const bytes = encodeString(value);
    this.int16(bytes.length);
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  nullableString(value: string | null): this {
    return value === null ? this.int16(-1) : this.string(value);
  }

  bytes(value: Uint8Array): this {
    this.int32(value.length);
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  array<T>(values: readonly T[], element: (value: T, writer: this) => void): this {
    this.int32(values.length);
    for (const value of values) element(value, this);
    return this;
  }

  /** An unsigned varint (KIP-482). */
  unsignedVarint(value: number): this {
    for (; value > 127; value = Math.floor(value / 128)) this.int8(value % 128 | 128);
    return this.int8(value);
  }

  compactString(value: string): this {
    const bytes = encodeString(value);
    this.unsignedVarint(bytes.length + 1);
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  compactArray<T>(values: readonly T[], element: (value: T, writer: this) => void): this {
    this.unsignedVarint(values.length + 1);
    for (const value of values) element(value, this);
    return this;
  }

  /** Base64url as {@link Reader.uuid} gives it; null is the one of only zeros. */
  uuid(value: string | null): this {
    const at = this.#grow(16);
    const bytes = value === null ? "" : atob(value.replaceAll("-", "+").replaceAll("_", "/"));
    for (let i = 0; i < 16; i++) this.#bytes[at + i] = bytes === "" ? 0 : bytes.charCodeAt(i);
    return this;
  }

  noTaggedFields(): this {
    return this.int8(0);
  }

  /** What was written. The writer must not be used afterwards. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#at);
  }
}

/** Whether a string is short enough for Kafka's protocol. */
export function isSendable(value: string): boolean {
  return utf8.encode(value).length <= MAX_STRING;
}

function encodeString(value: string): Uint8Array {
  const bytes = utf8.encode(value);
  if (bytes.length <= MAX_STRING) return bytes;
  throw new RangeError(
    `"${value.slice(0, 20)}…" has ${bytes.length} bytes, Kafka accepts at most ${MAX_STRING}`,
  );
}
