// What the walker of Protobuf does with one occurrence of a field that is more than a slot's number or
// text: messages, lists, maps, oneofs.

import { inProgram, scratch, scratchSize } from "./program.as";
import { bad, defaults, forget, setNumber, walkMessage } from "./proto.as";
import { exact, span, time } from "./proto_known.as";
import {
  accepts,
  at,
  bits,
  fault,
  field,
  find,
  MESSAGE,
  number,
  numberOf,
  packed,
  q,
  SIZED,
  size,
  STRING,
  TOO_SCATTERED,
  wire,
} from "./proto_wire.as";
import { PROTO, setBytes, setValue, slotAt, SYMBOL } from "./slots.as";

/** What is done with a field. */
const SLOT: u32 = 1, CHILD: u32 = 2, WHOLE: u32 = 3, ALL: u32 = 4;
const ELEMENTS: u32 = 5, KEYS: u32 = 6, TIME: u32 = 7, SPAN: u32 = 8, NAME: u32 = 9;
const EXACT: u32 = 11;

/**
 * Messages that come in several parts are joined at the end of the scratch room: this much for all
 * of a key, and of a value. Slots point there until the record's row is written.
 */
const JOINED: usize = 65536;
let joinTop: usize = 0;
let joinEnd: usize = 0;

/** A key (0) or value (1) is walked: nothing of it is joined so far. */
export function clearJoined(part: u32): void {
  joinEnd = scratch + <usize>scratchSize - (part == 0 ? JOINED : 0);
  joinTop = joinEnd - JOINED;
}

/** Does what the entry of a field says, and those after it, with one occurrence of the field. */
export function take(
  entry: usize,
  wire: u32,
  x: u64,
  from: usize,
  n: usize,
  start: usize,
  end: usize,
): i32 {
  const op = load<u32>(entry), first = load<u32>(entry, 4);
  const repeated = first == ALL || first == ELEMENTS || first == KEYS;
  if (!accepts(op, wire, repeated)) return 0;
  const oneof = load<u32>(entry, 16);
  if (oneof != 0) choose(inProgram(oneof), load<u32>(entry, 28));
  let reason = 0;
  while (reason == 0) {
    reason = act(entry, load<u32>(entry, 4), op, wire, x, from, n, start, end);
    const next = load<u32>(entry, 20);
    if (next == 0) break;
    entry = inProgram(next);
  }
  return reason;
}

/**
 * A member of a oneof is there: what was seen of another one does not count. `state` is the oneof's: what
 * to forget of the member that is there; `record` is that of this one.
 */
function choose(state: usize, record: u32): void {
  const before = load<u32>(state);
  if (before == record) return;
  store<u32>(state, record);
  if (before != 0) forget(inProgram(before));
}

function act(
  entry: usize,
  action: u32,
  op: u32,
  wire: u32,
  x: u64,
  from: usize,
  n: usize,
  start: usize,
  end: usize,
): i32 {
  const slot = load<u32>(entry, 8), ref = load<u32>(entry, 12);
  const state = inProgram(load<u32>(entry, 24));
  switch (action) {
    case SLOT:
      if (op < STRING) setNumber(entry, x);
      else setBytes(slot, load<u32>(entry, 44), from, <u32>n, 0);
      return 0;
    case NAME:
      setBytes(slot, SYMBOL, inProgram(load<u32>(entry, 32)), load<u32>(entry, 36), 0);
      return 0;
    case CHILD:
      return child(inProgram(ref), state, from, n);
    case WHOLE: {
      const where = slotAt(slot);
      if (load<u32>(where) == PROTO) {
        from = join(load<u32>(where, 8), load<u32>(where, 4), from, n);
        if (from == 0) return bad(TOO_SCATTERED, start, slot);
        n += <usize>load<u32>(where, 4);
      }
      setBytes(slot, PROTO, from, <u32>n, ref);
      setValue(slot, PROTO, 0, ref);
      return 0;
    }
    case ALL: {
      const where = slotAt(slot);
      const begin = load<u32>(where) == PROTO ? <usize>load<u32>(where, 8) : start;
      setBytes(slot, PROTO, begin, <u32>(end - begin), ref);
      setValue(slot, PROTO, 1, ref);
      return 0;
    }
    case TIME: {
      const reason = time(slot, state, from, n);
      return reason == 0 ? 0 : bad(reason, q, slot);
    }
    case SPAN: {
      const reason = span(slot, state, from, n);
      return reason == 0 ? 0 : bad(reason, q, slot);
    }
    case EXACT: {
      const reason = exact(slot, state, from, n);
      return reason == 0 ? 0 : bad(reason, q, slot);
    }
    case ELEMENTS:
      return elements(inProgram(ref), state, op, wire, x, from, n, start);
    case KEYS:
      return keys(inProgram(ref), from, n);
    default: // a member of a oneof that is not wanted
      return 0;
  }
}

/** One occurrence of a message. Its state: whether it was seen, where, its size. */
function child(node: usize, state: usize, from: usize, n: usize): i32 {
  if (load<u32>(state) == 0) {
    store<u32>(state, 1);
    store<u32>(state, <u32>from, 4);
    store<u32>(state, <u32>n, 8);
    defaults(node);
  } else if ((load<u32>(node, 24) & 1) != 0) {
    // It has fields that are kept as bytes: both parts together are the message.
    const size = <usize>load<u32>(state, 8);
    const joined = join(load<u32>(state, 4), <u32>size, from, n);
    if (joined == 0) return bad(TOO_SCATTERED, from);
    from = joined;
    n += size;
    store<u32>(state, <u32>from, 4);
    store<u32>(state, <u32>n, 8);
    forget(inProgram(load<u32>(node, 28)));
    defaults(node);
  }
  return walkMessage(node, from, from + n);
}

/** Two parts of a message, one after the other; 0: there is no room. */
function join(a: u32, aSize: u32, b: usize, bSize: usize): usize {
  const whole = <usize>aSize + bSize;
  if (whole > joinEnd - joinTop) return 0;
  const to = joinTop;
  memory.copy(to, a, aSize);
  memory.copy(to + aSize, b, bSize);
  joinTop += whole;
  return to;
}

/**
 * The wanted elements (u32: how many; the number and the entry of each, rising), with one occurrence of
 * their field. State: elements seen, wanted ones found.
 */
function elements(
  list: usize,
  state: usize,
  op: u32,
  wire: u32,
  x: u64,
  from: usize,
  n: usize,
  start: usize,
): i32 {
  const count = load<u32>(list);
  let index = load<u32>(state), found = load<u32>(state, 4);
  const several = wire == SIZED && op < STRING;
  let p = from;
  const end = from + n;
  while (!several || p < end) {
    if (several) {
      x = packed(op, p, end);
      if (fault != 0) return bad(fault, q);
      p = q;
    }
    const pair = list + 4 + (<usize>found << 3);
    if (found < count && load<u32>(pair) == index) {
      found++;
      for (let next = load<u32>(pair, 4); next != 0;) {
        const entry = inProgram(next);
        const reason = act(entry, load<u32>(entry, 4), op, wire, x, from, n, start, p);
        if (reason != 0) return reason;
        next = load<u32>(entry, 20);
      }
    }
    index++;
    if (!several) break;
  }
  store<u32>(state, index);
  store<u32>(state, found, 4);
  return 0;
}

/**
 * The wanted keys of a map (u32: how many, the keys' type; then of each the key's offset and size, the
 * node of its entry, what to forget when it comes again), with one entry of the map. The last counts.
 */
function keys(list: usize, from: usize, n: usize): i32 {
  const op = load<u32>(list, 4), end = from + n;
  let keyAt: usize = 0, keySize: usize = 0, key: u64 = 0, some = false;
  for (let p = from; p < end; p = q) {
    field(p, end);
    if (fault != 0) return bad(fault, q);
    if (number == 1 && accepts(op, wire, false)) {
      keyAt = at;
      keySize = size;
      key = numberOf(op, bits);
    } else if (number == 2 && wire == SIZED) some = true;
  }
  let wanted = list + 8;
  for (let i = load<u32>(list); i > 0; i--, wanted += 16) {
    const text = inProgram(load<u32>(wanted));
    if (op == STRING) {
      if (<usize>load<u32>(wanted, 4) != keySize) continue;
      if (memory.compare(text, keyAt, keySize) != 0) continue;
    } else if (load<u64>(text) != key) continue;
    const node = inProgram(load<u32>(wanted, 8));
    forget(inProgram(load<u32>(wanted, 12)));
    defaults(node);
    const entry = find(node, 2);
    // A message that is left out is an empty one.
    if (!some && load<u32>(entry) == MESSAGE) return take(entry, SIZED, 0, from, 0, from, from);
    return walkMessage(node, from, end);
  }
  return 0;
}
