// CRC32C, and the tables it is made with.

import { MASK, NIBBLE, PLANES, SHIFT1024, SHIFT64, SLICE, TURNED } from "./memory.as";

// ---- set-up -----------------------------------------------------------------------------------

function makeShift(table: usize, zeros: i32): void {
  for (let bit = 0; bit < 32; bit++) {
    let c: u32 = 1 << bit;
    for (let i = 0; i < zeros; i++) c = (c >>> 8) ^ load<u32>(SLICE + ((c & 255) << 2));
    // Every entry that has this bit set gets this bit's share: the register is linear.
    const row = table + ((bit >> 3) << 10);
    const mask: u32 = 1 << (bit & 7);
    for (let i: u32 = 0; i < 256; i++) {
      if (i & mask) store<u32>(row + (i << 2), load<u32>(row + (i << 2)) ^ c);
    }
  }
}

/** Fills the tables. Called once on fresh (zeroed) memory. */
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
  makeShift(SHIFT64, 64);
  makeShift(SHIFT1024, 1024);
  for (let k: u32 = 0; k < 4; k++) {
    for (let n: u32 = 0; n < 16; n++) {
      store<u8>(NIBBLE + k * 32 + n, <u8>(load<u32>(SLICE + (n << 2)) >>> (k << 3)));
      store<u8>(NIBBLE + k * 32 + 16 + n, <u8>(load<u32>(SLICE + (n << 6)) >>> (k << 3)));
    }
  }
  for (let i: u32 = 0; i < 16; i++) store<u8>(MASK + i, 255);
}

// ---- CRC32C -----------------------------------------------------------------------------------

// @ts-ignore: decorator
@inline
function slice(t: u32, byte: u32): u32 {
  return load<u32>(SLICE + (t << 10) + (byte << 2));
}

/** The register moved on over n bytes at p, eight at a time. For what is too short for planes. */
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

// @ts-ignore: decorator
@inline
function lo(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

// @ts-ignore: decorator
@inline
function hi(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/**
 * The register moved on over 16 × seg bytes at p (seg a multiple of 16): the bytes are taken as
 * sixteen streams of seg bytes, and every step moves all sixteen registers on by one byte. The
 * CRC table is linear, so its entry for a byte is the exclusive-or of those of its two nibbles,
 * and a sixteen-byte swizzle looks sixteen of these up at once. shift joins the streams.
 */
function planes(c: u32, p: usize, seg: usize, shift: usize): u32 {
  const low = i8x16.splat(15);
  const t0l = v128.load(NIBBLE), t0h = v128.load(NIBBLE, 16);
  const t1l = v128.load(NIBBLE, 32), t1h = v128.load(NIBBLE, 48);
  const t2l = v128.load(NIBBLE, 64), t2h = v128.load(NIBBLE, 80);
  const t3l = v128.load(NIBBLE, 96), t3h = v128.load(NIBBLE, 112);
  let r0 = i8x16.replace_lane(i8x16.splat(0), 0, <i8>c);
  let r1 = i8x16.replace_lane(i8x16.splat(0), 0, <i8>(c >>> 8));
  let r2 = i8x16.replace_lane(i8x16.splat(0), 0, <i8>(c >>> 16));
  let r3 = i8x16.replace_lane(i8x16.splat(0), 0, <i8>(c >>> 24));
  for (const end = p + seg; p < end; p += 16) {
    // Sixteen bytes of each stream, transposed: s becomes byte s of all streams.
    let q = p;
    const a0 = v128.load(q);
    const a1 = v128.load((q += seg));
    const a2 = v128.load((q += seg));
    const a3 = v128.load((q += seg));
    const a4 = v128.load((q += seg));
    const a5 = v128.load((q += seg));
    const a6 = v128.load((q += seg));
    const a7 = v128.load((q += seg));
    const a8 = v128.load((q += seg));
    const a9 = v128.load((q += seg));
    const a10 = v128.load((q += seg));
    const a11 = v128.load((q += seg));
    const a12 = v128.load((q += seg));
    const a13 = v128.load((q += seg));
    const a14 = v128.load((q += seg));
    const a15 = v128.load(q + seg);
    const b0 = lo(a0, a8), b1 = hi(a0, a8);
    const b2 = lo(a1, a9), b3 = hi(a1, a9);
    const b4 = lo(a2, a10), b5 = hi(a2, a10);
    const b6 = lo(a3, a11), b7 = hi(a3, a11);
    const b8 = lo(a4, a12), b9 = hi(a4, a12);
    const b10 = lo(a5, a13), b11 = hi(a5, a13);
    const b12 = lo(a6, a14), b13 = hi(a6, a14);
    const b14 = lo(a7, a15), b15 = hi(a7, a15);
    const c0 = lo(b0, b8), c1 = hi(b0, b8);
    const c2 = lo(b1, b9), c3 = hi(b1, b9);
    const c4 = lo(b2, b10), c5 = hi(b2, b10);
    const c6 = lo(b3, b11), c7 = hi(b3, b11);
    const c8 = lo(b4, b12), c9 = hi(b4, b12);
    const c10 = lo(b5, b13), c11 = hi(b5, b13);
    const c12 = lo(b6, b14), c13 = hi(b6, b14);
    const c14 = lo(b7, b15), c15 = hi(b7, b15);
    const d0 = lo(c0, c8), d1 = hi(c0, c8);
    const d2 = lo(c1, c9), d3 = hi(c1, c9);
    const d4 = lo(c2, c10), d5 = hi(c2, c10);
    const d6 = lo(c3, c11), d7 = hi(c3, c11);
    const d8 = lo(c4, c12), d9 = hi(c4, c12);
    const d10 = lo(c5, c13), d11 = hi(c5, c13);
    const d12 = lo(c6, c14), d13 = hi(c6, c14);
    const d14 = lo(c7, c15), d15 = hi(c7, c15);
    v128.store(TURNED, lo(d0, d8), 0);
    v128.store(TURNED, hi(d0, d8), 16);
    v128.store(TURNED, lo(d1, d9), 32);
    v128.store(TURNED, hi(d1, d9), 48);
    v128.store(TURNED, lo(d2, d10), 64);
    v128.store(TURNED, hi(d2, d10), 80);
    v128.store(TURNED, lo(d3, d11), 96);
    v128.store(TURNED, hi(d3, d11), 112);
    v128.store(TURNED, lo(d4, d12), 128);
    v128.store(TURNED, hi(d4, d12), 144);
    v128.store(TURNED, lo(d5, d13), 160);
    v128.store(TURNED, hi(d5, d13), 176);
    v128.store(TURNED, lo(d6, d14), 192);
    v128.store(TURNED, hi(d6, d14), 208);
    v128.store(TURNED, lo(d7, d15), 224);
    v128.store(TURNED, hi(d7, d15), 240);
    for (let step: usize = TURNED; step < TURNED + 256; step += 16) {
      const x = v128.xor(r0, v128.load(step));
      const l = v128.and(x, low);
      const h = v128.and(i16x8.shr_u(x, 4), low);
      r0 = v128.xor(r1, v128.xor(i8x16.relaxed_swizzle(t0l, l), i8x16.relaxed_swizzle(t0h, h)));
      r1 = v128.xor(r2, v128.xor(i8x16.relaxed_swizzle(t1l, l), i8x16.relaxed_swizzle(t1h, h)));
      r2 = v128.xor(r3, v128.xor(i8x16.relaxed_swizzle(t2l, l), i8x16.relaxed_swizzle(t2h, h)));
      r3 = v128.xor(i8x16.relaxed_swizzle(t3l, l), i8x16.relaxed_swizzle(t3h, h));
    }
  }
  v128.store(PLANES, r0);
  v128.store(PLANES, r1, 16);
  v128.store(PLANES, r2, 32);
  v128.store(PLANES, r3, 48);
  c = 0;
  for (let s: usize = 0; s < 16; s++) {
    const r = <u32>load<u8>(PLANES + s) | (<u32>load<u8>(PLANES + s, 16) << 8) |
      (<u32>load<u8>(PLANES + s, 32) << 16) | (<u32>load<u8>(PLANES + s, 48) << 24);
    c = load<u32>(shift + ((c & 255) << 2)) ^
      load<u32>(shift + (((c >>> 8) & 255) << 2), 1024) ^
      load<u32>(shift + (((c >>> 16) & 255) << 2), 2048) ^
      load<u32>(shift + ((c >>> 24) << 2), 3072) ^ r;
  }
  return c;
}

/**
 * CRC32C (Castagnoli) of n bytes at p. Long stretches go through planes of sixteen streams, which
 * is several times as fast as any table; the rest through slicing by eight.
 */
export function crc32c(p: usize, n: usize): u32 {
  let c: u32 = ~0;
  for (; n >= 16384; n -= 16384, p += 16384) c = planes(c, p, 1024, SHIFT1024);
  for (; n >= 1024; n -= 1024, p += 1024) c = planes(c, p, 64, SHIFT64);
  return ~sliced(c, p, n);
}
