/**
 * Compiles lib/protocol/kernel/kernel.as.ts and what it imports to WebAssembly and writes it, as text, into
 * kernel_wasm.ts beside it: `deno task kernel`.
 */
import asc from "assemblyscript/asc";

const folder = new URL("../lib/protocol/kernel/", import.meta.url);

/** The text of kernel_wasm.ts that the kernel's source compiles to. Throws where it does not. */
export async function buildKernel(): Promise<string> {
  const sources = new Map<string, string>();
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".as.ts")) sources.set(name, await Deno.readTextFile(new URL(name, folder)));
  }
  let wasm = new Uint8Array();
  const options = ["kernel.as.ts", "-o", "kernel.wasm", "-O3", "--runtime", "stub"];
  options.push("--enable", "simd", "--enable", "relaxed-simd", "--use", "abort=");
  options.push("--initialMemory", "2", "--memoryBase", "32768", "--noColors");
  const { error, stderr } = await asc.main(options, {
    readFile: (name: string) => sources.get(name) ?? null,
    writeFile: (_name, contents) => {
      if (typeof contents !== "string") wasm = new Uint8Array(contents);
    },
    listFiles: () => [],
  });
  if (error || wasm.length === 0) {
    throw new Error(`cannot compile the kernel: ${stderr.toString()}`, { cause: error });
  }
  return "// Made by `deno task kernel` from kernel.as.ts: change that one.\n" +
    `export const kernelWasm =\n  "${btoa(String.fromCharCode(...wasm))}";\n`;
}

if (import.meta.main) {
  await Deno.writeTextFile(new URL("kernel_wasm.ts", folder), await buildKernel());
}
