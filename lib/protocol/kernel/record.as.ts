// One record of a batch: https://kafka.apache.org/documentation/#record

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

/** The zigzag varint of 64 bits at q. At most ten bytes are taken. */
// @ts-ignore: decorator
@inline
function varlong(): i64 {
  let x: u64 = 0;
  for (let s: u64 = 0; s < 70; s += 7) {
    const b: u64 = load<u8>(q++);
    x |= (b & 127) << s;
    if (b < 128) break;
  }
  return <i64>(x >>> 1) ^ -(<i64>(x & 1));
}

/** Where the record ends, and its offset less the batch's. */
export let next: usize = 0;
export let delta: i32 = 0;
/** Its time less the batch's, milliseconds. */
export let time: i64 = 0;
/** Key and value: where they are, and how long; negative for null. */
export let key: usize = 0;
export let keySize: i32 = 0;
export let value: usize = 0;
export let valueSize: i32 = 0;

/** The record's offset delta must lie above that of the record before it, and not above the batch's last. */
let floor: i32 = -1;
let ceiling: i32 = 0;

/** Says between which offset deltas the next records lie: above f, up to c. */
export function between(f: i32, c: i32): void {
  floor = f;
  ceiling = c;
}

/** The open record is dealt with: the next one's delta must be above its own. */
// @ts-ignore: decorator
@inline
export function pass(): void {
  floor = delta;
}

/** The delta of the last record dealt with. */
export function passed(): i32 {
  return floor;
}

/**
 * Whether the headers at q end just where the record does. There are few, so it is not inlined.
 */
function headersEnd(): bool {
  let count = varint();
  // A header has at least two bytes: a length each.
  if (count < 0 || count > <i32>(next - q)) return false;
  for (; count > 0; count--) {
    const size = varint();
    if (q >= next || size < 0 || size >= <i32>(next - q)) return false;
    q += size;
    const length = varint();
    if (q > next || length < -1 || length > <i32>(next - q)) return false;
    if (length > 0) q += length;
  }
  return q == next;
}

/**
 * Reads the record at p into the variables above. False: the bytes up to end hold no record, or
 * one that can't be of this batch. Each length is checked, so that what is here is inside of the
 * record, and nothing of it is left over.
 */
// @ts-ignore: decorator
@inline
export function open(p: usize, end: usize): bool {
  if (p >= end) return false;
  q = p;
  const size = varint();
  next = q + size;
  if (<u32>size > <u32>(end - p) || next > end) return false;
  q++; // attributes
  time = varlong();
  delta = varint();
  keySize = varint();
  key = q;
  // Both bounds of a number in one comparison: what is below the lower one wraps around.
  if (<u32>(keySize + 1) > <u32>(size + 1)) return false;
  if (keySize > 0) q += keySize;
  valueSize = varint();
  value = q;
  // The header count, at least a byte, is still to come.
  if (q >= next || <u32>(valueSize + 1) > <u32>(next - q)) return false;
  if (<u32>(delta - floor - 1) >= <u32>(ceiling - floor)) return false;
  if (valueSize > 0) q += valueSize;
  if (load<u8>(q) == 0) return q + 1 == next;
  return headersEnd();
}

/** What findHeader() and nextHeader() found: the value, and how long it is; negative for null. */
export let header: usize = 0;
export let headerSize: i32 = 0;
/** The name of the header that nextHeader() found. */
export let headerName: usize = 0;
export let headerNameSize: i32 = 0;

/** Goes to the open record's headers; returns how many there are. */
export function headers(): i32 {
  q = value + (valueSize > 0 ? valueSize : 0);
  return varint();
}

/** The next header of the open record. */
export function nextHeader(): void {
  headerNameSize = varint();
  headerName = q;
  q += headerNameSize;
  headerSize = varint();
  header = q;
  if (headerSize > 0) q += headerSize;
}

/** Finds the value of the last header of this name (n bytes at name): sets header and headerSize. */
export function findHeader(name: usize, n: i32): void {
  let found: usize = 0, foundSize = -1;
  for (let count = headers(); count > 0; count--) {
    nextHeader();
    let same = headerNameSize == n;
    for (let i = 0; same && i < n; i++) same = load<u8>(headerName + i) == load<u8>(name + i);
    if (same) {
      found = header;
      foundSize = headerSize;
    }
  }
  header = found;
  headerSize = foundSize;
}
