/**
 * Compiles lib/protocol/codecs/lz.as.ts to WebAssembly and writes it, as text, into lz_wasm.ts
 * beside it: `deno run -A scripts/build_codecs.ts`.
 */
import asc from "assemblyscript/asc";

const folder = new URL("../lib/protocol/codecs/", import.meta.url);

/** The text of lz_wasm.ts that lz.as.ts compiles to. Throws where it does not. */
export async function buildLz(): Promise<string> {
  const source = await Deno.readTextFile(new URL("lz.as.ts", folder));
  let wasm = new Uint8Array();
  const options = ["lz.as.ts", "-o", "lz.wasm", "-O3", "--runtime", "stub"];
  options.push("--enable", "simd", "--use", "abort=");
  options.push("--initialMemory", "1", "--memoryBase", "40960", "--noColors");
  const { error, stderr } = await asc.main(options, {
    readFile: (name: string) => name.endsWith("lz.as.ts") ? source : null,
    writeFile: (_name, contents) => {
      if (typeof contents !== "string") wasm = new Uint8Array(contents);
    },
    listFiles: () => [],
  });
  if (error || wasm.length === 0) {
    throw new Error(`cannot compile lz.as.ts: ${stderr.toString()}`, { cause: error });
  }
  return "// deno-fmt-ignore-file\n// Made by scripts/build_codecs.ts from lz.as.ts: change that one.\n" +
    `export const lzWasm =\n  "${btoa(String.fromCharCode(...wasm))}";\n`;
}

if (import.meta.main) {
  await Deno.writeTextFile(new URL("lz_wasm.ts", folder), await buildLz());
}
