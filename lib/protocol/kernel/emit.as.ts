// Slots to CSV fields.

import { emitAvro } from "./avro_json.as";
import { hex, quoted, quotedText } from "./csv.as";
import { emitBytes, emitValue, hasValue } from "./emit_types.as";
import { emitProto } from "./proto_json.as";
import {
  AVRO,
  BYTES,
  ESCAPED,
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
} from "./slots.as";
import { copy } from "./text.as";
import { isUtf8 } from "./utf8.as";
import { unescaped } from "./unescape.as";
import { limit, NOT_UTF8, overflows, reject } from "./unfit.as";

/** What a field of fixed size takes at most, and what copies spoil after it. */
const SMALL: usize = 64;

/** Kinds whose bytes are written as they are if nothing in them needs quotes. */
const AS_IT_IS: u32 = 1 << TEXT | 1 << RAW;

/** Writes a slot as a CSV field, without a comma; returns its end. See overflow. */
// @ts-ignore: decorator
@inline
export function emitSlot(out: usize, slot: usize): usize {
  const kind = load<u32>(slot), size = load<u32>(slot, 4);
  if (kind <= NULL) return out;
  if (hasValue(kind) && limit >= out + SMALL) return emitValue(out, kind, slotValue(slot));
  // Most fields are short: up to 32 bytes, known to be UTF-8 or ASCII.
  if ((1 << kind & AS_IT_IS) != 0 && size - 1 < 32 && limit >= out + SMALL) {
    const p = slotBytes(slot), unknown = i8x16.splat(<i8>(slotExtra(slot) != 0 ? 0 : 128));
    const a = v128.load(p), b = v128.load(p, 16);
    v128.store(out, a);
    v128.store(out, b, 16);
    const special = <u32>i8x16.bitmask(v128.or(wantsQuotes(a), v128.and(a, unknown))) |
      <u32>i8x16.bitmask(v128.or(wantsQuotes(b), v128.and(b, unknown))) << 16;
    // Shifted in two steps: by 32 would be by none.
    if ((special << (31 - (size - 1))) == 0 && load<u16>(p) != END_OF_DATA) return out + size;
  }
  return emitAny(out, slot, kind);
}

/** Of each byte: whether it is a comma, a quote or a control character. */
// @ts-ignore: decorator
@inline
function wantsQuotes(v: v128): v128 {
  // With this bit flipped a quote comes next to the control characters: 32, and the space is 34.
  const flipped = v128.xor(v, i8x16.splat(2));
  return v128.or(i8x16.le_u(flipped, i8x16.splat(32)), i8x16.eq(v, i8x16.splat(44)));
}

/** A line that is just `\.` ends the data. */
const END_OF_DATA: u16 = 0x2e5c;

function emitAny(out: usize, slot: usize, kind: u32): usize {
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
    case BYTES:
      return hex(out, slotBytes(slot), size);
    case AVRO:
      return emitAvro(out, slot);
    case PROTO:
      return emitProto(out, slot);
    default:
      return emitBytes(out, kind, slotBytes(slot), <u32>size, slotExtra(slot));
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
  let special = i8x16.splat(0), high = i8x16.splat(0);
  let i: usize = 0;
  for (const whole = n & ~15; i < whole; i += 16) {
    const v = v128.load(p + i);
    v128.store(out + i, v);
    special = v128.or(special, wantsQuotes(v));
    high = v128.or(high, v);
  }
  let bits = i8x16.bitmask(special), highBits = i8x16.bitmask(high);
  if (i < n) {
    const v = v128.load(p + i);
    v128.store(out + i, v);
    const keep = (1 << <i32>(n - i)) - 1;
    bits |= i8x16.bitmask(wantsQuotes(v)) & keep;
    highBits |= i8x16.bitmask(v) & keep;
  }
  if (bits != 0 || (n == 2 && load<u16>(p) == END_OF_DATA)) {
    return trusted ? quotedText(out, p, n) : quoted(out, p, n);
  }
  if (highBits != 0 && !trusted && !isUtf8(p, n)) reject(NOT_UTF8);
  return out + n;
}
