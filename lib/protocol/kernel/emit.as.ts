// Slots to CSV fields.

import { emitAvro } from "./avro_json.as";
import { decimal, hex, quoted, quotedText } from "./csv.as";
import { emitType } from "./emit_types.as";
import { emitProto } from "./proto_json.as";
import {
  AVRO,
  BOOL,
  BYTES,
  ESCAPED,
  INT,
  JSON,
  NULL,
  PROTO,
  RAW,
  slotBytes,
  slotExtra,
  slotSize,
  slotValue,
  SYMBOL,
  TEXT,
  UINT,
} from "./slots.as";
import { copy, isUtf8 } from "./text.as";
import { unescaped } from "./unescape.as";
import { limit, NOT_UTF8, overflows, reject } from "./unfit.as";

/** What a field of fixed size takes at most, and what copies spoil after it. */
const SMALL: usize = 64;

/** Writes a slot as a CSV field, without a comma; returns its end. See overflow. */
export function emitSlot(out: usize, slot: usize): usize {
  const kind = load<u32>(slot);
  if (kind <= NULL) return out;
  const size = slotSize(slot);
  // A byte becomes two at most: a quote, or hex digits. Composites look after themselves.
  if (limit < out + SMALL || limit - out - SMALL < 2 * size) {
    overflows();
    return out;
  }
  switch (kind) {
    case TEXT:
      return text(out, slotBytes(slot), size, slotExtra(slot) != 0);
    case SYMBOL:
      return text(out, slotBytes(slot), size, true);
    case ESCAPED:
      return unescaped(out, slotBytes(slot), size);
    case RAW:
      copy(out, slotBytes(slot), size);
      return out + size;
    case JSON:
      return quotedText(out, slotBytes(slot), size);
    case INT: {
      const value = slotValue(slot);
      if (value >= 0) return decimal(out, value, 1);
      store<u8>(out, 45);
      return decimal(out + 1, 0 - <u64>value, 1);
    }
    case UINT:
      return decimal(out, slotValue(slot), 1);
    case BOOL:
      if (slotValue(slot) != 0) {
        store<u32>(out, 0x65757274); // true
        return out + 4;
      }
      store<u64>(out, 0x65736c6166); // false
      return out + 5;
    case BYTES:
      return hex(out, slotBytes(slot), size);
    case AVRO:
      return emitAvro(out, slot);
    case PROTO:
      return emitProto(out, slot);
    default:
      return emitType(out, slot, kind);
  }
}

/**
 * Writes n bytes of UTF-8 as a field: as they are, or quoted if a comma, a quote or a control
 * character is among them, or if the row could be taken for the end of the data.
 */
function text(out: usize, p: usize, n: usize, trusted: bool): usize {
  if (n == 0) {
    store<u16>(out, 0x2222);
    return out + 2;
  }
  const comma = i8x16.splat(44), quote = i8x16.splat(34), space = i8x16.splat(32);
  let special = i8x16.splat(0), high = i8x16.splat(0);
  let i: usize = 0;
  for (const whole = n & ~15; i < whole; i += 16) {
    const v = v128.load(p + i);
    v128.store(out + i, v);
    special = v128.or(special, v128.or(i8x16.eq(v, comma), i8x16.eq(v, quote)));
    special = v128.or(special, i8x16.lt_u(v, space));
    high = v128.or(high, v);
  }
  let bits = i8x16.bitmask(special), highBits = i8x16.bitmask(high);
  if (i < n) {
    const v = v128.load(p + i);
    v128.store(out + i, v);
    const keep = (1 << <i32>(n - i)) - 1;
    const last = v128.or(v128.or(i8x16.eq(v, comma), i8x16.eq(v, quote)), i8x16.lt_u(v, space));
    bits |= i8x16.bitmask(last) & keep;
    highBits |= i8x16.bitmask(v) & keep;
  }
  if (bits != 0 || (n == 2 && load<u16>(p) == 0x2e5c)) {
    return trusted ? quotedText(out, p, n) : quoted(out, p, n);
  }
  if (highBits != 0 && !trusted && !isUtf8(p, n)) reject(NOT_UTF8);
  return out + n;
}
