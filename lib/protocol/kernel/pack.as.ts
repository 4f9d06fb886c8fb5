// Rows to records: from the bytes that were read into the batches that are sent, in one pass.

import { PACKED } from "./memory.as";
import {
  dropSearched,
  forget,
  inner,
  keyAt,
  keyLength,
  murmur2,
  rowEnd,
  rowKey,
  setUpScan,
  valueAt,
} from "./scan.as";
import {
  fault,
  isEmpty,
  KEYLESS,
  setUpShape,
  shape,
  shapedHeaders,
  shapedValue,
  writeHeaders,
  writeValue,
} from "./shape.as";

// Why pack() returned; named in packing.ts.
const MORE = 0, OPEN = 1, FULL = 2, LARGE = 3, PAUSED = 4, UNFIT = 5;

/** CRs before the newline are not part of the row. */
let strips: bool = true;
let keyMode: i32 = 0;
let keyArgument: u32 = 0;
let hashing: bool = false;
let partitions: u32 = 1;
/** The open batches, 16 bytes a partition: see packing.ts. */
let table: usize = 0;
let scratch: usize = 0;
/** Whether an empty value is a null one, if its record has a key. */
let tombstones: bool = false;
/** Whether a program says what a record is made of (shape.as.ts); else the value is the row. */
let shaped: bool = false;
/** Rows still to be left out as a header. */
let headers: u32 = 0;
/** The number of the line that the next row starts in. */
let line: u32 = 1;

/** Says what all calls of pack() have in common. Where a key is unquoted, scratch has 64 KiB. */
export function setUpPacking(
  end: i32,
  quotes: bool,
  mode: i32,
  argument: u32,
  hash: bool,
  count: u32,
  batches: usize,
  space: usize,
  nulls: bool,
  program: usize,
): void {
  setUpScan(end, quotes);
  strips = end == 10;
  keyMode = mode;
  keyArgument = argument;
  hashing = hash;
  partitions = count;
  table = batches;
  scratch = space;
  tombstones = nulls;
  shaped = program != 0;
  if (shaped) setUpShape(program);
}

/** A new input begins, with this many header rows. Returns the number of its first line. */
export function startInput(headerRows: u32): u32 {
  forget();
  headers = headerRows;
  return line;
}

// @ts-ignore: decorator
@inline
function size(n: u32): usize {
  // The zigzag varint of a number that is not negative.
  return n < 64 ? 1 : n < 8192 ? 2 : n < 1048576 ? 3 : n < 134217728 ? 4 : 5;
}

// @ts-ignore: decorator
@inline
function put(out: usize, n: u32): usize {
  n <<= 1;
  while (n > 127) {
    store<u8>(out++, <u8>(n | 128));
    n >>>= 7;
  }
  store<u8>(out, <u8>n);
  return out + 1;
}

// @ts-ignore: decorator
@inline
function copy(out: usize, p: usize, n: usize): usize {
  for (let i: usize = 0; i < n; i += 16) v128.store(out + i, v128.load(p + i));
  return out + n;
}

/**
 * Appends the rows from p on to open batches. A row with a key goes to its key's partition where
 * that is wanted, others to `only`; budget rows at most. `last`: nothing comes after end, so the
 * last row needs no newline. Copies are whole vectors: up to 15 bytes after a record are spoilt.
 *
 * Returns where the first row starts that was not dealt with; PACKED says why it stopped there.
 */
export function pack(p: usize, end: usize, last: bool, only: u32, budget: i32): usize {
  // Two copies of one loop, each without the other one's branches.
  return shaped
    ? packRows(p, end, last, only, budget, true)
    : packRows(p, end, last, only, budget, false);
}

// @ts-ignore: decorator
@inline
function packRows(
  p: usize,
  end: usize,
  last: bool,
  only: u32,
  budget: i32,
  isShaped: bool,
): usize {
  let rows = 0, empty = 0, bytes: u32 = 0;
  let status = MORE, partition = only, row: u32 = line, why = 0;
  let record: usize = 0;
  while (p < end) {
    if (rows == budget) {
      status = PAUSED;
      break;
    }
    row = line;
    let stop = rowEnd(p, end);
    let next = stop + 1;
    if (stop == 0) {
      if (!last) break;
      stop = next = end;
    }
    let length = stop - p;
    if (strips && length > 0 && load<u8>(stop - 1) == 13) length--;
    if (headers > 0 || length == 0) {
      if (headers > 0) headers--;
      else empty++;
      line += 1 + inner;
      forget();
      p = next;
      continue;
    }
    if (isShaped) why = shape(p, p + length, scratch);
    else if (!rowKey(p, p + length, keyMode, keyArgument, scratch)) why = KEYLESS;
    if (why != 0) {
      line += 1 + inner;
      forget();
      p = next;
      status = UNFIT;
      break;
    }
    partition = hashing && keyLength >= 0
      ? (murmur2(keyAt, keyLength) & 0x7fffffff) % partitions
      : only;
    const batch = table + (<usize>partition << 4);
    let out: usize = load<u32>(batch);
    const top: usize = load<u32>(batch, 4);
    const limit: usize = load<u32>(batch, 8);
    const count = load<u32>(batch, 12);
    let value = <i32>(isShaped ? shapedValue : <u32>(p + length - valueAt));
    if ((isShaped ? isEmpty : value == 0) && tombstones && keyLength >= 0) value = -1;
    const valueSize: usize = value < 0 ? 1 : size(value) + <usize>value;
    const headerSize: usize = isShaped ? shapedHeaders : 1;
    const key: usize = keyLength < 0 ? 1 : size(keyLength) + keyLength;
    // Attributes and timestamp delta take a byte each.
    const body = <u32>(2 + size(count) + key) + <u32>(valueSize + headerSize);
    record = size(body) + body;
    const lines = top - 4 * (count + 1);
    if (out == 0 || out + record > limit || out + record + 16 > lines) {
      status = out == 0 ? OPEN : count > 0 ? FULL : LARGE;
      forget();
      break;
    }
    out = put(out, body);
    store<u16>(out, 0);
    out = put(out + 2, count);
    if (keyLength < 0) store<u8>(out++, 1);
    else out = copy(put(out, keyLength), keyAt, keyLength);
    if (value < 0) store<u8>(out++, 1);
    else {
      out = put(out, value);
      if (!isShaped) copy(out, valueAt, value);
      else {
        why = writeValue(out, scratch);
        if (why != 0) {
          line += 1 + inner;
          forget();
          p = next;
          status = UNFIT;
          break;
        }
      }
      out += value;
    }
    if (isShaped) out = writeHeaders(out);
    else store<u8>(out++, 0);
    store<u32>(lines, row);
    store<u32>(batch, <u32>out);
    store<u32>(batch, count + 1, 12);
    bytes += <u32>length;
    rows++;
    line += 1 + inner;
    forget();
    p = next;
  }
  store<u32>(PACKED, status);
  store<u32>(PACKED, partition, 4);
  store<u32>(PACKED, <u32>record, 8);
  store<u32>(PACKED, rows, 12);
  store<u32>(PACKED, empty, 16);
  store<u32>(PACKED, bytes, 20);
  store<u32>(PACKED, row, 24);
  store<u32>(PACKED, why, 28);
  store<u32>(PACKED, fault, 32);
  return p;
}

/**
 * Steps over the rest of a row that is too long to be kept, of which the bytes before p are gone
 * already. Returns where the next row starts, or 0 if that is past end.
 */
export function discard(p: usize, end: usize, last: bool): usize {
  dropSearched();
  const stop = rowEnd(p, end);
  if (stop == 0 && !last) return 0;
  line += 1 + inner;
  forget();
  return stop == 0 ? end : stop + 1;
}
