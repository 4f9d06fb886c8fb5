// LZ4 and Snappy blocks, and xxHash32: `deno task wasm` compiles it into lz_wasm.ts. It allocates
// nothing and imports nothing: lz.ts owns the memory.
// Blocks: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
//         https://github.com/google/snappy/blob/main/format_description.txt
// xxHash: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
//
// Copies are whole vectors: SLACK bytes (lz.ts) after a source may be read, and after an
// output be spoilt. Every length is checked against both ends before anything is copied.

/** Sixteen vectors: number n repeats the indexes 0…n-1, to make a run of n bytes fill a vector. */
const REPEAT: usize = 0;
/** How far n repeated bytes fill a vector whole: the greatest multiple of n up to 16. */
const STRIDE: usize = 256;
/** For every tag of a Snappy copy: its length, bits 8 to 10 of its offset, its bytes' count << 12. */
const FORM: usize = 320;
/** Where four bytes of this hash were last seen: u16, as a distance from the block's start. */
const TABLE: usize = 1024;
const HASH_BITS: u32 = 14;
const TABLE_SIZE: usize = 2 << HASH_BITS;

const MALFORMED: usize = 0;
const TOO_LONG: usize = 1;

/** Fills the tables. Called once on fresh (zeroed) memory. */
export function init(): void {
  for (let n: usize = 1; n < 16; n++) {
    for (let i: usize = 0; i < 16; i++) store<u8>(REPEAT + (n << 4) + i, <u8>(i % n));
    store<u8>(STRIDE + n, <u8>(16 - 16 % n));
  }
  for (let tag: usize = 0; tag < 256; tag++) {
    const kind = tag & 3;
    const form = kind == 1
      ? (((tag >> 2) & 7) + 4) | ((tag >> 5) << 8) | (1 << 12)
      : ((tag >> 2) + 1) | (kind == 2 ? 2 << 12 : 4 << 12);
    store<u16>(FORM + (tag << 1), <u16>form);
  }
}

// ---- copies -----------------------------------------------------------------------------------

// @ts-ignore: decorator
@inline
function copyLiterals(out: usize, src: usize, n: usize): void {
  v128.store(out, v128.load(src));
  for (let i: usize = 16; i < n; i += 16) v128.store(out + i, v128.load(src + i));
}

/** n bytes from `off` bytes back. Where they overlap, what was just written is read again. */
// @ts-ignore: decorator
@inline
function copyMatch(out: usize, off: usize, n: usize): void {
  const from = out - off;
  if (off >= 16) {
    v128.store(out, v128.load(from));
    for (let i: usize = 16; i < n; i += 16) v128.store(out + i, v128.load(from + i));
  } else {
    const run = i8x16.swizzle(v128.load(from), v128.load(REPEAT + (off << 4)));
    const stride = <usize>load<u8>(STRIDE + off);
    for (let i: usize = 0; i < n; i += stride) v128.store(out + i, run);
  }
}

// ---- decoding ---------------------------------------------------------------------------------

/**
 * Decodes the LZ4 block from src to end to `out`, at most up to `limit`. Matches reach back to
 * `base` (the frame's start where blocks are linked). Returns the output's end, MALFORMED or
 * TOO_LONG.
 */
export function lz4Decode(src: usize, end: usize, out: usize, limit: usize, base: usize): usize {
  while (src < end) {
    const token = <usize>load<u8>(src++);
    let n = token >> 4;
    if (n == 15) {
      // The same loop is below: a function would have to return two numbers, through memory.
      let more: usize;
      do {
        if (src >= end) return MALFORMED;
        more = load<u8>(src++);
        n += more;
      } while (more == 255);
    }
    if (n > end - src) return MALFORMED;
    if (n > limit - out) return TOO_LONG;
    copyLiterals(out, src, n);
    out += n;
    src += n;
    if (src == end) return out;
    if (end - src < 2) return MALFORMED;
    const off = <usize>load<u16>(src);
    src += 2;
    if (off == 0 || off > out - base) return MALFORMED;
    n = (token & 15) + 4;
    if (n == 19) {
      let more: usize;
      do {
        if (src >= end) return MALFORMED;
        more = load<u8>(src++);
        n += more;
      } while (more == 255);
    }
    if (n > limit - out) return TOO_LONG;
    copyMatch(out, off, n);
    out += n;
  }
  // The last sequence is literals only: an end after a match is a cut block.
  return MALFORMED;
}

/** Up to 64 bytes, most often at most 32: a loop would end at another count every time. */
// @ts-ignore: decorator
@inline
function copyShort(out: usize, from: usize, n: usize): void {
  v128.store(out, v128.load(from));
  v128.store(out, v128.load(from, 16), 16);
  if (n > 32) {
    v128.store(out, v128.load(from, 32), 32);
    v128.store(out, v128.load(from, 48), 48);
  }
}

/**
 * Decodes the elements of a raw Snappy block (what follows its length) from src to end to `out`;
 * they must end exactly at `limit`. Returns the output's end or MALFORMED.
 */
export function snappyDecode(src: usize, end: usize, out: usize, limit: usize): usize {
  const base = out;
  while (src < end) {
    const tag = <usize>load<u8>(src++);
    if ((tag & 3) == 0) {
      let n = (tag >> 2) + 1;
      if (n <= 60) {
        if (n > end - src || n > limit - out) return MALFORMED;
        copyShort(out, src, n);
      } else {
        const size = n - 60;
        if (size > end - src) return MALFORMED;
        n = <usize>(load<u32>(src) & (<u32>0xffffffff >>> (32 - (<u32>size << 3))));
        src += size;
        if (n >= end - src || n >= limit - out) return MALFORMED;
        n++;
        copyLiterals(out, src, n);
      }
      out += n;
      src += n;
    } else {
      // Which of the three forms comes next can't be foretold: a table is faster than branches.
      const form = <usize>load<u16>(FORM + (tag << 1));
      const size = form >> 12;
      const n = form & 127;
      const bytes = load<u32>(src) & (<u32>0xffffffff >>> (32 - (<u32>size << 3)));
      const off = <usize>bytes + (form & 0x700);
      src += size;
      if (src > end || off == 0 || off > out - base || n > limit - out) return MALFORMED;
      if (off >= 16) copyShort(out, out - off, n);
      else copyMatch(out, off, n);
      out += n;
    }
  }
  return out == limit ? out : MALFORMED;
}

// ---- encoding ---------------------------------------------------------------------------------

/** Where to put a hash of the five bytes in the low end of v; the multiplier is LZ4's. */
// @ts-ignore: decorator
@inline
function slot(v: u64): usize {
  return TABLE + (<usize>(((v << 24) * 889523592379) >>> (64 - HASH_BITS)) << 1);
}

/** The first place from p on, up to end, where the bytes differ from those at q. */
// @ts-ignore: decorator
@inline
function matchEnd(p: usize, q: usize, end: usize): usize {
  while (p + 8 <= end) {
    const x = load<u64>(p) ^ load<u64>(q);
    if (x != 0) return p + <usize>(ctz(x) >> 3);
    p += 8;
    q += 8;
  }
  while (p < end && load<u8>(p) == load<u8>(q)) {
    p++;
    q++;
  }
  return p;
}

// @ts-ignore: decorator
@inline
function lz4More(out: usize, n: usize): usize {
  for (; n >= 255; n -= 255) store<u8>(out++, 255);
  store<u8>(out, <u8>n);
  return out + 1;
}

/** One LZ4 sequence: n literals from src, then `length` bytes from `off` back (0: no match). */
// @ts-ignore: decorator
@inline
function lz4Sequence(out: usize, src: usize, n: usize, off: usize, length: usize): usize {
  const token = out++;
  const m = length == 0 ? 0 : length - 4;
  store<u8>(token, <u8>((min<usize>(n, 15) << 4) | min<usize>(m, 15)));
  if (n >= 15) out = lz4More(out, n - 15);
  copyLiterals(out, src, n);
  out += n;
  if (length == 0) return out;
  store<u16>(out, <u16>off);
  out += 2;
  return m >= 15 ? lz4More(out, m - 15) : out;
}

/** The same as Snappy elements. */
// @ts-ignore: decorator
@inline
function snappyElements(out: usize, src: usize, n: usize, off: usize, length: usize): usize {
  if (n > 0) {
    if (n <= 60) store<u8>(out++, <u8>((n - 1) << 2));
    else if (n <= 256) {
      store<u8>(out, 60 << 2);
      store<u8>(out, <u8>(n - 1), 1);
      out += 2;
    } else {
      store<u8>(out, 61 << 2);
      store<u16>(out, <u16>(n - 1), 1);
      out += 3;
    }
    copyLiterals(out, src, n);
    out += n;
  }
  // No piece may be shorter than 4: that is the least that the one-byte offset form can say.
  while (length > 0) {
    const piece = length < 68 ? min<usize>(length, length > 64 ? 60 : 64) : 64;
    if (piece < 12 && off < 2048) {
      store<u8>(out, <u8>(((off >> 8) << 5) | ((piece - 4) << 2) | 1));
      store<u8>(out, <u8>off, 1);
      out += 2;
    } else {
      store<u8>(out, <u8>(((piece - 1) << 2) | 2));
      store<u16>(out, <u16>off, 1);
      out += 3;
    }
    length -= piece;
  }
  return out;
}

/**
 * Greedy matching through a table of the last place of every five-byte hash, as LZ4's fast level
 * and Snappy do it: the longer nothing matches, the longer the steps. n is at most 65,536, so that
 * places and offsets fit 16 bits. Returns the output's end; it needs room for n + n / 255 + 32.
 */
// @ts-ignore: decorator
@inline
function encode(src: usize, n: usize, out: usize, snappy: bool): usize {
  const end = src + n;
  let literals = src;
  if (n > 16) {
    memory.fill(TABLE, 0, TABLE_SIZE);
    // LZ4 requires its last match to start 12 bytes before the end, and to stop 5 before it.
    const lastMatch = end - 12, lastByte = end - 5;
    let p = src + 1, tries: usize = 64;
    while (p <= lastMatch) {
      const v = load<u64>(p);
      const place = slot(v);
      let match = src + <usize>load<u16>(place);
      store<u16>(place, <u16>(p - src));
      if (load<u32>(match) != <u32>v) {
        p += tries++ >> 6;
        continue;
      }
      let stop = matchEnd(p + 4, match + 4, lastByte);
      while (p > literals && match > src && load<u8>(p - 1) == load<u8>(match - 1)) {
        p--;
        match--;
      }
      const count = p - literals, off = p - match;
      out = snappy
        ? snappyElements(out, literals, count, off, stop - p)
        : lz4Sequence(out, literals, count, off, stop - p);
      literals = p = stop;
      tries = 64;
      // A place inside the match, so that what repeats with a shift is found as well.
      if (p <= lastMatch) store<u16>(slot(load<u64>(p - 2)), <u16>(p - 2 - src));
    }
  }
  return snappy
    ? snappyElements(out, literals, end - literals, 0, 0)
    : lz4Sequence(out, literals, end - literals, 0, 0);
}

/** An LZ4 block of n bytes at src, at `out`. Returns the block's end. */
export function lz4Encode(src: usize, n: usize, out: usize): usize {
  return encode(src, n, out, false);
}

/** The Snappy elements (without the length in front) of n bytes at src, at `out`; their end. */
export function snappyEncode(src: usize, n: usize, out: usize): usize {
  return encode(src, n, out, true);
}

// ---- xxHash32 ---------------------------------------------------------------------------------

const P1: u32 = 2654435761;
const P2: u32 = 2246822519;
const P3: u32 = 3266489917;
const P4: u32 = 668265263;
const P5: u32 = 374761393;

/** xxHash32 with seed 0 of n bytes at p: LZ4 frames' checksum. */
export function xxh32(p: usize, n: usize): u32 {
  const end = p + n;
  let h: u32 = P5;
  if (n >= 16) {
    let a: u32 = P1 + P2, b: u32 = P2, c: u32 = 0, d: u32 = 0 - P1;
    for (const last = end - 16; p <= last; p += 16) {
      a = rotl<u32>(a + load<u32>(p) * P2, 13) * P1;
      b = rotl<u32>(b + load<u32>(p, 4) * P2, 13) * P1;
      c = rotl<u32>(c + load<u32>(p, 8) * P2, 13) * P1;
      d = rotl<u32>(d + load<u32>(p, 12) * P2, 13) * P1;
    }
    h = rotl<u32>(a, 1) + rotl<u32>(b, 7) + rotl<u32>(c, 12) + rotl<u32>(d, 18);
  }
  h += <u32>n;
  for (; p + 4 <= end; p += 4) h = rotl<u32>(h + load<u32>(p) * P3, 17) * P4;
  for (; p < end; p++) h = rotl<u32>(h + <u32>load<u8>(p) * P5, 11) * P1;
  h = (h ^ (h >>> 15)) * P2;
  h = (h ^ (h >>> 13)) * P3;
  return h ^ (h >>> 16);
}
