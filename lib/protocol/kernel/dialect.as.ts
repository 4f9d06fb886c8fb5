// Rows of another dialect of CSV to rows of the standard one: commas, double quotes, a doubled quote
// for one, NULL is nothing at all, UTF-8. Fields are read as PostgreSQL's COPY ... (FORMAT csv) does.

import { DATA } from "./memory.as";
import { copy } from "./text.as";

/**
 * Where the program describes the dialect; 0: rows are standard. int32 each: delimiter; quote, -1 for
 * none; escape; whether it is ISO 8859-1; the text of a null, where and how long; then a byte for
 * each byte, its class.
 */
export let dialect: usize = 0;

const QUOTE_AT: usize = 4, ESCAPE_AT: usize = 8, LATIN1_AT: usize = 12;
const NULL_AT: usize = 16, NULL_SIZE: usize = 20, CLASSES: usize = 24;

/** Classes of bytes: as it is, a delimiter, a quote, an escape, one that a field must be quoted for, above 127. */
const PLAIN = 0, DELIMITER = 1, QUOTE = 2, ESCAPE = 3, SPECIAL = 4, HIGH = 5;

/** What quotes a field, -1 for nothing; what takes the meaning from a quote in it. */
export let quote: i32 = 34;
export let escape: i32 = 34;

/** The dialect that a program has; 0 for none. */
export function setDialect(at: usize): void {
  dialect = at;
  quote = at == 0 ? 34 : load<i32>(at, QUOTE_AT);
  escape = at == 0 ? 34 : load<i32>(at, ESCAPE_AT);
}

export function isLatin1(): bool {
  return dialect != 0 && load<i32>(dialect, LATIN1_AT) != 0;
}

/** Writes the row from p to end; returns its end. A byte becomes three at most, and two come last. */
export function dialectRow(out: usize, p: usize, end: usize): usize {
  const classes = dialect + CLASSES;
  const row = p;
  while (p <= end) {
    // First where the field ends, and what is in it.
    const start = p;
    let open = false, quotes = false, special = false, high = false;
    while (p < end) {
      const c = load<u8>(p);
      const kind: u32 = load<u8>(classes + c);
      if (kind == PLAIN) {
        p++;
        continue;
      }
      if (kind == DELIMITER) {
        if (!open) break;
      } else if (kind == QUOTE) {
        quotes = true;
        if (open && escape == quote && p + 1 < end && load<u8>(p, 1) == c) p++;
        else open = !open;
      } else if (kind == ESCAPE) {
        // Outside of quotes it is a character like others, and may be one that the row has to quote.
        if (c == 44 || c == 34) special = true;
        if (open && p + 1 < end) {
          const next: i32 = load<u8>(p, 1);
          if (next == quote || next == escape) p++;
        }
      } else if (kind == HIGH) high = true;
      else special = true;
      p++;
    }
    const size = p - start;
    if (quotes) out = quotedField(out, start, p);
    else if (isNullText(start, size)) {
      // Nothing at all.
    } else if (size == 0) {
      store<u16>(out, 0x2222);
      out += 2;
    } else if (special || (size == 2 && load<u16>(start) == 0x2e5c && p == end && start == row)) {
      out = quotedField(out, start, p);
    } else if (high) out = latin1(out, start, p);
    else {
      copy(out, start, size);
      out += size;
    }
    if (p < end) store<u8>(out++, 44);
    p++;
  }
  return out;
}

function isNullText(p: usize, n: usize): bool {
  if (n != <usize>load<u32>(dialect, NULL_SIZE)) return false;
  const text = DATA + <usize>load<u32>(dialect, NULL_AT);
  for (let i: usize = 0; i < n; i++) {
    if (load<u8>(p + i) != load<u8>(text + i)) return false;
  }
  return true;
}

/** Writes one character, which is a byte in ISO 8859-1. */
// @ts-ignore: decorator
@inline
function character(out: usize, c: u8, isLatin1: bool): usize {
  if (!isLatin1 || c < 128) {
    store<u8>(out, c);
    return out + 1;
  }
  store<u8>(out, 0xc0 | c >> 6);
  store<u8>(out, 0x80 | (c & 0x3f), 1);
  return out + 2;
}

function latin1(out: usize, p: usize, end: usize): usize {
  for (; p < end; p++) out = character(out, load<u8>(p), true);
  return out;
}

/** Writes the field from p to end between double quotes. */
function quotedField(out: usize, p: usize, end: usize): usize {
  const isLatin1 = load<i32>(dialect, LATIN1_AT) != 0;
  let open = false;
  store<u8>(out++, 34);
  while (p < end) {
    let c = load<u8>(p++);
    if (open && c == escape && p < end && (load<u8>(p) == quote || load<u8>(p) == escape)) {
      c = load<u8>(p++);
    } else if (c == quote) {
      open = !open;
      continue;
    }
    if (c == 34) store<u8>(out++, 34);
    out = character(out, c, isLatin1);
  }
  store<u8>(out, 34);
  return out + 1;
}
