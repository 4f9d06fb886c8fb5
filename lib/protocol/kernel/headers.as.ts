// All the headers of a record as a JSON object, in their order.

import { header, headerName, headerNameSize, headers, headerSize, nextHeader } from "./record.as";
import { isUtf8 } from "./utf8.as";
import { limit, NOT_UTF8, NUL, overflows, reject } from "./unfit.as";

// @ts-ignore: decorator
@inline
function hexDigit(n: u32): u32 {
  return n < 10 ? 48 + n : 87 + n;
}

/** Writes a JSON string inside a quoted CSV field; returns its end. A byte takes six at most. */
export function jsonString(out: usize, p: usize, n: usize): usize {
  if (!isUtf8(p, n)) reject(NOT_UTF8);
  store<u16>(out, 0x2222);
  out += 2;
  for (let i: usize = 0; i < n; i++) {
    const c: u32 = load<u8>(p + i);
    if (c == 0) reject(NUL);
    if (c == 34) { // the backslash, and a quote that CSV doubles
      store<u8>(out, 92);
      store<u16>(out, 0x2222, 1);
      out += 3;
    } else if (c == 92) {
      store<u16>(out, 0x5c5c);
      out += 2;
    } else if (c < 32) {
      store<u32>(out, 0x3030755c); // \u00
      store<u8>(out, hexDigit(c >>> 4), 4);
      store<u8>(out, hexDigit(c & 15), 5);
      out += 6;
    } else store<u8>(out++, c);
  }
  store<u16>(out, 0x2222);
  return out + 2;
}

/** Writes the open record's headers as a quoted field; returns its end. See overflow. */
export function headersJson(out: usize): usize {
  store<u16>(out, 0x7b22); // "{
  out += 2;
  const count = headers();
  for (let i = 0; i < count; i++) {
    nextHeader();
    const most = 6 * (<u64>headerNameSize + <u64>max(headerSize, 0)) + 64;
    if (<u64>out + most > <u64>limit) {
      overflows();
      return out;
    }
    if (i > 0) {
      store<u16>(out, 0x202c); // a comma, a space
      out += 2;
    }
    out = jsonString(out, headerName, headerNameSize);
    store<u16>(out, 0x203a); // a colon, a space
    out += 2;
    if (headerSize < 0) {
      store<u32>(out, 0x6c6c756e); // null
      out += 4;
    } else out = jsonString(out, header, headerSize);
  }
  store<u16>(out, 0x227d); // }"
  return out + 2;
}
