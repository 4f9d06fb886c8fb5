// Decimal text to the nearest double, ties to even, as IEEE 754 and PostgreSQL have it.

/** Two numbers of up to 8,192 bits, 32 bits a limb, the lowest first. */
const LEFT = memory.data(1024);
const RIGHT = memory.data(1024);
let leftSize: i32 = 0;
let rightSize: i32 = 0;

/** Digits that are looked at: no more decide between two doubles. One more says that others follow. */
const MOST_DIGITS = 768;
const LARGEST: u64 = 0x7fefffffffffffff;

/** 10^0 to 10^22, which are exact. */
const POWERS: StaticArray<f64> = [
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/** Makes the number at `at` itself times `factor` plus `more`; returns its size in limbs. */
function multiply(at: usize, size: i32, factor: u32, more: u32): i32 {
  let carry: u64 = more;
  for (let i = 0; i < size; i++) {
    const limb = at + (<usize>i << 2);
    carry += <u64>load<u32>(limb) * factor;
    store<u32>(limb, <u32>carry);
    carry >>= 32;
  }
  if (carry == 0) return size;
  store<u32>(at + (<usize>size << 2), <u32>carry);
  return size + 1;
}

function multiplyBy5(at: usize, size: i32, times: i32): i32 {
  for (; times >= 13; times -= 13) size = multiply(at, size, 1220703125, 0);
  for (; times > 0; times--) size = multiply(at, size, 5, 0);
  return size;
}

function shiftLeft(at: usize, size: i32, bits: i32): i32 {
  const limbs = bits >> 5;
  if (size == 0) return 0;
  size = multiply(at, size, 1 << (bits & 31), 0);
  memory.copy(at + (<usize>limbs << 2), at, <usize>size << 2);
  memory.fill(at, 0, <usize>limbs << 2);
  return size + limbs;
}

function compareBig(): i32 {
  if (leftSize != rightSize) return leftSize < rightSize ? -1 : 1;
  for (let i = leftSize - 1; i >= 0; i--) {
    const a = load<u32>(LEFT + (<usize>i << 2)), b = load<u32>(RIGHT + (<usize>i << 2));
    if (a != b) return a < b ? -1 : 1;
  }
  return 0;
}

/** What was read: where its first significant digit is, how many there are, and their power of ten. */
let firstDigit: usize = 0;
let digitsEnd: usize = 0;
let exponent: i32 = 0;

/** Puts the digits into LEFT; returns the power of ten that they are to be multiplied by. */
function readBig(): i32 {
  let taken = 0, power = exponent, chunk: u32 = 0, scale: u32 = 1, rest = false;
  leftSize = 0;
  for (let p = firstDigit; p < digitsEnd; p++) {
    const c = load<u8>(p);
    if (c == 46) continue;
    if (taken == MOST_DIGITS) {
      rest = rest || c != 48;
      power++;
      continue;
    }
    taken++;
    chunk = chunk * 10 + (c - 48);
    scale *= 10;
    if (scale == 1000000000) {
      leftSize = multiply(LEFT, leftSize, scale, chunk);
      chunk = 0;
      scale = 1;
    }
  }
  if (scale > 1) leftSize = multiply(LEFT, leftSize, scale, chunk);
  if (!rest) return power;
  leftSize = multiply(LEFT, leftSize, 10, 1);
  return power - 1;
}

/** Compares what was read with m times 2^k. */
function compare(m: u64, k: i32): i32 {
  const power = readBig();
  store<u64>(RIGHT, m);
  rightSize = m >> 32 != 0 ? 2 : m != 0 ? 1 : 0;
  if (power > 0) leftSize = multiplyBy5(LEFT, leftSize, power);
  else rightSize = multiplyBy5(RIGHT, rightSize, -power);
  const shift = power - k;
  if (shift > 0) leftSize = shiftLeft(LEFT, leftSize, shift);
  else rightSize = shiftLeft(RIGHT, rightSize, -shift);
  return compareBig();
}

/** The double nearest to what was read, from one that is near it; above LARGEST if it is too large. */
function nearest(bits: u64): u64 {
  while (bits <= LARGEST) {
    const raw = <i32>(bits >> 52);
    const m = raw == 0 ? bits : bits & 0xfffffffffffff | 0x10000000000000;
    const k = (raw == 0 ? 1 : raw) - 1075;
    const odd = (m & 1) != 0;
    const above = compare(2 * m + 1, k - 1);
    if (above > 0 || (above == 0 && odd)) {
      bits++;
      continue;
    }
    if (bits == 0) break;
    // Below a power of two the doubles lie twice as close.
    const isPower = raw > 1 && m == 0x10000000000000;
    const below = isPower ? compare(4 * m - 1, k - 2) : compare(2 * m - 1, k - 1);
    if (below > 0 || (below == 0 && !odd)) break;
    bits--;
  }
  return bits;
}

/** What readDouble() found. */
export let double: f64 = 0;

/** Reads n bytes at p, which are a number as JSON has it. False: it is too large for a double. */
export function readDouble(p: usize, n: usize): bool {
  const end = p + n;
  const negative = load<u8>(p) == 45;
  if (negative) p++;
  let w: u64 = 0, taken = 0, fraction = 0, point = false, started = false;
  exponent = 0;
  firstDigit = end;
  for (; p < end; p++) {
    const c = load<u8>(p);
    if (c == 46) {
      point = true;
      continue;
    }
    if ((c | 32) == 101) break;
    if (point) fraction++;
    if (!started && c == 48) continue;
    if (!started) {
      started = true;
      firstDigit = p;
    }
    taken++;
    if (taken <= 19) w = w * 10 + (c - 48);
  }
  digitsEnd = p;
  let e = 0;
  if (p < end) {
    p++;
    const minus = load<u8>(p) == 45;
    if (minus || load<u8>(p) == 43) p++;
    for (; p < end; p++) if (e < 100000) e = e * 10 + (load<u8>(p) - 48);
    if (minus) e = -e;
  }
  exponent = e - fraction;
  double = negative ? -0.0 : 0.0;
  if (!started || taken + exponent < -325) return true;
  if (taken + exponent > 310) return false;
  let x: f64;
  let power = exponent + (taken > 19 ? taken - 19 : 0);
  x = <f64>w;
  const exact = taken <= 19 && w <= 0x20000000000000 && power >= -22 && power <= 22;
  for (; power > 22; power -= 22) x *= 1e22;
  for (; power < -22; power += 22) x /= 1e22;
  x = power < 0 ? x / unchecked(POWERS[-power]) : x * unchecked(POWERS[power]);
  if (!exact) {
    let bits = reinterpret<u64>(x);
    if (bits > LARGEST) bits = LARGEST;
    bits = nearest(bits);
    if (bits > LARGEST) return false;
    x = reinterpret<f64>(bits);
  }
  double = negative ? -x : x;
  return true;
}
