// The nodes of wanted paths, and how a name in an object finds its node.
//
// A node is a name (or an index) under another node, NODE_SIZE bytes (lib/records/json.ts writes them):
//    0  the first 32 bytes of the name and its closing quote, then zeroes
//   32  ff for each of these that counts
//   64  where the name is in the program, its size
//   72  the node that it is under, the slot of its value
//   80  after it: the node of the name that came next the last time
//   84  inside of it: the node of the name that came first the last time
//   88  1 = it has names under it, 2 = indexes; 4 = it is not a name itself
//   92  the first slot of what is under it, how many
//  100  its indexes: where, how many: u32 index and u32 node each, rising
//  108  the next node of the same hash
// The links of 80, 84 and 108 are addresses, all others offsets in the program.
//
// Documents of one topic mostly have the same names in the same order, so each name, wanted or
// not, is first compared with the one that came next the last time.

import { inProgram } from "./program.as";
import { escaped, stringEnd } from "./json_text.as";
import { decodeName } from "./unescape.as";

export const NODE_SIZE: usize = 112;
const PATTERN: usize = 32, NAME: usize = 64, NAME_SIZE: usize = 68, UNDER: usize = 72;
export const SLOT: usize = 76, NEXT: usize = 80, FIRST: usize = 84, HAS: usize = 88;
export const BELOW: usize = 92, BELOW_COUNT: usize = 96, INDEXES: usize = 100, INDEX_COUNT: usize = 104;
const SAME_HASH: usize = 108;
export const HAS_NAMES: u32 = 1, HAS_INDEXES: u32 = 2;
const NAMELESS: u32 = 4;

// Of the root alone, after its node: u32 offset of all nodes, count; offset of the hash table, its
// size less 1; offset of the room for names that are not wanted, how many it has, how many are in
// use; offset of a buffer, its size (the longest name's); offset of the stack; the slot of what is not wanted.
const NODES: usize = 112, NODE_COUNT: usize = 116, TABLE: usize = 120, TABLE_MASK: usize = 124;
const LEARNED: usize = 128, LEARNED_MAX: usize = 132, LEARNED_COUNT: usize = 136;
const BUFFER: usize = 140, BUFFER_SIZE: usize = 144;
export const STACK: usize = 148;
const NO_SLOT: usize = 152;

/** The program's root, and the node of names that are not known. */
let root: usize = 0;
export let unwanted: usize = 0;
let table: usize = 0;
let tableMask: u32 = 0;
/** What is after the name that findName() read last, and its colon is to come. */
export let nameEnd: usize = 0;

/** Names are of this root's nodes from now on. */
// @ts-ignore: decorator
@inline
export function useRoot(node: usize): void {
  root = node;
  unwanted = inProgram(load<u32>(node, LEARNED));
  table = inProgram(load<u32>(node, TABLE));
  tableMask = load<u32>(node, TABLE_MASK);
  if (load<u32>(node, LEARNED_COUNT) == 0) setUp();
}

/** The first document: fills the hash table. */
function setUp(): void {
  const never = unwanted + NODE_SIZE;
  for (let i = 0; i < 2; i++) {
    // The first two of the room: any name, and a name that no document has.
    const node = unwanted + <usize>i * NODE_SIZE;
    v128.store(node, i8x16.splat(0), PATTERN);
    // No name has this byte: it is not of UTF-8.
    store<u8>(node, 255);
    store<u8>(node, 255, PATTERN);
    store<u32>(node, load<u32>(root, NO_SLOT), SLOT);
    store<u32>(node, <u32>never, NEXT);
    store<u32>(node, <u32>never, FIRST);
  }
  store<u32>(root, 2, LEARNED_COUNT);
  let node = inProgram(load<u32>(root, NODES));
  for (let left = load<u32>(root, NODE_COUNT); left > 0; left--, node += NODE_SIZE) {
    store<u32>(node, <u32>never, NEXT);
    store<u32>(node, <u32>never, FIRST);
    if ((load<u32>(node, HAS) & NAMELESS) != 0) continue;
    const size = load<u32>(node, NAME_SIZE);
    insert(node, hash(load<u32>(node, UNDER), inProgram(load<u32>(node, NAME)), size));
  }
}

function insert(node: usize, hashed: u32): void {
  const bucket = table + <usize>(hashed & tableMask) * 4;
  store<u32>(node, load<u32>(bucket), SAME_HASH);
  store<u32>(bucket, <u32>node);
}

/** Of a name of n bytes at p under a node. */
function hash(under: u32, p: usize, n: u32): u32 {
  let first = load<u64>(p), last: u64 = 0;
  if (n >= 8) last = load<u64>(p + n - 8);
  else first &= (<u64>1 << (8 * n)) - 1;
  let h = first * 0x9e3779b97f4a7c15 ^ rotl<u64>(last * 0xc2b2ae3d27d4eb4f, 32);
  h = (h ^ <u64>(under + n)) * 0x9fb21c651e98df25;
  return <u32>(h >>> 32);
}

// @ts-ignore: decorator
@inline
function differs(p: usize, node: usize, at: usize): bool {
  const wrong = v128.xor(v128.load(p + at), v128.load(node + at));
  return v128.any_true(v128.and(wrong, v128.load(node + at, PATTERN)));
}

/** Whether the name at p, and its closing quote, are those of the node. */
// @ts-ignore: decorator
@inline
export function isName(p: usize, node: usize): bool {
  if (differs(p, node, 0)) return false;
  return load<u32>(node, NAME_SIZE) < 16 || isLongName(p, node);
}

function isLongName(p: usize, node: usize): bool {
  const size = load<u32>(node, NAME_SIZE);
  if (differs(p, node, 16)) return false;
  if (size < 32) return true;
  return load<u8>(p + size) == 34 && same(p, inProgram(load<u32>(node, NAME)), size);
}

function same(a: usize, b: usize, n: u32): bool {
  for (let i: u32 = 0; i < n; i++) if (load<u8>(a + i) != load<u8>(b + i)) return false;
  return true;
}

/** After isName(): what is after the name. */
// @ts-ignore: decorator
@inline
export function afterName(p: usize, node: usize): usize {
  return p + load<u32>(node, NAME_SIZE) + 1;
}

/**
 * p is after the first quote of a name that is in an object of `node`: its node, which is `unwanted`
 * if the name was never met; 0 if the string is wrong. nameEnd is what is after it.
 */
export function findName(p: usize, node: usize): usize {
  const end = stringEnd(p);
  if (end == 0) return 0;
  nameEnd = end;
  let n = <u32>(end - 1 - p);
  const under = <u32>(node - inProgram(0));
  if (escaped) {
    const buffer = inProgram(load<u32>(root, BUFFER));
    const size = decodeName(p, n, buffer, load<u32>(root, BUFFER_SIZE));
    if (size < 0) return unwanted;
    p = buffer;
    n = size;
  }
  const hashed = hash(under, p, n);
  let found: usize = load<u32>(table + <usize>(hashed & tableMask) * 4);
  for (; found != 0; found = load<u32>(found, SAME_HASH)) {
    if (load<u32>(found, UNDER) != under || load<u32>(found, NAME_SIZE) != n) continue;
    // The name of a learned one is its pattern: it is short.
    const name = load<u32>(found, NAME);
    if (same(p, name == 0 ? found : inProgram(name), n)) return found;
  }
  const count = load<u32>(root, LEARNED_COUNT);
  if (escaped || n > 31 || count == load<u32>(root, LEARNED_MAX)) return unwanted;
  store<u32>(root, count + 1, LEARNED_COUNT);
  const learned = unwanted + <usize>count * NODE_SIZE;
  memory.copy(learned, unwanted, NODE_SIZE);
  memory.copy(learned, p, n + 1);
  memory.fill(learned + PATTERN, 255, n + 1);
  store<u32>(learned, n, NAME_SIZE);
  store<u32>(learned, under, UNDER);
  insert(learned, hashed);
  return learned;
}
