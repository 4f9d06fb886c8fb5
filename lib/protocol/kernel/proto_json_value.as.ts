// Single values of Protobuf as JSON text in a CSV field.

import { signed, unsigned } from "./digits.as";
import { jsonString } from "./json_string.as";
import { inProgram } from "./program.as";
import { count, fieldOf, frame, mark, member, message, release, room } from "./proto_json.as";
import {
  BOOLEAN,
  ENUM,
  enumName,
  field,
  FIXED32,
  FIXED64,
  FLOAT32,
  FLOAT64,
  MESSAGE,
  nameSize,
  numberOf,
  OCTETS,
  STRING,
  UINT32,
  UINT64,
} from "./proto_wire.as";
import { double, float } from "./shortest.as";

/** Writes a value, from the wire, of a type (`ref`: the message's or enum's descriptor); returns its end. */
export function value(out: usize, op: u32, ref: u32, bits: u64, at: usize, size: usize): usize {
  if (op >= MESSAGE) return message(out, inProgram(ref), at, at + size);
  if (!room(out, op == STRING ? 6 * size + 8 : op == OCTETS ? 2 * size + 8 : 40)) return out;
  let odd = false;
  switch (op) {
    case STRING:
      return jsonString(out, at, size);
    case OCTETS:
      return base64(out, at, size);
    case ENUM:
      return symbol(out, ref, <i32>bits);
    case FLOAT32:
      odd = (<u32>bits & 0x7f800000) == 0x7f800000;
      return quotes(float(quotes(out, odd), <u32>bits), odd);
    case FLOAT64:
      odd = (bits & 0x7ff0000000000000) == 0x7ff0000000000000;
      return quotes(double(quotes(out, odd), bits), odd);
    case BOOLEAN:
      if (bits != 0) {
        store<u32>(out, 0x65757274); // true
        return out + 4;
      }
      store<u64>(out, 0x65736c6166); // false
      return out + 5;
    default:
      return integer(out, op, bits);
  }
}

function integer(out: usize, op: u32, bits: u64): usize {
  const x = numberOf(op, bits);
  const natural = op == UINT32 || op == UINT64 || op == FIXED32 || op == FIXED64;
  return natural ? unsigned(out, x) : signed(out, x);
}

/** A number that JSON does not have is a string: the quotes before or after it. */
function quotes(out: usize, odd: bool): usize {
  if (!odd) return out;
  store<u16>(out, 0x2222);
  return out + 2;
}

/** An enum's name; a number that has none stays one. NULL_VALUE is null. */
function symbol(out: usize, ref: u32, value: i32): usize {
  const table = inProgram(ref);
  if (load<u32>(table, 20) != 0) {
    store<u32>(out, 0x6c6c756e); // null
    return out + 4;
  }
  const name = enumName(table, value);
  if (name == 0) return integer(out, 1, value);
  if (!room(out, nameSize + 8)) return out;
  store<u16>(out, 0x2222);
  memory.copy(out + 2, name, nameSize);
  out += 2 + <usize>nameSize;
  store<u16>(out, 0x2222);
  return out + 2;
}

// @ts-ignore: decorator
@inline
function sextet(n: u32): u8 {
  n &= 63;
  if (n < 26) return <u8>(65 + n);
  if (n < 52) return <u8>(71 + n);
  return n < 62 ? <u8>(n - 4) : n == 62 ? 43 : 47;
}

/** RFC 4648, section 4, with padding. */
function base64(out: usize, p: usize, n: usize): usize {
  store<u16>(out, 0x2222);
  out += 2;
  for (let i: usize = 0; i < n; i += 3) {
    const left = n - i;
    const a: u32 = load<u8>(p + i), b: u32 = left > 1 ? load<u8>(p + i, 1) : 0;
    const c: u32 = left > 2 ? load<u8>(p + i, 2) : 0;
    store<u8>(out, sextet(a >>> 2));
    store<u8>(out, sextet(a << 4 | b >>> 4), 1);
    store<u8>(out, left > 1 ? sextet(b << 2 | c >>> 6) : 61, 2);
    store<u8>(out, left > 2 ? sextet(c) : 61, 3);
    out += 4;
  }
  store<u16>(out, 0x2222);
  return out + 2;
}

/** Writes what a value is that is not there; returns its end. */
export function absent(out: usize, op: u32, ref: u32): usize {
  const first: u64 = op == ENUM ? load<i32>(inProgram(ref), 16) : 0;
  return value(out, op, ref, first, 0, 0);
}

/** Writes one entry of a map, whose message has a key and a value; returns its end. */
export function pair(out: usize, what: usize, p: usize, end: usize): usize {
  const before = mark();
  const into = frame(what, p, end);
  if (into == 0) return out;
  const key = fieldOf(what, 0), content = fieldOf(what, 1);
  if (!room(out, 8)) return out;
  const text = load<u32>(key, 4) == STRING;
  if (!text) {
    store<u16>(out, 0x2222);
    out += 2;
  }
  out = either(out, key, into, 0, end);
  if (!room(out, 8)) return out;
  if (!text) {
    store<u16>(out, 0x2222);
    out += 2;
  }
  store<u8>(out++, 58);
  out = either(out, content, into, 1, end);
  release(before);
  return out;
}

/** Writes field i, or its default if it is not there; returns its end. */
export function either(out: usize, one: usize, into: usize, i: u32, end: usize): usize {
  return count(into, i) != 0
    ? member(out, one, into, i, end)
    : absent(out, load<u32>(one, 4), load<u32>(one, 12));
}
