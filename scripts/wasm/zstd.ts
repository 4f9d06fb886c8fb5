/**
 * Compiles Zstandard's reference library to WebAssembly and writes it, as text, into
 * lib/protocol/codecs/zstd_wasm.ts: `deno task wasm zstd`.
 *
 * The source comes from npm (zstd-napi carries zstd's own lib folder), the compiler from PyPI
 * (ziglang: clang with a libc for WebAssembly): npm and python3 with pip must be there. Both are
 * pinned by their SHA-256, and so is the result, which a test compares with what is kept.
 *
 * zstd takes the machine's word for its bit reader's, and WebAssembly's pointers have 32 bits,
 * although its integers of 64 are fast: {@link patches} give the reader 64 bits. Decoding is 25 %
 * to 30 % faster so.
 */
const SOURCE = "zstd-napi@0.0.13"; // zstd 1.5.7
const SOURCE_SHA256 = "5b76defc67c808989c5f3920e14f662d6318b84b8d53ac3e94b99463d8d65e76";
/** A requirement of pip, which checks the hash: the package for Linux on x86-64. */
const COMPILER = "ziglang==0.17.1 " +
  "--hash=sha256:ea6cc5d87b033cf0aedfbc8f9549a908cae6c50ac31f1698188fa48a74524b54";
/** Of the module that these two make. */
export const ZSTD_SHA256 = "821dd1ed6ca60f080b7c4302313613d99c65cf217cfa7bdf1e27f9d171be1f39";

/** File → [what it says, what it shall say]…; each must be there. */
const patches: Record<string, [string, string][]> = {
  "common/mem.h": [
    ["MEM_32bits(void) { return sizeof(size_t)==4; }", "MEM_32bits(void) { return 0; }"],
  ],
  "common/bitstream.h": [
    ["typedef size_t BitContainerType", "typedef U64 BitContainerType"],
    ["MEM_STATIC size_t BIT_readBitsFast", "MEM_STATIC BitContainerType BIT_readBitsFast"],
    ["MEM_readLEST", "MEM_readLE64"],
    ["MEM_writeLEST", "MEM_writeLE64"],
  ],
  "decompress/huf_decompress.c": [
    ["static size_t HUF_initFastDStream", "static U64 HUF_initFastDStream"],
    ["size_t const value = MEM_readLEST", "U64 const value = MEM_readLE64"],
    ["assert(sizeof(size_t) == 8);", ""],
  ],
};
/** Its bit writer is of another make, and stays as it is. */
const UNPATCHED = "compress/huf_compress.c";
/** Of the compressor only what level 3 uses. */
const unused = ["GREEDY", "LAZY", "LAZY2", "BTLAZY2", "BTOPT", "BTULTRA"];
const flags = ["-target", "wasm32-wasi", "-O3", "-msimd128", "-mbulk-memory", "-DNDEBUG"]
  .concat(["-DZSTD_DISABLE_ASM", "-DZSTD_LEGACY_SUPPORT=0", "-DXXH_NAMESPACE=ZSTD_"])
  .concat(unused.map((name) => `-DZSTD_EXCLUDE_${name}_BLOCK_COMPRESSOR`));
const exported = ["malloc", "free"].concat(
  ["createDCtx", "decompressDCtx", "decompressBound"].map((name) => `ZSTD_${name}`),
  ["createCCtx", "compressCCtx", "compressBound"].map((name) => `ZSTD_${name}`),
);

/**
 * The text of zstd_wasm.ts. Throws Error if it can't be made, or source or result are not those of
 * the hashes.
 */
export async function buildZstd(): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    return await buildIn(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

async function checkHash(what: string, bytes: Uint8Array<ArrayBuffer>, wanted: string) {
  const found = await sha256(bytes);
  if (found !== wanted) throw new Error(`${what} has the SHA-256 ${found}, not ${wanted}`);
}

async function buildIn(folder: string): Promise<string> {
  const run = async (command: string, ...args: string[]) => {
    const output = await new Deno.Command(command, { args, cwd: folder, stderr: "inherit" })
      .output();
    if (!output.success) throw new Error(`${command} ${args[0]} failed`);
    return new TextDecoder().decode(output.stdout).trim();
  };
  await run("python3", "-m", "venv", "python");
  await Deno.writeTextFile(`${folder}/requirements.txt`, `${COMPILER}\n`);
  await run("python/bin/pip", "install", "--quiet", "--require-hashes", "-r", "requirements.txt");
  const archive = await run("npm", "pack", "--silent", SOURCE);
  await checkHash(SOURCE, await Deno.readFile(`${folder}/${archive}`), SOURCE_SHA256);
  await run("tar", "xzf", archive);
  await run("cp", "-r", "package/deps/zstd/lib", "patched");
  for (const [file, changes] of Object.entries(patches)) {
    const path = `${folder}/patched/${file}`;
    let text = await Deno.readTextFile(path);
    for (const [from, to] of changes) {
      if (!text.includes(from)) throw new Error(`${file} of ${SOURCE} has no ${from}`);
      text = text.replaceAll(from, to);
    }
    await Deno.writeTextFile(path, text);
  }
  const zig = (...args: string[]) =>
    run("python/bin/python", "-m", "ziglang", "cc", ...flags, ...args);
  await zig("-c", `package/deps/zstd/lib/${UNPATCHED}`, "-o", "unpatched.o");
  const sources: string[] = [];
  for (const part of ["common", "compress", "decompress"]) {
    for (const { name } of Deno.readDirSync(`${folder}/patched/${part}`)) {
      const threads = /^(pool|threading|zstdmt_compress)\.c$/.test(name);
      if (name.endsWith(".c") && !threads && `${part}/${name}` !== UNPATCHED) {
        sources.push(`patched/${part}/${name}`);
      }
    }
  }
  const exports = exported.map((name) => `-Wl,--export=${name}`);
  sources.sort();
  await zig(
    "-mexec-model=reactor",
    ...sources,
    "unpatched.o",
    ...exports,
    "-Wl,-s",
    "-o",
    "z.wasm",
  );
  const wasm = await Deno.readFile(`${folder}/z.wasm`);
  await checkHash("the module", wasm, ZSTD_SHA256);
  const text = btoa(Array.from(wasm, (byte) => String.fromCharCode(byte)).join(""));
  const licence = await Deno.readTextFile(`${folder}/package/deps/zstd/LICENSE`);
  return "// deno-fmt-ignore-file\n// Made by `deno task wasm zstd` from zstd 1.5.7, whose licence says:\n" +
    licence.trim().split("\n").map((line) => `// ${line}`.trimEnd() + "\n").join("") +
    `export const zstdWasm =\n  "${text}";\n`;
}
