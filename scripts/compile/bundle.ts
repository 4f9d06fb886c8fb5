/**
 * A program's modules and packages as a few files of JavaScript: `deno bundle`, which is esbuild. A
 * compiled program then starts in 8 ms less, as Deno's loader costs time for each module, and it
 * contains of an npm package what it imports, not the whole package.
 */
import { basename, join } from "node:path";
import { filesOf } from "./files.ts";
import { finish } from "./process.ts";
import type { Program } from "./programs.ts";

/**
 * Where the files are put. As many folders deep as the modules that name a file beside themselves or
 * in `sql/` by `import.meta.url` (lib/produce, lib/greenplum), so that they find it from here, too.
 */
export const bundleFolder = "lib/program";

/** What is compiled. */
export interface Bundle {
  folder: string;
  /** Relative to it. */
  entry: string;
  /** Relative to it: files and folders that no import leads to. */
  workers: string[];
}

/**
 * Bundles what `stage` has put into `folder`. The packages are unpacked in `folder/node_modules`, so
 * no path of this machine gets into the result; its files are dated `time`, in seconds.
 *
 * @throws {Failure} `usage` if it can't be bundled, or a package is not what the lock file says.
 */
export async function bundle(
  { entry, workers, include }: Program,
  folder: string,
  time: number,
): Promise<Bundle> {
  const out = join(folder, "out");
  const files = join(out, bundleFolder);
  // The runtime of a closed network is older than what bundles here: this Deno does it.
  await finish([
    ...[Deno.execPath(), "bundle", "--quiet", "--platform", "deno", "--code-splitting"],
    ...["--frozen", "--node-modules-dir=auto", "--outdir", files],
    ...[entry, ...workers],
  ], {
    what: "deno bundle",
    cwd: folder,
    // It fetches esbuild, once. The authorities are those of this project's tasks, whatever else this
    // process has trusted.
    env: { DENO_TLS_CA_STORE: "system,mozilla" },
    deadlineMs: 5 * 60_000,
  });
  for (const worker of workers) {
    const bundled = `./${worker.replace(/\.ts$/, ".js")}`;
    await Deno.writeTextFile(join(files, basename(worker)), `import "${bundled}";\n`);
  }
  for (const path of include) await Deno.rename(join(folder, path), join(out, path));
  await Deno.writeTextFile(join(out, "deno.json"), '{ "nodeModulesDir": "none" }\n');
  for (const path of await filesOf(out)) await Deno.utime(join(out, path), time, time);
  // The bundler names a file from the folder on that all entries have in common.
  const name = workers.length === 0 ? basename(entry) : entry;
  return {
    folder: out,
    entry: join(bundleFolder, name.replace(/\.ts$/, ".js")),
    workers: workers.map((worker) => join(bundleFolder, basename(worker))),
  };
}
