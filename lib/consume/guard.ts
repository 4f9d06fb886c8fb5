/**
 * Why a value is not exactly one CSV row for Greenplum, or null if it is. The slow, exact look
 * at what the kernel took for suspect; the value is `bytes` from `start` to `end`.
 *
 * A row ends at a newline outside quotes; quotes only have to be even in number, since a doubled
 * one inside a field toggles twice. A line that is just `\.` ends the data for Greenplum, inside
 * quotes too, and the rows after it vanish without an error.
 */
export function whyBad(bytes: Uint8Array, start: number, end: number): string | null {
  const framed = whyFramed(bytes.subarray(start, end));
  if (framed !== null) return framed;
  if (start === end) return "is empty: Greenplum would miss its columns";
  let quoted = false;
  let ascii = true;
  let line = start;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === 0x22) quoted = !quoted;
    else if (byte === 0x0a || byte === 0x0d) {
      if (!quoted) return `holds a ${byte === 0x0a ? "newline" : "carriage return"} outside quotes`;
      if (isEndMark(bytes, line, at)) return END_MARK;
      line = at + 1;
    } else if (byte === 0) return "holds a NUL byte";
    else if (byte > 0x7f) ascii = false;
  }
  if (quoted) return "has an odd number of quotes";
  if (isEndMark(bytes, line, end)) return END_MARK;
  return ascii || isUtf8(bytes.subarray(start, end)) ? null : "is not UTF-8";
}

/** Why a value in the frame of a schema registry is not a row or a field; null if it is in none. */
export function whyFramed(value: Uint8Array): string | null {
  if (value.length < 5 || value[0] !== 0) return null;
  const id = new DataView(value.buffer, value.byteOffset).getUint32(1);
  return `is in a Confluent frame, schema ${id}: --value json, avro or protobuf reads it`;
}

const END_MARK = "holds a line that is just \\., which would end the data";

function isEndMark(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start === 2 && bytes[start] === 0x5c && bytes[start + 1] === 0x2e;
}

const strict = new TextDecoder("utf-8", { fatal: true });

function isUtf8(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
