/**
 * The zigzag varints of 32 bits that records have (https://kafka.apache.org/protocol#protocol_types),
 * for what is not done by the kernel, which has its own (kernel/record.as.ts, kernel/pack.as.ts). The
 * unsigned varints of messages are the Reader's and the Writer's.
 */

/** A varint of 32 bits has no more bytes. */
const MOST = 5;
/** A varint of 64 bits has no more bytes. */
export const VARLONG = 10;

/** The number at `at`. At most five bytes are taken. */
export function varintAt(bytes: Uint8Array, at: number): number {
  const bits = bitsAt(bytes, at);
  return (bits >>> 1) ^ -(bits & 1);
}

/** The length at `at`: as {@link varintAt} if it is not negative, and never below 0. */
export function lengthAt(bytes: Uint8Array, at: number): number {
  return bitsAt(bytes, at) >>> 1;
}

function bitsAt(bytes: Uint8Array, at: number): number {
  let bits = 0;
  for (let i = 0; i < MOST; i++) {
    const byte = bytes[at + i];
    bits |= (byte & 127) << 7 * i;
    if (byte < 128) break;
  }
  return bits >>> 0;
}

/** The index after the varint at `at`, of `most` bytes at most; -1 if the bytes end before. */
export function varintEnd(bytes: Uint8Array, at: number, most = MOST): number {
  for (let i = 0; i < most; i++) {
    if (at >= bytes.length) return -1;
    if (bytes[at++] < 128) break;
  }
  return at;
}

/** How many bytes a number that is not negative takes. */
export function varintSize(value: number): number {
  let size = 1;
  for (let bits = 2 * value; bits > 127; bits = Math.floor(bits / 128)) size++;
  return size;
}

/** Writes an int32 at `at`, and returns the index after it. */
export function putVarint(bytes: Uint8Array, at: number, value: number): number {
  let bits = (value << 1 ^ value >> 31) >>> 0;
  for (; bits > 127; bits >>>= 7) bytes[at++] = bits & 127 | 128;
  bytes[at++] = bits;
  return at;
}
