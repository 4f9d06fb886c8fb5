/**
 * The files that one program is made of, in a folder of their own: its modules, and a deno.json and
 * a deno.lock with the packages that it imports alone. The folder also makes a binary the same
 * wherever the checkout lies, and is where the build's name is written into it.
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
  /** The npm packages that its modules import: `kafkajs`. */
  packages: string[];
  /** These, and what they import in turn: `kafkajs@2.2.4`. */
  versions: string[];
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
  let versions: string[];
  try {
    for (const path of modules) await copy(join(root, path), join(folder, path));
    for (const path of include) await copyFolder(join(root, path), join(folder, path));
    if (modules.has(buildModule)) {
      await Deno.writeTextFile(
        join(folder, buildModule),
        `export const build: string = ${JSON.stringify(build)};\n`,
      );
    }
    versions = await writeConfig(folder, [...packages].sort());
    for (const path of await filesOf(folder)) await Deno.utime(join(folder, path), time, time);
  } catch (error) {
    await remove();
    throw error;
  }
  return { folder, packages: [...packages].sort(), versions, [Symbol.asyncDispose]: remove };
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

/** Writes deno.json and deno.lock; returns all packages of the lock file: `kafkajs@2.2.4`. */
async function writeConfig(folder: string, packages: readonly string[]): Promise<string[]> {
  const { version, imports } = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  const used = Object.entries(imports as Record<string, string>).filter(([, target]) =>
    packages.some((name) => target.startsWith(`npm:${name}@`))
  );
  const config = { version, imports: Object.fromEntries(used) };
  await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify(config, null, 2) + "\n");
  return await writeLock(folder, packages);
}

/** What deno.lock says of a package. */
interface Locked {
  dependencies?: string[];
  optionalDependencies?: string[];
}

/**
 * The packages' contents stay what they were when the tests ran. A lock file that promises a package
 * which nothing imports is out of date for `--frozen`, so it promises the program's alone.
 */
async function writeLock(folder: string, packages: readonly string[]): Promise<string[]> {
  const text = await Deno.readTextFile(join(root, "deno.lock"));
  const { version, specifiers, npm } = JSON.parse(text) as {
    version: string;
    specifiers: Record<string, string>;
    npm: Record<string, Locked>;
  };
  const used = Object.entries(specifiers).filter(([key]) =>
    packages.some((name) => key.startsWith(`npm:${name}@`))
  );
  const found = new Set<string>();
  // A dependency has its version if there are several.
  const add = (name: string) => {
    const id = name in npm ? name : Object.keys(npm).find((id) => id.startsWith(`${name}@`));
    if (id === undefined) throw new Failure("usage", `deno.lock does not have ${name}`);
    if (found.has(id)) return;
    found.add(id);
    const { dependencies = [], optionalDependencies = [] } = npm[id];
    for (const next of [...dependencies, ...optionalDependencies]) add(next);
  };
  for (const [key, version] of used) add(`${key.slice(4, key.indexOf("@", 5))}@${version}`);
  const versions = [...found].sort();
  const lock = {
    version,
    specifiers: Object.fromEntries(used),
    npm: Object.fromEntries(versions.map((id) => [id, npm[id]])),
    ...(used.length > 0 ? { workspace: { dependencies: used.map(([key]) => key) } } : {}),
  };
  await Deno.writeTextFile(join(folder, "deno.lock"), JSON.stringify(lock, null, 2) + "\n");
  return versions;
}

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(dirname(to), { recursive: true });
  await Deno.copyFile(from, to);
}

async function copyFolder(from: string, to: string): Promise<void> {
  for (const path of await filesOf(from)) await copy(join(from, path), join(to, path));
}
