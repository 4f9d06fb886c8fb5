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

/** Reads the record at p into the variables above. False: the bytes up to end hold no record. */
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
  if (keySize > size) return false;
  if (keySize > 0) q += keySize;
  valueSize = varint();
  value = q;
  // The header count, at least a byte, is still to come.
  return q < next && valueSize < <i32>(next - q);
}

/** Where the headers are: their count comes first. */
export function headers(): usize {
  return value + (valueSize > 0 ? valueSize : 0);
}

/** Finds the value of the last header of this name (n bytes at name): sets key and keySize. */
export function findHeader(name: usize, n: i32): bool {
  q = headers();
  keySize = -1;
  for (let count = varint(); count > 0; count--) {
    const size = varint();
    if (q >= next || size < 0 || size > <i32>(next - q)) return false;
    let same = size == n;
    for (let i = 0; same && i < n; i++) same = load<u8>(q + i) == load<u8>(name + i);
    q += size;
    const length = varint();
    if (q > next || length > <i32>(next - q)) return false;
    if (same) {
      key = q;
      keySize = length;
    }
    if (length > 0) q += length;
  }
  return true;
}
