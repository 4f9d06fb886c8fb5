/** A file of an archive. */
export interface TarFile {
  /** Its path there, at most 100 characters. */
  name: string;
  /** Bytes. */
  size: number;
  executable: boolean;
  content(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

const BLOCK = 512;

/**
 * A tar archive, as POSIX's ustar describes it: own code, as the `tar` programs differ in how they
 * leave out what depends on the machine. The same files give the same bytes: owned by
 * root, in the given order, all of one `time` (seconds since 1970).
 */
export async function* writeTar(
  files: Iterable<TarFile>,
  time: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (const file of files) {
    yield header(file, time);
    let written = 0;
    for await (const chunk of file.content()) {
      written += chunk.length;
      yield new Uint8Array(chunk);
    }
    if (written !== file.size) throw new Error(`${file.name} has changed while it was read`);
    yield new Uint8Array(-written & (BLOCK - 1));
  }
  yield new Uint8Array(2 * BLOCK);
}

function header({ name, size, executable }: TarFile, time: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(BLOCK);
  const put = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
  const octal = (at: number, digits: number, value: number) =>
    put(at, value.toString(8).padStart(digits, "0"));
  if (new TextEncoder().encode(name).length > 100) throw new RangeError(`"${name}" is too long`);
  put(0, name);
  octal(100, 7, executable ? 0o755 : 0o644);
  octal(108, 7, 0); // uid
  octal(116, 7, 0); // gid
  octal(124, 11, size);
  octal(136, 11, time);
  put(148, " ".repeat(8)); // the checksum counts as blanks
  put(156, "0"); // a regular file
  put(257, "ustar\0" + "00");
  put(265, "root");
  put(297, "root");
  octal(148, 6, bytes.reduce((sum, byte) => sum + byte, 0));
  bytes[154] = 0;
  return bytes;
}
