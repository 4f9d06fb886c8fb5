import { Failure } from "../failure.ts";
import { shown } from "../secret.ts";
import type { Input } from "./input.ts";

const UTF8 = [0xef, 0xbb, 0xbf];

/**
 * The input without the byte order mark that some programs write before UTF-8: it would be part of
 * the first key or field. Its read() throws Failure (record) if the mark is one of UTF-16.
 */
export function withoutMark(input: Input): Input {
  let begun = false;
  return {
    name: input.name,
    read(into) {
      if (begun) return input.read(into);
      begun = true;
      return readFirst(input, into);
    },
    close: () => input.close(),
  };
}

/** The first bytes of the input: as many as it takes to know whether they begin with a mark. */
async function readFirst(input: Input, into: Uint8Array): Promise<number | null> {
  let size = 0;
  while (isUndecided(into, size)) {
    const more = await input.read(into.subarray(size));
    if (more === null) return size === 0 ? null : size;
    size += more;
  }
  const [first, second] = into;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw new Failure(
      "record",
      `cannot read ${shown(input.name)}: it is UTF-16 (its first bytes are ` +
        `${first === 0xff ? "FF FE" : "FE FF"}), not UTF-8 — convert it: iconv -f UTF-16 -t UTF-8`,
    );
  }
  if (size < UTF8.length || !UTF8.every((byte, at) => into[at] === byte)) return size;
  into.copyWithin(0, UTF8.length, size);
  return size - UTF8.length;
}

/** Whether these first bytes may be the beginning of a mark. */
function isUndecided(bytes: Uint8Array, size: number): boolean {
  if (size === 0) return true;
  if (size === 1) return bytes[0] === 0xef || bytes[0] >= 0xfe;
  return size === 2 && bytes[0] === UTF8[0] && bytes[1] === UTF8[1];
}
