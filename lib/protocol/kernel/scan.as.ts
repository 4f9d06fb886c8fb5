// Where rows end, and where the key in a row is.

/** What ends a row: newline (with or without regard to CSV quotes) or NUL. */
let ending: i32 = 10;
let quoting: bool = false;

/** Bytes of the row at hand that were searched before and need not be searched again. */
let searched: usize = 0;
/** Whether these leave a quote open. */
let quoted: bool = false;
/** Newlines inside quotes of the row at hand. */
export let inner: u32 = 0;

export function setUpScan(end: i32, quotes: bool): void {
  ending = end;
  quoting = quotes;
  forget();
}

/** A row is dealt with, or will be looked at again: nothing is known of the next bytes. */
export function forget(): void {
  searched = 0;
  quoted = false;
  inner = 0;
}

/** The bytes searched so far are gone from the buffer; what they said of quotes still holds. */
export function dropSearched(): void {
  searched = 0;
}

/**
 * Where the row at p ends: the index of its newline or NUL, or 0 if none is before end. Then
 * the next call with the same p goes on where this one stopped, so that a row which comes in
 * many pieces is searched once.
 */
export function rowEnd(p: usize, end: usize): usize {
  const newline = i8x16.splat(<i8>ending);
  const quote = i8x16.splat(34);
  let i = p + searched;
  for (; i < end; i += 16) {
    const left = end - i;
    const v = v128.load(i);
    let ends = i8x16.bitmask(i8x16.eq(v, newline));
    let quotes = quoting ? i8x16.bitmask(i8x16.eq(v, quote)) : 0;
    if (left < 16) {
      const mask = (1 << <i32>left) - 1;
      ends &= mask;
      quotes &= mask;
    }
    if (quoting) {
      // Bit k of inside: an odd number of quotes up to byte k.
      let inside = quotes ^ (quotes << 1);
      inside ^= inside << 2;
      inside ^= inside << 4;
      inside ^= inside << 8;
      if (quoted) inside = ~inside;
      const found = ends & ~inside & 0xffff;
      if (found != 0) {
        const at = ctz(found);
        inner += popcnt(ends & inside & ((1 << at) - 1));
        return i + at;
      }
      inner += popcnt(ends);
      quoted = quoted != ((popcnt(quotes) & 1) != 0);
    } else if (ends != 0) return i + ctz(ends);
  }
  searched = end - p;
  return 0;
}

/** Where rowKey() found the key; length -1 is a null key. */
export let keyAt: usize = 0;
export let keyLength: i32 = -1;
/** Where the value starts. */
export let valueAt: usize = 0;

export const NO_KEY = 0, DELIMITED = 1, COLUMN = 2;

/** The largest key of a quoted field with quotes in it: they are taken out in the scratch space. */
const SCRATCH_SIZE: usize = 65536;

/**
 * Finds the key of the row from p to end. By delimiter: what is before the first one, or null
 * where the row has none. By column: the CSV field of that number, from 1, without its quotes;
 * null if it is empty and not quoted. False if the row has no such column.
 */
export function rowKey(p: usize, end: usize, mode: i32, what: u32, scratch: usize): bool {
  keyLength = -1;
  valueAt = p;
  if (mode == NO_KEY) return true;
  if (mode == DELIMITED) {
    for (let i = p; i < end; i++) {
      if (load<u8>(i) == <u8>what) {
        keyAt = p;
        keyLength = <i32>(i - p);
        valueAt = i + 1;
        return true;
      }
    }
    return true;
  }
  let column: u32 = 1;
  let open = false;
  let start = p;
  let quotes: usize = 0;
  let i = p;
  for (; i < end; i++) {
    const byte = load<u8>(i);
    if (byte == 34) {
      open = !open;
      quotes++;
    } else if (byte == 44 && !open) {
      if (column == what) break;
      column++;
      start = i + 1;
      quotes = 0;
    }
  }
  if (column != what) return false;
  return unquote(start, i, quotes, scratch);
}

/** Makes a column of a row (row_fields.as.ts) its key. False if it is too long for the scratch space. */
export function keyOf(column: usize, scratch: usize): bool {
  const start = <usize>load<u32>(column);
  keyLength = -1;
  return unquote(start, start + load<u32>(column, 4), load<u32>(column, 8), scratch);
}

/** The field from start to end without its quotes, in place where that is possible. */
function unquote(start: usize, end: usize, quotes: usize, scratch: usize): bool {
  keyAt = start;
  if (quotes == 0) {
    if (end > start) keyLength = <i32>(end - start);
    return true;
  }
  if (quotes == 2 && load<u8>(start) == 34 && load<u8>(end - 1) == 34) {
    keyAt = start + 1;
    keyLength = <i32>(end - start - 2);
    return true;
  }
  if (end - start > SCRATCH_SIZE) return false;
  let out = scratch;
  let open = false;
  for (let i = start; i < end; i++) {
    const byte = load<u8>(i);
    if (byte != 34) store<u8>(out++, byte);
    else if (open && i + 1 < end && load<u8>(i, 1) == 34) {
      store<u8>(out++, 34);
      i++;
    } else open = !open;
  }
  keyAt = scratch;
  keyLength = <i32>(out - scratch);
  return true;
}

/** Java's org.apache.kafka.common.utils.Utils.murmur2. */
export function murmur2(p: usize, n: i32): u32 {
  const m: u32 = 0x5bd1e995;
  let h: u32 = 0x9747b28c ^ <u32>n;
  const end = p + (n & ~3);
  for (; p < end; p += 4) {
    let k = load<u32>(p) * m;
    k ^= k >>> 24;
    h = (h * m) ^ (k * m);
  }
  const rest = n & 3;
  if (rest == 3) h ^= <u32>load<u8>(p, 2) << 16;
  if (rest >= 2) h ^= <u32>load<u8>(p, 1) << 8;
  if (rest >= 1) h = (h ^ <u32>load<u8>(p)) * m;
  h = (h ^ (h >>> 13)) * m;
  return h ^ (h >>> 15);
}
