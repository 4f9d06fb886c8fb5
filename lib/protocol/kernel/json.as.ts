// JSON values: the fields of wanted paths, and a check of all the rest (RFC 8259).

import { compositeEnd, DEPTH_MAX } from "./json_skip.as";
import {
  afterName,
  BELOW,
  BELOW_COUNT,
  findName,
  FIRST,
  HAS,
  HAS_INDEXES,
  HAS_NAMES,
  INDEX_COUNT,
  INDEXES,
  isName,
  nameEnd,
  NEXT,
  SLOT,
  STACK,
  unwanted,
  useRoot,
} from "./json_names.as";
import {
  afterSpaces,
  CUT,
  ends32,
  escaped,
  fail,
  NO_COLON,
  NO_COMMA,
  NO_NAME,
  numberEnd,
  skipSpaces,
  stringEnd,
  TRAILING,
  wordEnd,
  wrong,
  wrongAt,
} from "./json_text.as";
import { inProgram } from "./program.as";
import { ESCAPED, JSON, MISSING, NULL, RAW, slotAt, TEXT } from "./slots.as";
import { blame, NOT_UTF8 } from "./unfit.as";
import { isUtf8, notUtf8At } from "./utf8.as";

/** Whether any of n bytes at p is not ASCII. */
function hasHigh(p: usize, n: usize): bool {
  let high = i8x16.splat(0);
  const end = p + n;
  for (; p + 64 <= end; p += 64) {
    const a = v128.or(v128.load(p), v128.load(p, 16));
    high = v128.or(high, v128.or(a, v128.or(v128.load(p, 32), v128.load(p, 48))));
  }
  for (; p + 16 <= end; p += 16) high = v128.or(high, v128.load(p));
  let bits = i8x16.bitmask(high);
  if (p < end) bits |= i8x16.bitmask(v128.load(p)) & ((1 << <i32>(end - p)) - 1);
  return bits != 0;
}

/** What was found for a node's slot. */
// @ts-ignore: decorator
@inline
function found(node: usize, kind: u32, at: usize, size: usize): void {
  const slot = slotAt(load<u32>(node, SLOT));
  store<u64>(slot, <u64>kind | <u64>size << 32);
  store<u64>(slot, <u64>at | <u64>1 << 32, 8);
}

/** Nothing is found yet below a node, whatever an earlier value of the same name had. */
function clearBelow(node: usize): void {
  let slot = slotAt(load<u32>(node, BELOW));
  for (let left = load<u32>(node, BELOW_COUNT); left > 0; left--, slot += 24) {
    store<u32>(slot, MISSING);
  }
}

/** Of an open object or array on the stack: what it is, and how far it was. */
const FRAME: usize = 24;
const COMMA_QUOTE: u16 = 0x222c;

/**
 * Walks size bytes at p by the tree of wanted paths into slots: the whole text is checked. Returns 0,
 * or a reason.
 */
export function walkJson(root: usize, p: usize, size: i32): i32 {
  if (hasHigh(p, size) && !isUtf8(p, size)) {
    blame(<i32>(notUtf8At(p, size) - p), -1);
    return NOT_UTF8;
  }
  // What comes after it is part of the record, and has no business in here: see json_text.as.ts.
  const end = p + size, after = load<u8>(end);
  store<u8>(end, 0);
  let stop = walkValue(root, p);
  if (stop != 0) {
    stop = skipSpaces(stop);
    if (stop != end) stop = fail(TRAILING, stop);
  }
  store<u8>(end, after);
  if (stop != 0) return 0;
  blame(<i32>(wrongAt - p), -1);
  return wrongAt == end ? CUT : wrong;
}

/** The value at p and the spaces before it: what is after it, or 0. */
function walkValue(root: usize, p: usize): usize {
  useRoot(root);
  const bottom = inProgram(load<u32>(root, STACK));
  let sp = bottom;
  /** The node of the value that is next, and that of the object or array which it is in. */
  let node = root, inside: usize = 0;
  let isObject = false;
  /** Where that starts. */
  let start: usize = 0;
  /** Where the node of the next name is expected to be said. */
  let link: usize = 0;
  /** The index of the element, and the next entry of the wanted ones. */
  let index: u32 = 0, wanted: usize = 0;
  p = skipSpaces(p);
  while (true) {
    let isOpen = false;
    const c = load<u8>(p);
    if (c == 34) {
      const m = ends32(p + 1);
      const from = p + 1, quote = from + <usize>ctz(m);
      if (m != 0 && load<u8>(quote) == 34) {
        p = quote + 1;
        found(node, TEXT, from, quote - from);
      } else {
        p = stringEnd(from);
        if (p == 0) return 0;
        found(node, escaped ? ESCAPED : TEXT, from, p - 1 - from);
      }
    } else if (c == 45 || c - 48 < 10) {
      const from = p;
      p = numberEnd(p);
      if (p == 0) return 0;
      found(node, RAW, from, p - from);
    } else if ((c | 32) != 123) { // { and [, which differ in this bit
      const from = p;
      p = wordEnd(p);
      if (p == 0) return 0;
      found(node, RAW - (RAW - NULL) * u32(c == 110), from, p - from);
    }
    const has = load<u32>(node, HAS);
    if (has != 0) clearBelow(node);
    if ((c | 32) == 123) {
      if ((has & (c == 123 ? HAS_NAMES : HAS_INDEXES)) == 0) {
        const from = p;
        const depth = <u32>((sp - bottom) / FRAME);
        p = compositeEnd(p, DEPTH_MAX - depth, stackAfter(sp));
        if (p == 0) return 0;
        found(node, JSON, from, p - from);
      } else {
        store<u32>(sp, <u32>inside);
        store<u32>(sp, <u32>start, 4);
        store<u32>(sp, <u32>link, 8);
        store<u32>(sp, index, 12);
        store<u32>(sp, <u32>wanted, 16);
        store<u32>(sp, <u32>isObject, 20);
        sp += FRAME;
        inside = node;
        start = p;
        isObject = c == 123;
        isOpen = true;
        p = skipSpaces(p + 1);
        if (load<u8>(p) == c + 2) isOpen = false;
        else if (isObject) link = node + FIRST;
        else {
          index = 0;
          wanted = inProgram(load<u32>(node, INDEXES));
        }
      }
    }
    // After a value, or after what opened an object or array.
    while (true) {
      if (!isOpen) {
        if (sp == bottom) return p;
        if (load<u16>(p) == COMMA_QUOTE && isObject) p++;
        else {
          p = skipSpaces(p);
          const d = load<u8>(p);
          if (d != 44) {
            if (d != (isObject ? 125 : 93)) return fail(NO_COMMA, p);
            p++;
            found(inside, JSON, start, p - start);
            sp -= FRAME;
            inside = load<u32>(sp);
            start = load<u32>(sp, 4);
            link = load<u32>(sp, 8);
            index = load<u32>(sp, 12);
            wanted = load<u32>(sp, 16);
            isObject = load<u32>(sp, 20) != 0;
            continue;
          }
          p = skipSpaces(p + 1);
          index++;
        }
      }
      if (isObject) {
        if (load<u8>(p) != 34) return fail(NO_NAME, p);
        p++;
        node = load<u32>(link);
        if (isName(p, node)) {
          p = afterName(p, node);
          link = node + NEXT;
        } else {
          node = findName(p, inside);
          if (node == 0) return 0;
          store<u32>(link, <u32>node);
          p = nameEnd;
          // That node is of no object in particular: what it links to may be under another one.
          link = node == unwanted ? inside + FIRST : node + NEXT;
        }
        if (load<u8>(p) != 58) {
          p = afterSpaces(p);
          if (load<u8>(p) != 58) return fail(NO_COLON, p);
        }
        p = skipSpaces(p + 1);
      } else {
        const stop = inProgram(load<u32>(inside, INDEXES)) +
          <usize>load<u32>(inside, INDEX_COUNT) * 8;
        if (wanted < stop && load<u32>(wanted) == index) {
          node = inProgram(load<u32>(wanted, 4));
          wanted += 8;
        } else node = unwanted;
      }
      break;
    }
  }
}

/** Where the stack of compositeEnd() may be. */
// @ts-ignore: decorator
@inline
function stackAfter(sp: usize): usize {
  return (sp + 7) & ~7;
}
