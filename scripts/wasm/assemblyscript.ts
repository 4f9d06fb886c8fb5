import asc from "assemblyscript/asc";

const project = new URL("../../", import.meta.url);

/** An AssemblyScript module: its entry, from the project's folder, and what the other files beside it add. */
export interface Source {
  entry: string;
  /** The constant that the text declares. */
  name: string;
  /** WebAssembly features that it uses. */
  features: readonly string[];
  /** Where the compiler may put data of its own, bytes: what is below is the module's. */
  memoryBase: number;
  /** Memory at the start, in pages of 64 KiB. */
  pages: number;
}

/** The text of the file that the module compiles to. Throws Error if it does not compile. */
export async function compileAssemblyScript(
  { entry, name, features, memoryBase, pages }: Source,
): Promise<string> {
  const path = new URL(entry, project);
  const file = entry.slice(entry.lastIndexOf("/") + 1);
  const folder = new URL(".", path);
  const sources = new Map<string, string>();
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".as.ts")) sources.set(name, await Deno.readTextFile(new URL(name, folder)));
  }
  let wasm = new Uint8Array();
  const options = [file, "-o", "module.wasm", "-O3", "--runtime", "stub", "--use", "abort="];
  for (const feature of features) options.push("--enable", feature);
  options.push("--initialMemory", String(pages), "--memoryBase", String(memoryBase), "--noColors");
  const { error, stderr } = await asc.main(options, {
    readFile: (name: string) => sources.get(name) ?? null,
    writeFile: (_name, contents) => {
      if (typeof contents !== "string") wasm = new Uint8Array(contents);
    },
    listFiles: () => [],
  });
  if (error || wasm.length === 0) {
    throw new Error(`cannot compile ${entry}: ${stderr.toString()}`, { cause: error });
  }
  return "// deno-fmt-ignore-file\n// Made by `deno task wasm` from " +
    `${file}: change that one.\n` +
    `export const ${name} =\n  "${btoa(String.fromCharCode(...wasm))}";\n`;
}
