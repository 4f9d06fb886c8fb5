import { createHash } from "node:crypto";
import { join } from "node:path";

/** All files below a folder, relative to it, in the same order everywhere. */
export async function filesOf(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (!isDirectory) paths.push(name);
    else paths.push(...(await filesOf(join(folder, name))).map((path) => `${name}/${path}`));
  }
  return paths.sort();
}

/** A file's content in chunks. */
export async function* read(path: string): AsyncGenerator<Uint8Array> {
  yield* (await Deno.open(path)).readable;
}

/** The SHA-256 of a file, in hex. */
export async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of read(path)) hash.update(chunk);
  return hash.digest("hex");
}
