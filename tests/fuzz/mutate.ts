/** Bytes and texts made wrong, in the ways in which bytes go wrong. */
import type { Random } from "../support/random.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Counts and lengths at which readers go wrong. */
const wild = [
  ...[0, 1, -1, -2, 127, 128, 255, 256, 0x7fff, -0x8000, 0xffff, 0x10000],
  ...[0x00ffffff, 0x7fffffff, -0x80000000, 0x7ffffffe, 0x40000000, -0x40000000],
];

/** A copy of `bytes` with one to four changes; `other` is what may be spliced in. */
export function mutated(
  bytes: Uint8Array,
  other: Uint8Array,
  random: Random,
): Uint8Array<ArrayBuffer> {
  let result = Uint8Array.from(bytes);
  for (let left = random.int(1, random.int(1, 4)); left > 0; left--) {
    result = change(result, other, random);
  }
  return result;
}

function change(bytes: Bytes, other: Uint8Array, random: Random): Bytes {
  if (bytes.length === 0) return Uint8Array.from(other.subarray(0, random.int(0, 16)));
  const at = random.int(0, bytes.length - 1);
  switch (random.int(0, 9)) {
    case 0:
      bytes[at] ^= 1 << random.int(0, 7);
      return bytes;
    case 1:
      bytes[at] = random.int(0, 255);
      return bytes;
    case 2:
      return number(bytes, at, random);
    case 3:
      return varint(bytes, at, random);
    case 4:
      return bytes.subarray(0, at); // cut
    case 5: { // a part is missing
      const length = random.int(1, Math.min(bytes.length - at, 16));
      return spliced(bytes, at, at + length, new Uint8Array());
    }
    case 6: { // a part is there twice
      const length = random.int(1, Math.min(bytes.length - at, 32));
      return spliced(bytes, at, at, bytes.slice(at, at + length));
    }
    case 7: { // a part of another
      const from = random.int(0, other.length);
      const part = other.slice(from, from + random.int(0, 32));
      return spliced(bytes, at, random.int(at, Math.min(bytes.length, at + 32)), part);
    }
    case 8: // random bytes
      return spliced(
        bytes,
        at,
        at,
        Uint8Array.from({ length: random.int(1, 9) }, () => {
          return random.int(0, 255);
        }),
      );
    default: { // the rest of another
      const from = random.int(0, other.length);
      return spliced(bytes, at, bytes.length, other.slice(from));
    }
  }
}

/** A wild number of one to eight bytes, big-endian, in place. */
function number(bytes: Bytes, at: number, random: Random): Bytes {
  const value = wild[random.int(0, wild.length - 1)];
  const size = [1, 2, 4, 8][random.int(0, 3)];
  for (let i = 0; i < size && at + i < bytes.length; i++) {
    const shift = 8 * (size - 1 - i);
    bytes[at + i] = shift > 31 ? (value < 0 ? 255 : 0) : value >> shift;
  }
  return bytes;
}

/** A wild varint in place of a byte: a long one, one without an end, a length. */
function varint(bytes: Bytes, at: number, random: Random): Bytes {
  const length = random.int(1, 11);
  const part = Uint8Array.from({ length }, () => random.int(128, 255));
  if (random.int(0, 3) > 0) part[length - 1] &= 127;
  return spliced(bytes, at, at + 1, part);
}

function spliced(bytes: Uint8Array, from: number, to: number, part: Uint8Array): Bytes {
  const result = new Uint8Array(from + part.length + bytes.length - to);
  result.set(bytes.subarray(0, from));
  result.set(part, from);
  result.set(bytes.subarray(to), from + part.length);
  return result;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The same of a text; `words` are what its grammar has, and are put in now and then. */
export function mutatedText(
  text: string,
  other: string,
  words: readonly string[],
  random: Random,
): string {
  if (random.int(0, 2) > 0) {
    return decoder.decode(mutated(encoder.encode(text), encoder.encode(other), random));
  }
  let result = text;
  for (let left = random.int(1, 3); left > 0; left--) {
    const at = random.int(0, result.length);
    const to = random.int(at, Math.min(result.length, at + 8));
    result = result.slice(0, at) + words[random.int(0, words.length - 1)] + result.slice(to);
  }
  return result;
}
