import { Failure, systemReason } from "../failure.ts";
import { shown } from "../secret.ts";

/** Where rows come from: read() fills the front of a buffer, null at the end. */
export interface Input {
  /** As messages name it: `stdin`, or the file. */
  readonly name: string;
  read(into: Uint8Array): Promise<number | null>;
  close(): void;
}

/** Opens a file, or stdin for `-`. Throws Failure (usage) if it can't be read. */
export async function openInput(name: string): Promise<Input> {
  if (name === "-") {
    return { name: "stdin", read: (into) => reading("stdin", Deno.stdin, into), close() {} };
  }
  let file: Deno.FsFile;
  try {
    file = await Deno.open(name);
  } catch (error) {
    throw new Failure("usage", `cannot open "${shown(name)}": ${systemReason(error)}`);
  }
  return {
    name,
    read: (into) => reading(name, file, into),
    close: () => file.close(),
  };
}

async function reading(
  name: string,
  from: { read(into: Uint8Array): Promise<number | null> },
  into: Uint8Array,
): Promise<number | null> {
  try {
    return await from.read(into);
  } catch (error) {
    throw new Failure("usage", `cannot read ${shown(name)}: ${systemReason(error)}`);
  }
}

/** The size of all inputs together, bytes; null if one is not a file. */
export async function inputSize(names: readonly string[]): Promise<number | null> {
  let size = 0;
  for (const name of names.length > 0 ? names : ["-"]) {
    try {
      const info = name === "-" ? await Deno.stat("/dev/stdin") : await Deno.stat(name);
      if (!info.isFile) return null;
      size += info.size;
    } catch {
      return null;
    }
  }
  return size;
}
