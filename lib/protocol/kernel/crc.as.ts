// CRC32C. Most of it is exclusive-or of whole vectors: no table, and no multiplication without
// carry, which WebAssembly does not have.

import { FOLDED, FOLDED_AGAIN, SLICE } from "./memory.as";

/** Fills the tables of {@link sliced}. Called once on fresh (zeroed) memory. */
export function initCrc(): void {
  for (let i: u32 = 0; i < 256; i++) {
    let c: u32 = i;
    for (let k = 0; k < 8; k++) c = (c >>> 1) ^ (0x82f63b78 & (0 - (c & 1)));
    store<u32>(SLICE + (i << 2), c);
  }
  for (let i: u32 = 0; i < 256; i++) {
    let c = load<u32>(SLICE + (i << 2));
    for (let t: u32 = 1; t < 8; t++) {
      c = load<u32>(SLICE + ((c & 255) << 2)) ^ (c >>> 8);
      store<u32>(SLICE + (t << 10) + (i << 2), c);
    }
  }
}

// @ts-ignore: decorator
@inline
function slice(t: u32, byte: u32): u32 {
  return load<u32>(SLICE + (t << 10) + (byte << 2));
}

/** The register moved on over n bytes at p, eight at a time. For what is too short to be folded. */
function sliced(c: u32, p: usize, n: usize): u32 {
  const whole = p + (n & ~7);
  const end = p + n;
  while (p < whole) {
    const a = load<u32>(p) ^ c;
    const b = load<u32>(p, 4);
    c = slice(7, a & 255) ^ slice(6, (a >>> 8) & 255) ^ slice(5, (a >>> 16) & 255) ^
      slice(4, a >>> 24) ^ slice(3, b & 255) ^ slice(2, (b >>> 8) & 255) ^
      slice(1, (b >>> 16) & 255) ^ slice(0, b >>> 24);
    p += 8;
  }
  while (p < end) c = (c >>> 8) ^ slice(0, (c ^ load<u8>(p++)) & 255);
  return c;
}

// A CRC is the rest of a division by a polynomial P, and some multiples of P have few terms. In
// units of a byte, x^209 + x^144 + x^54 + x^39 + x^14 + 1 is one of CRC32C's (found by searching;
// the tests compare with another implementation). So a byte may be taken out of a message if it is
// added (exclusive-or) to those 65, 155, 170, 195 and 209 bytes after it: the rest stays the same.
// The same holds for all of them times a power of two, as squaring leaves no mixed terms. Seen from
// the byte that is to be taken out, what was added to it before comes from those as far before it.
// After K. M. Russell, "Chorba: a novel CRC32 implementation", 2024.
const TAP1: usize = 65, TAP2: usize = 155, TAP3: usize = 170, TAP4: usize = 195, TAP5: usize = 209;

/** Powers of two of the taps for long messages, and for what is left of these. */
const LONG: usize = 3, SHORT: usize = 1;
/** Bytes that are taken out before the last ones are moved back to where they began. */
const ROUND: usize = 6144;

/** How far the last tap of a power is: this many bytes are left of a message, at most 15 more. */
// @ts-ignore: decorator
@inline
function reach(power: usize): usize {
  return TAP5 << power;
}

/** What is to be added to the vector that is `reach` after `at`. */
// @ts-ignore: decorator
@inline
function added(at: usize, power: usize): v128 {
  return v128.xor(
    v128.xor(
      v128.load(at),
      v128.load(at + ((TAP5 - TAP1) << power)),
    ),
    v128.xor(
      v128.load(at + ((TAP5 - TAP2) << power)),
      v128.xor(
        v128.load(at + ((TAP5 - TAP3) << power)),
        v128.load(at + ((TAP5 - TAP4) << power)),
      ),
    ),
  );
}

/**
 * Takes all but the last bytes out of a message: n bytes at p, with the register c. What is left
 * lies at `folded` and has the same CRC, with a register of 0. Returns its size. n is at least
 * `reach` + 16; the room at `folded` is `reach` + ROUND, or less if n is less.
 */
// @ts-ignore: decorator
@inline
function fold(c: u32, p: usize, n: usize, folded: usize, power: usize): usize {
  const history = reach(power);
  const left = history + ((n - history) & 15);
  const end = p + n - left;
  // Only the first vector adds the first bytes of the history, so the register comes in there, once.
  memory.fill(folded, 0, history);
  store<u32>(folded, c);
  while (p < end) {
    let at = folded;
    for (const stop = p + min(ROUND, end - p); p < stop; p += 16, at += 16) {
      v128.store(at + history, v128.xor(v128.load(p), added(at, power)));
    }
    memory.copy(folded, at, history);
  }
  // Nothing is taken out any more, so nothing of these is added to what comes after.
  memory.fill(folded + history, 0, history + 16);
  for (let at = folded; p < end + left; p += 16, at += 16) {
    v128.store(at, v128.xor(v128.load(p), added(at, power)));
  }
  return left;
}

/** CRC32C (Castagnoli) of n bytes at p; up to 15 bytes after them are read. */
export function crc32c(p: usize, n: usize): u32 {
  let c: u32 = ~0;
  if (n >= 2 * reach(LONG)) {
    n = fold(c, p, n, FOLDED, LONG);
    p = FOLDED;
    c = 0;
  }
  if (n >= 2 * reach(SHORT)) {
    n = fold(c, p, n, FOLDED_AGAIN, SHORT);
    p = FOLDED_AGAIN;
    c = 0;
  }
  return ~sliced(c, p, n);
}
