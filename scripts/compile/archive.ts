import { join } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };
import { programPath } from "./build.ts";
import type { Licence } from "./bundle.ts";
import { filesOf, read, sha256 } from "./files.ts";
import { installText } from "./install_text.ts";
import type { Platform } from "./platforms.ts";
import { programs } from "./programs.ts";
import { type TarFile, writeTar } from "./tar.ts";

const zstd = "lib/protocol/codecs/zstd_wasm.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Writes `folder/NAME.tar.gz`: a platform's programs, the SQL, the licences and how to install them.
 * Returns its size in bytes. `time` is what its files are dated, in seconds.
 */
export async function writeArchive(
  folder: string,
  name: string,
  platform: Platform,
  time: number,
  licences: readonly Licence[],
): Promise<number> {
  const files: TarFile[] = [];
  for (const program of programs) {
    files.push(
      await fromDisk(`${name}/${program.name}`, programPath(folder, platform, program), true),
    );
  }
  const install = await Deno.readTextFile(join(root, "docs/install.md"));
  const title = `gpdb-kafka ${config.version} for ${platform.name}`;
  files.push(fromText(`${name}/INSTALL`, installText(install, title)));
  files.push(await fromDisk(`${name}/LICENSE`, join(root, "LICENSE"), false));
  files.push(fromText(`${name}/LICENSES-THIRD-PARTY`, await thirdParty(licences)));
  for (const path of await filesOf(join(root, "sql"))) {
    files.push(await fromDisk(`${name}/sql/${path}`, join(root, "sql", path), false));
  }
  const output = join(folder, `${name}.tar.gz`);
  const partial = `${output}.part`;
  await ReadableStream.from(writeTar(files, time))
    .pipeThrough(new CompressionStream("gzip"))
    .pipeTo((await Deno.create(partial)).writable);
  await Deno.rename(partial, output);
  return (await Deno.stat(output)).size;
}

async function fromDisk(name: string, path: string, executable: boolean): Promise<TarFile> {
  const { size } = await Deno.stat(path);
  return { name, size, executable, content: () => read(path) };
}

/** What is in the programs beside this project's own code, and on which terms. */
async function thirdParty(licences: readonly Licence[]): Promise<string> {
  const runtime =
    "Deno, the runtime (https://deno.com): MIT License, Copyright the Deno authors. " +
    "It contains V8 and other libraries under their own licences.\n";
  // The licence of zstd is at the top of the module that it was compiled to.
  const lines = (await Deno.readTextFile(join(root, zstd))).split("\n");
  const comment = lines.slice(2, lines.findIndex((line) => !line.startsWith("//")));
  const parts = [
    ...licences.toSorted((a, b) => a.id < b.id ? -1 : 1),
    { id: "zstd 1.5.7", text: comment.map((line) => line.replace(/^\/\/ ?/, "")).join("\n") },
  ];
  const line = "-".repeat(80);
  return [runtime, ...parts.map(({ id, text }) => `${id}\n\n${text.trim()}\n`)].join(`${line}\n`);
}

function fromText(name: string, text: string): TarFile {
  const bytes = new TextEncoder().encode(text);
  return { name, size: bytes.length, executable: false, content: () => [bytes] };
}

/** Writes `folder/SHA256SUMS`, which `sha256sum -c` reads, of all programs and archives there. */
export async function writeSums(folder: string): Promise<void> {
  const paths = (await filesOf(folder)).filter((path) =>
    path.endsWith(".tar.gz") || programs.some(({ name }) => path.endsWith(`/${name}`))
  );
  let sums = "";
  for (const path of paths) sums += `${await sha256(join(folder, path))}  ${path}\n`;
  await Deno.writeTextFile(join(folder, "SHA256SUMS"), sums);
}
