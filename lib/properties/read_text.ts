import { Failure, systemReason } from "../failure.ts";
import { shownPath } from "../secret.ts";

/** The largest file that is read, bytes: with the authorities of a whole host in it, 300 KB. */
const LARGEST = 1024 * 1024;

/**
 * The text of a property file. It is UTF-8; if it cannot be, it is Latin-1, which Java's programs
 * read. `from` is what names the file, for messages. Throws Failure (usage).
 */
export async function readText(path: string, from: string): Promise<string> {
  const failed = (why: string) =>
    new Failure("usage", `${from}: cannot read ${shownPath(path)}: ${why}`);
  let bytes: Uint8Array;
  try {
    using file = await Deno.open(path);
    bytes = await firstBytes(file, LARGEST + 1);
  } catch (error) {
    throw failed(systemReason(error));
  }
  if (bytes.length > LARGEST) throw failed("it has over 1 MiB — use a file of properties");
  if (/^(\xff\xfe|\xfe\xff)/.test(String.fromCharCode(...bytes.subarray(0, 2)))) {
    throw failed("it is UTF-16 — save it as UTF-8");
  }
  return decode(bytes);
}

/** At most `limit` bytes: a device or a pipe may have no end. */
async function firstBytes(file: Deno.FsFile, limit: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(limit);
  let length = 0;
  while (length < limit) {
    const count = await file.read(bytes.subarray(length));
    if (count === null) break;
    length += count;
  }
  return bytes.subarray(0, length);
}

/** Without a byte order mark. */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes as Uint8Array<ArrayBuffer>);
  } catch {
    // TextDecoder's "latin1" is windows-1252.
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return text;
  }
}
