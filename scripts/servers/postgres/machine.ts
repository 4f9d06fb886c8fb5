import { join } from "node:path";
import { Failure } from "../../../lib/failure.ts";

/** The user of the operating system that the database server runs as. */
export interface ServerUser {
  uid: number;
  gid: number;
}

/**
 * PostgreSQL refuses to run as root. Undefined when this process is an ordinary user, and the
 * server runs as the same one; as root, some user that can do nothing.
 */
export async function findServerUser(): Promise<ServerUser | undefined> {
  if (Deno.uid() !== 0) return undefined;
  const lines = (await Deno.readTextFile("/etc/passwd")).split("\n").map((line) => line.split(":"));
  // initdb looks its user up by number, so one without an entry would not do.
  const entry = lines.find(([name]) => name === "nobody");
  return entry ? { uid: Number(entry[2]), gid: Number(entry[3]) } : { uid: 65534, gid: 65534 };
}

/**
 * The folder for what is made once and used by many runs. As root it lies outside root's home,
 * because the server's user must be able to run programs from it.
 *
 * It holds programs that are executed, so a folder of that name that another user has put there
 * (a shared temporary folder lets everybody do so) is rejected.
 *
 * @throws {Failure} `usage` when it is rejected.
 */
export async function openCache(): Promise<string> {
  const path = cachePath();
  await Deno.mkdir(path, { recursive: true });
  const info = await Deno.lstat(path);
  if (!info.isDirectory || info.uid !== Deno.uid() || ((info.mode ?? 0) & 0o022) !== 0) {
    throw new Failure(
      "usage",
      `Cannot use the cache folder "${path}": someone else made it or can write to it; remove it`,
    );
  }
  await Deno.chmod(path, 0o755);
  return path;
}

function cachePath(): string {
  if (Deno.uid() === 0) return "/var/tmp/gpdb-kafka-0";
  const home = Deno.env.get("HOME");
  const base = Deno.env.get("XDG_CACHE_HOME") || (home && join(home, ".cache"));
  return base ? join(base, "gpdb-kafka") : `/var/tmp/gpdb-kafka-${Deno.uid()}`;
}

/**
 * Makes `parent/name` once: `make` fills a folder beside it that is then renamed, so that another
 * process sees all of it or nothing, and one that was interrupted leaves nothing half done.
 */
export async function makeOnce(
  parent: string,
  name: string,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const path = join(parent, name);
  if (await exists(path)) return path;
  const partial = await Deno.makeTempDir({ dir: parent, prefix: `${name}.part-` });
  try {
    await Deno.chmod(partial, 0o755);
    await make(partial);
    await Deno.rename(partial, path);
  } catch (error) {
    await Deno.remove(partial, { recursive: true });
    // Another process was quicker.
    if (!await exists(path)) throw error;
  }
  return path;
}

export async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

/**
 * A hard link where that is possible (nothing is copied, and these files are never changed in
 * place), else a copy.
 */
export async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await Deno.link(from, to);
  } catch {
    await Deno.copyFile(from, to);
  }
}

/** Copies a folder with everything in it, readable by every user. */
export async function linkFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true, mode: 0o755 });
  for await (const entry of Deno.readDir(from)) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory) await linkFolder(source, target);
    else if (entry.isFile) await linkOrCopy(source, target);
  }
}
