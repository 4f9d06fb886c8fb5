/**
 * `deno compile` puts whole npm packages into a binary. What of them no program can load, for it is
 * there for browsers, is left out.
 */
import { join } from "node:path";
import { finish } from "./process.ts";

/** Folders of packages: protobufjs in `dist` is the same code once more, three times, with maps. */
const unused: Readonly<Record<string, readonly string[]>> = {
  protobufjs: ["dist", "ext", "google"],
};

/**
 * Paths of the package cache that `deno compile --exclude` is given. `folder` is where the program's
 * files are (stage.ts), `packages` what it imports; `deno` compiles it.
 *
 * @throws {Failure} `usage` where the packages cannot be fetched.
 */
export async function pathsToLeaveOut(
  deno: readonly string[],
  folder: string,
  packages: readonly string[],
  entry: string,
): Promise<string[]> {
  const some = packages.filter((name) => name in unused);
  if (some.length === 0) return [];
  // The authorities are those of this project's tasks, whatever else this process has trusted.
  const env = { DENO_TLS_CA_STORE: "system,mozilla" };
  const options = { cwd: folder, env, deadlineMs: 5 * 60_000 };
  // A copy of the lock file: what this adds to it would be compiled in.
  const lock = await Deno.makeTempFile();
  try {
    await Deno.copyFile(join(folder, "deno.lock"), lock);
    const cache = [...deno, "cache", "--quiet", `--lock=${lock}`, entry];
    await finish(cache, { what: "deno cache", ...options });
  } finally {
    await Deno.remove(lock);
  }
  const { stdout } = await finish([...deno, "info", "--json"], { what: "deno info", ...options });
  const { npmCache } = JSON.parse(stdout) as { npmCache: string };
  const paths: string[] = [];
  for (const name of some) {
    for (const version of await versionsOf(npmCache, name)) {
      paths.push(...unused[name].map((part) => join(version, part)));
    }
  }
  return paths;
}

/** The folders of a package in the cache, of each registry and version. */
async function versionsOf(cache: string, name: string): Promise<string[]> {
  const folders: string[] = [];
  for await (const registry of Deno.readDir(cache)) {
    const all = join(cache, registry.name, name);
    const entries = await Array.fromAsync(Deno.readDir(all)).catch(() => []);
    for (const entry of entries) if (entry.isDirectory) folders.push(join(all, entry.name));
  }
  return folders;
}
