// The kernel: the loops over bytes and records that JavaScript is slow at. AssemblyScript with
// SIMD; `deno task kernel` compiles it into kernel_wasm.ts. It allocates nothing and imports
// nothing: kernel.ts owns the memory and says where things are.
//
// Memory below DATA (see kernel.ts): lookup tables made by init(), then the state that rows()
// hands back. Everything from DATA on belongs to the caller.

// ---- memory map -------------------------------------------------------------------------------

/** Eight tables of 256 u32: CRC32C of a byte followed by 0…7 zero bytes (slicing by 8). */
const SLICE: usize = 0;
/** Four tables of 256 u32: a CRC register moved on over 64 zero bytes, by register byte. */
const SHIFT64: usize = 8192;
/** The same over 1,024 zero bytes. */
const SHIFT1024: usize = 12288;
/** Sixteen-byte tables: byte k of the CRC table's entry, for the low and for the high nibble. */
const NIBBLE: usize = 16384;
/** Where the byte planes of sixteen CRC registers are put down to be joined. */
const PLANES: usize = 16512;
/** Sixteen bytes of each of sixteen streams, turned: each vector has one byte of every stream. */
const TURNED: usize = 16704;
/** 16 bytes of 0xff, then 16 of 0: loaded at MASK + 16 - n it keeps the first n lanes. */
const MASK: usize = 16576;
/** What rows() says of itself; the fields are named in kernel.ts. */
const STATE: usize = 16640;

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
export function init(): void {
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

// ---- records to rows --------------------------------------------------------------------------

let q: usize = 0;

/** The zigzag varint at q. At most five bytes are taken. */
// @ts-ignore: decorator
@inline
function varint(): i32 {
  let b: u32 = load<u8>(q++);
  if (b < 128) return <i32>(b >>> 1) ^ -(<i32>(b & 1));
  let x: u32 = b & 127;
  for (let s: u32 = 7; s < 35; s += 7) {
    b = load<u8>(q++);
    x |= (b & 127) << s;
    if (b < 128) break;
  }
  return <i32>(x >>> 1) ^ -(<i32>(x & 1));
}

/** Whether n bytes at p are well-formed UTF-8 (the Unicode Standard, table 3-7). */
function isUtf8(p: usize, n: usize): bool {
  const end = p + n;
  while (p < end) {
    const a = load<u8>(p);
    if (a < 0x80) {
      p++;
      continue;
    }
    let more: usize = 1;
    let least: u8 = 0x80, most: u8 = 0xbf;
    if (a < 0xc2) return false;
    if (a >= 0xf5) return false;
    if (a >= 0xf0) {
      more = 3;
      if (a == 0xf0) least = 0x90;
      if (a == 0xf4) most = 0x8f;
    } else if (a >= 0xe0) {
      more = 2;
      if (a == 0xe0) least = 0xa0;
      if (a == 0xed) most = 0x9f;
    }
    if (p + more >= end) return false;
    const b = load<u8>(p, 1);
    if (b < least || b > most) return false;
    for (let i: usize = 2; i <= more; i++) {
      if ((load<u8>(p + i) & 0xc0) != 0x80) return false;
    }
    p += more + 1;
  }
  return true;
}

// @ts-ignore: decorator
@inline
function copy(out: usize, p: usize, n: usize): void {
  for (let i: usize = 0; i < n; i += 16) v128.store(out + i, v128.load(p + i));
}

// @ts-ignore: decorator
@inline
function breaks(v: v128): v128 {
  return v128.or(
    v128.or(i8x16.eq(v, i8x16.splat(10)), i8x16.eq(v, i8x16.splat(13))),
    i8x16.eq(v, i8x16.splat(0)),
  );
}

/**
 * Copies like copy() and looks at the bytes on the way. True where the value can't break a row:
 * no newline, CR or NUL, an even number of quotes, not `\.`, well-formed UTF-8. False asks for
 * the slow, exact look.
 */
// @ts-ignore: decorator
@inline
function copyGuarded(out: usize, p: usize, n: usize): bool {
  const quote = i8x16.splat(34);
  let bad = i8x16.splat(0), quotes = i8x16.splat(0), high = i8x16.splat(0);
  let i: usize = 0;
  for (const whole = n & ~15; i < whole; i += 16) {
    const v = v128.load(p + i);
    v128.store(out + i, v);
    bad = v128.or(bad, breaks(v));
    quotes = v128.xor(quotes, i8x16.eq(v, quote));
    high = v128.or(high, v);
  }
  if (i < n) {
    const keep = v128.load(MASK + 16 - (n - i));
    const v = v128.load(p + i);
    v128.store(out + i, v);
    bad = v128.or(bad, v128.and(breaks(v), keep));
    quotes = v128.xor(quotes, v128.and(i8x16.eq(v, quote), keep));
    high = v128.or(high, v128.and(v, keep));
  }
  if (v128.any_true(bad) || (popcnt(i8x16.bitmask(quotes)) & 1) != 0) return false;
  if (n == 2 && load<u16>(out) == 0x2e5c) return false;
  return i8x16.bitmask(high) == 0 || isUtf8(out, n);
}

const DONE = 0, SUSPECT = 1, FULL = 2, BROKEN = 3;

/**
 * The records from p to end (at most count of them) become rows at out: value, newline. Written
 * are those with min <= offset delta < max, at most budget of them. A row is shorter than its
 * record, so out may lie in front of p in the same buffer, with at least 32 bytes between: copies
 * are whole vectors, and up to 15 bytes behind a row are spoilt.
 *
 * flags: 1 = guard the values, 2 = a null value is an empty row (else it is skipped and counted).
 * Returns the end of the rows; STATE says where it stopped and why, see kernel.ts.
 */
export function rows(
  p: usize,
  end: usize,
  count: i32,
  min: i32,
  max: i32,
  budget: i32,
  out: usize,
  flags: i32,
): usize {
  const guard = (flags & 1) != 0, emptyNulls = (flags & 2) != 0;
  let seen = 0, emitted = 0, nulls = 0, status = DONE, delta = -1, length = 0;
  let value = p;
  while (seen < count) {
    if (p >= end) {
      status = BROKEN;
      break;
    }
    q = p;
    const size = varint();
    const next = q + size;
    q++; // attributes
    for (let i = 0; i < 10 && load<u8>(q++) > 127; i++); // timestamp delta
    const d = varint();
    const key = varint();
    if (<u32>size > <u32>(end - p) || next > end || key > size) {
      status = BROKEN;
      break;
    }
    if (key > 0) q += key;
    length = varint();
    value = q;
    // The header count, at least a byte, is still to come.
    if (q >= next || length >= <i32>(next - q)) {
      status = BROKEN;
      break;
    }
    if (d >= min && d < max) {
      if (emitted == budget) {
        status = FULL;
        break;
      }
      delta = d;
      if (length > 0) {
        if (!guard) copy(out, q, length);
        else if (!copyGuarded(out, q, length)) status = SUSPECT;
      } else if (length == 0 && guard) status = SUSPECT;
      if (status == SUSPECT) {
        p = next;
        seen++;
        break;
      }
      if (length < 0 && !emptyNulls) nulls++;
      else {
        if (length > 0) out += length;
        store<u8>(out++, 10);
        emitted++;
      }
    }
    p = next;
    seen++;
  }
  store<i32>(STATE, status);
  store<u32>(STATE, p, 4);
  store<i32>(STATE, seen, 8);
  store<i32>(STATE, emitted, 12);
  store<i32>(STATE, nulls, 16);
  store<i32>(STATE, delta, 20);
  store<u32>(STATE, value, 24);
  store<i32>(STATE, length, 28);
  return out;
}
