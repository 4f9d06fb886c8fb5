/**
 * Why a value is not exactly one CSV row for Greenplum, or null if it is. The slow, exact look
 * at what the kernel took for suspect; the value is `bytes` from `start` to `end`.
 *
 * A row ends at a newline outside quotes; quotes only have to be even in number, since a doubled
 * one inside a field toggles twice. A line that is just `\.` ends the data for Greenplum, inside
 * quotes too, and the rows after it vanish without an error.
 */
export function whyBad(bytes: Uint8Array, start: number, end: number): string | null {
  if (start === end) return "is empty: Greenplum would miss its columns";
  const frame = whyFramed(bytes, start, end);
  if (frame !== null) return frame;
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

/**
 * Why a value that begins as a Confluent frame does, with a zero and a schema's id, is none to be
 * written as text; null if it does not.
 */
export function whyFramed(bytes: Uint8Array, start: number, end: number): string | null {
  if (end - start < FRAME || bytes[start] !== 0) return null;
  const id = new DataView(bytes.buffer, bytes.byteOffset + start).getInt32(1);
  if (id < 0) return null;
  return `is a Confluent frame, schema ${id}: --value json, avro or protobuf reads it`;
}

/** A zero, and an id of four bytes. */
const FRAME = 5;

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
