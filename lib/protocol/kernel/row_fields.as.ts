// The columns of a CSV row that was read: where each is, and its text without the quotes.

/**
 * What the table of a row's columns has of each: where it is and its size, uint32 each, as it stands
 * in the row; how many quotes are in it, uint32; the size of what is written for it, uint32; and what
 * it was read as, 8 bytes.
 */
export const COLUMN: usize = 24;

/** Whether the row looked at last leaves a quote open. */
export let leavesOpen: bool = false;
/** Where the column after the last one of the table starts; 0 if the row has none. */
export let restAt: usize = 0;

// @ts-ignore: decorator
@inline
function note(table: usize, index: u32, from: usize, to: usize, quotes: u32): void {
  const entry = table + COLUMN * index;
  store<u32>(entry, <u32>from);
  store<u32>(entry, <u32>(to - from), 4);
  store<u32>(entry, quotes, 8);
}

/**
 * Finds the columns of the row from p to end, and notes the first `most` of them in the table.
 * Returns how many the row has. A comma between quotes is part of its column, as in rowKey().
 */
export function findColumns(p: usize, end: usize, table: usize, most: u32): u32 {
  const comma = i8x16.splat(44), quote = i8x16.splat(34);
  let count: u32 = 0, quotes: u32 = 0;
  let start = p, open = false;
  restAt = 0;
  for (let i = p; i < end; i += 16) {
    const v = v128.load(i);
    let marks = i8x16.bitmask(i8x16.eq(v, quote));
    let commas = i8x16.bitmask(i8x16.eq(v, comma));
    const left = end - i;
    if (left < 16) {
      const mask = (1 << <i32>left) - 1;
      marks &= mask;
      commas &= mask;
    }
    // Bit k of inside: an odd number of quotes up to byte k.
    let inside = marks ^ (marks << 1);
    inside ^= inside << 2;
    inside ^= inside << 4;
    inside ^= inside << 8;
    if (open) inside = ~inside;
    open = open != ((popcnt(marks) & 1) != 0);
    commas &= ~inside;
    while (commas != 0) {
      const at = ctz(commas);
      const before = (1 << at) - 1;
      quotes += popcnt(marks & before);
      marks &= ~before;
      if (count < most) note(table, count, start, i + at, quotes);
      count++;
      start = i + at + 1;
      if (count == most) restAt = start;
      quotes = 0;
      commas &= commas - 1;
    }
    quotes += popcnt(marks);
  }
  if (count < most) note(table, count, start, end, quotes);
  leavesOpen = open;
  return count + 1;
}

/** Whether the column is nothing at all, without quotes: NULL. */
// @ts-ignore: decorator
@inline
export function isNull(column: usize): bool {
  return load<u32>(column, 4) == 0;
}

/** The text of a column that simple() is true of. */
export let simpleAt: usize = 0;
export let simpleSize: usize = 0;

/** Whether a column's text lies in the row as it is: it has no quotes, or one at each end. */
export function simple(column: usize): bool {
  const at = <usize>load<u32>(column), size = <usize>load<u32>(column, 4);
  const quotes = load<u32>(column, 8);
  simpleAt = at;
  simpleSize = size;
  if (quotes == 0) return true;
  if (quotes != 2 || load<u8>(at) != 34 || load<u8>(at + size - 1) != 34) return false;
  simpleAt = at + 1;
  simpleSize = size - 2;
  return true;
}

/**
 * The text of a column without its quotes, a doubled one between them once: its size, and if
 * `writes`, the text at out. Copies are whole vectors: up to 15 bytes after it are spoilt.
 */
export function plainText(out: usize, column: usize, writes: bool): usize {
  if (simple(column)) {
    if (writes) {
      for (let i: usize = 0; i < simpleSize; i += 16) v128.store(out + i, v128.load(simpleAt + i));
    }
    return simpleSize;
  }
  const quote = i8x16.splat(34);
  const first = out;
  let p = <usize>load<u32>(column), open = false;
  const end = p + load<u32>(column, 4);
  while (p < end) {
    const v = v128.load(p);
    const quotes = <u32>i8x16.bitmask(i8x16.eq(v, quote));
    let n = <usize>ctz(quotes | 0x10000);
    if (n > end - p) n = end - p;
    if (writes) v128.store(out, v);
    out += n;
    p += n;
    if (n == 16 || p == end) continue;
    if (open && p + 1 < end && load<u8>(p, 1) == 34) {
      if (writes) store<u8>(out, 34);
      out++;
      p += 2;
    } else {
      open = !open;
      p++;
    }
  }
  return out - first;
}
