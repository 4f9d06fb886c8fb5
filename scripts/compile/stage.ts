/**
 * The files that one program is made of, in a folder of their own. `deno compile` puts every npm
 * package that deno.json names into a binary, the tests' PostgreSQL and the WebAssembly compiler
 * too; here deno.json names those only that the program imports. The folder also makes a binary the
 * same wherever the checkout lies, and is where the build's name is written into it.
 */
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "../../lib/failure.ts";
import { filesOf } from "./files.ts";
import { finish } from "./process.ts";
import type { Program } from "./programs.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Where a program's sources hold what `--version` says of its build. */
const buildModule = "lib/cli/build.ts";

export interface Stage extends AsyncDisposable {
  folder: string;
  /** The npm packages in it: `kafkajs`. */
  packages: string[];
}

/**
 * Copies what a program needs. `build` is what it shall say of itself; the files are dated `time`,
 * in seconds, for a binary holds that too.
 */
export async function stage(
  { entry, workers, include }: Program,
  build: string,
  time: number,
): Promise<Stage> {
  const modules = new Set<string>();
  const packages = new Set<string>();
  for (const path of [entry, ...workers]) await readGraph(path, modules, packages);
  const folder = await Deno.makeTempDir({ prefix: "gpdb-kafka-compile-" });
  const remove = () => Deno.remove(folder, { recursive: true });
  try {
    for (const path of modules) await copy(join(root, path), join(folder, path));
    for (const path of include) await copyFolder(join(root, path), join(folder, path));
    if (modules.has(buildModule)) {
      await Deno.writeTextFile(
        join(folder, buildModule),
        `export const build: string = ${JSON.stringify(build)};\n`,
      );
    }
    await writeConfig(folder, [...packages].sort());
    for (const path of await filesOf(folder)) await Deno.utime(join(folder, path), time, time);
  } catch (error) {
    await remove();
    throw error;
  }
  return { folder, packages: [...packages].sort(), [Symbol.asyncDispose]: remove };
}

/** What `deno info --json` says of a module. */
interface Module {
  kind: string;
  specifier: string;
  error?: string;
  npmPackage?: string;
}

/** Adds what a module is made of: the project's own modules, and npm packages by their names. */
async function readGraph(entry: string, modules: Set<string>, packages: Set<string>) {
  const { stdout } = await finish([Deno.execPath(), "info", "--json", entry], {
    what: `deno info ${entry}`,
    cwd: root,
    deadlineMs: 5 * 60_000,
  });
  const graph: { modules: Module[] } = JSON.parse(stdout);
  for (const { specifier, error, npmPackage } of graph.modules) {
    if (error) throw new Failure("usage", `Cannot compile ${entry}: ${error.split("\n")[0]}`);
    // A package's own dependencies come with it.
    if (npmPackage) packages.add(npmPackage.slice(0, npmPackage.indexOf("@", 1)));
    else if (specifier.startsWith("file:")) modules.add(relative(root, fileURLToPath(specifier)));
  }
}

async function writeConfig(folder: string, packages: readonly string[]): Promise<void> {
  const { version, imports } = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  const used = Object.entries(imports as Record<string, string>).filter(([, target]) =>
    packages.some((name) => target.startsWith(`npm:${name}@`))
  );
  const config = { version, imports: Object.fromEntries(used), nodeModulesDir: "none" };
  await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify(config, null, 2) + "\n");
  await writeLock(folder, packages);
}

/**
 * The packages' contents stay what they were when the tests ran. A package that the lock file
 * promises to somebody is compiled in, `@types/node` for one, so it promises the program's alone.
 */
async function writeLock(folder: string, packages: readonly string[]): Promise<void> {
  let text: string;
  try {
    text = await Deno.readTextFile(join(root, "deno.lock"));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  const { version, specifiers = {}, npm = {} } = JSON.parse(text);
  const used = Object.entries(specifiers).filter(([key]) =>
    packages.some((name) => key.startsWith(`npm:${name}@`))
  );
  const lock = { version, specifiers: Object.fromEntries(used), npm };
  await Deno.writeTextFile(join(folder, "deno.lock"), JSON.stringify(lock, null, 2) + "\n");
}

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(dirname(to), { recursive: true });
  await Deno.copyFile(from, to);
}

async function copyFolder(from: string, to: string): Promise<void> {
  for (const path of await filesOf(from)) await copy(join(from, path), join(to, path));
}
