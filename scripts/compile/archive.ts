import { join } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };
import { programPath } from "./build.ts";
import { filesOf, read, sha256 } from "./files.ts";
import { installText } from "./install_text.ts";
import { bomText, licencesText, type Package } from "./packages.ts";
import type { Platform } from "./platforms.ts";
import { programs } from "./programs.ts";
import { type TarFile, writeTar } from "./tar.ts";

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
  packages: readonly Package[],
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
  const sorted = packages.toSorted((a, b) => a.url < b.url ? -1 : 1);
  files.push(fromText(`${name}/LICENSES-THIRD-PARTY`, licencesText(sorted)));
  files.push(fromText(`${name}/sbom.cdx.json`, bomText(sorted)));
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
