/**
 * Compiles the WebAssembly modules and writes each one, as text, into a file beside its source:
 * `deno task wasm [kernel] [lz] [zstd]`; without names kernel and lz, which need npm alone.
 */
import { compileAssemblyScript } from "./wasm/assemblyscript.ts";
import { buildZstd } from "./wasm/zstd.ts";

interface Module {
  /** Where the text goes, from the project's folder. */
  target: string;
  /** The text. Throws if the sources do not compile. */
  build(): Promise<string>;
}

/** All modules, by name. */
export const modules: Record<string, Module> = {
  kernel: {
    target: "lib/protocol/kernel/kernel_wasm.ts",
    build: () =>
      compileAssemblyScript({
        entry: "lib/protocol/kernel/kernel.as.ts",
        name: "kernelWasm",
        features: ["simd", "relaxed-simd"],
        memoryBase: 32768,
        pages: 2,
      }),
  },
  lz: {
    target: "lib/protocol/codecs/lz_wasm.ts",
    build: () =>
      compileAssemblyScript({
        entry: "lib/protocol/codecs/lz.as.ts",
        name: "lzWasm",
        features: ["simd"],
        memoryBase: 40960,
        pages: 1,
      }),
  },
  zstd: { target: "lib/protocol/codecs/zstd_wasm.ts", build: buildZstd },
};

if (import.meta.main) {
  const names = Deno.args.length > 0 ? Deno.args : ["kernel", "lz"];
  for (const name of names) {
    if (!Object.hasOwn(modules, name)) {
      console.error(`unknown module "${name}": use ${Object.keys(modules).join(", ")}`);
      Deno.exit(64);
    }
    const { target, build } = modules[name];
    await Deno.writeTextFile(new URL(`../${target}`, import.meta.url), await build());
  }
}
