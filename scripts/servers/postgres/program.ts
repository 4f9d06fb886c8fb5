import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { Failure } from "../../../lib/failure.ts";
import { exists, linkFolder, linkOrCopy, makeOnce, openCache, type ServerUser } from "./machine.ts";
import { type ModuleGraph, readGraph } from "./module_graph.ts";

/** A Deno program that a database shall run, as `COPY … FROM PROGRAM` does. */
export interface ProgramOptions {
  /** What the executable is called: `kafka_consumer`. */
  name: string;
  /** The program's main module. */
  entry: string | URL;
  /** Set for the program: a database server passes on its own environment, not ours. */
  env?: Record<string, string>;
  /** Files and folders that the program reads when it runs, relative to its `deno.json`. What it
   * imports is found by itself. */
  include?: string[];
}

/** How to run it. */
interface Command {
  deno: string;
  denoDir: string;
  config: string | undefined;
  entry: string;
}

/** Copies of programs that nobody has asked for in a week are removed. */
const KEEP_PROGRAMS = 7 * 24 * 3600 * 1000;

/**
 * Writes an executable `folder/name` that runs the program from its sources, and returns its path.
 *
 * When this process is root, the database's user can read neither root's home, where Deno and its
 * package cache are, nor perhaps the checkout. Then Deno, the program's modules and the packages
 * they import are laid out once (hard links where possible) where every user can read them, and
 * again when any of them has changed.
 *
 * @param owner the user the database runs as, when it is known: it may keep compiled code then,
 * so that the program starts quicker.
 * @throws {Failure} `usage` when the program imports what can't be laid out.
 */
export async function installProgram(
  folder: string,
  options: ProgramOptions,
  owner?: ServerUser,
): Promise<string> {
  const entry = options.entry instanceof URL ? fileURLToPath(options.entry) : options.entry;
  const command = await findCommand(resolve(entry));
  const graph = await readGraph(command.deno, command.entry, command.config);
  const runnable = Deno.uid() === 0
    ? await layOut(command, graph, options.include ?? [], owner)
    : command;
  const path = join(folder, options.name);
  await Deno.writeTextFile(path, formatScript(runnable, options.env ?? {}), { mode: 0o755 });
  await Deno.chmod(path, 0o755);
  return path;
}

async function findCommand(entry: string): Promise<Command> {
  const deno = await Deno.realPath(Deno.execPath());
  const { stdout } = await new Deno.Command(deno, { args: ["info", "--json"] }).output();
  const { denoDir } = JSON.parse(new TextDecoder().decode(stdout));
  return { deno, denoDir, config: await findConfig(dirname(entry)), entry };
}

async function findConfig(folder: string): Promise<string | undefined> {
  for (let at = folder;; at = dirname(at)) {
    if (await exists(join(at, "deno.json"))) return join(at, "deno.json");
    if (at === dirname(at)) return undefined;
  }
}

/** Lays out all that the command needs where other users can read it. */
async function layOut(
  command: Command,
  graph: ModuleGraph,
  include: string[],
  owner: ServerUser | undefined,
): Promise<Command> {
  const root = dirname(command.config ?? command.entry);
  const files = new Set(graph.files.concat(include.map((path) => resolve(root, path))));
  const lock = join(root, "deno.lock");
  if (command.config) {
    files.add(command.config);
    // Without it, packages' own dependencies could resolve to versions that are not laid out.
    if (await exists(lock)) files.add(lock);
  }
  const cache = await openCache();
  const name = `program-${await hash(files, [
    Deno.version.deno,
    command.entry,
    `${owner?.uid}`,
    "lock 3",
  ])}`;
  await removeOldPrograms(cache, name);
  const target = await makeOnce(cache, name, async (target) => {
    for (const file of files) await copyInto(join(target, "src"), root, file);
    if (files.has(lock)) {
      const [at, config] = ["deno.lock", relative(root, command.config!)]
        .map((name) => join(target, "src", name));
      const texts = graph.reduced(await Deno.readTextFile(at), await Deno.readTextFile(config));
      await Deno.writeTextFile(at, texts.lock);
      await Deno.writeTextFile(config, texts.config);
    }
    const denoDir = join(target, "deno_dir");
    await Deno.mkdir(denoDir, { mode: 0o755 });
    for (const { folder, registryFile } of graph.packages(command.denoDir)) {
      // The lock file also lists what packages of development need on other platforms.
      if (!await exists(folder)) continue;
      await linkFolder(folder, join(denoDir, relative(command.denoDir, folder)));
      // A lock file says all that the registry's does, so a fresh cache has none.
      if (!await exists(registryFile)) continue;
      await Deno.copyFile(registryFile, join(denoDir, relative(command.denoDir, registryFile)));
    }
    // Only this folder itself: the packages in it are links to files that stay ours.
    if (owner) await Deno.chown(denoDir, owner.uid, owner.gid);
  });
  await Deno.utime(target, new Date(), new Date());
  const move = (path: string) => join(target, "src", relative(root, path));
  return {
    deno: await shareDeno(cache, command.deno),
    denoDir: join(target, "deno_dir"),
    config: command.config && move(command.config),
    entry: move(command.entry),
  };
}

/** A name for these files' contents. */
async function hash(files: Set<string>, more: string[]): Promise<string> {
  const sum = createHash("sha256").update(more.join("\n"));
  for (const file of [...files].sort()) {
    for await (const path of walk(file)) {
      sum.update(`\n${path}\n`).update(await Deno.readFile(path));
    }
  }
  return sum.digest("hex").slice(0, 16);
}

async function* walk(path: string): AsyncGenerator<string> {
  if (!(await Deno.stat(path)).isDirectory) return yield path;
  const names = (await Array.fromAsync(Deno.readDir(path))).map((entry) => entry.name).sort();
  for (const name of names) yield* walk(join(path, name));
}

/** Copies, not links: an editor may write into the file in place. */
async function copyInto(target: string, root: string, file: string): Promise<void> {
  const path = relative(root, file);
  if (path.startsWith("..") || isAbsolute(path)) {
    throw new Failure("usage", `Cannot install a program: "${file}" is outside of "${root}"`);
  }
  for await (const source of walk(file)) {
    const copy = join(target, relative(root, source));
    await Deno.mkdir(dirname(copy), { recursive: true, mode: 0o755 });
    await Deno.copyFile(source, copy);
    await Deno.chmod(copy, 0o644);
  }
}

/** The same Deno, where other users can run it. */
async function shareDeno(cache: string, deno: string): Promise<string> {
  if (await isReachable(deno)) return deno;
  const { size, mtime } = await Deno.stat(deno);
  const name = `deno-${Deno.version.deno}-${size}-${mtime?.getTime()}`;
  const folder = await makeOnce(cache, name, (folder) => linkOrCopy(deno, join(folder, "deno")));
  return join(folder, "deno");
}

/** Whether every user can read and run a file: it, and each folder on the way to it. */
async function isReachable(path: string): Promise<boolean> {
  const mode = (await Deno.stat(path)).mode ?? 0;
  if ((mode & 0o005) !== 0o005 && (await Deno.stat(path)).isFile) return false;
  if ((mode & 0o001) === 0) return false;
  return path === dirname(path) || await isReachable(dirname(path));
}

async function removeOldPrograms(cache: string, except: string): Promise<void> {
  for await (const { name } of Deno.readDir(cache)) {
    if (!name.startsWith("program-") || name === except) continue;
    const path = join(cache, name);
    // Another process may be at the same work.
    const info = await Deno.stat(path).catch(() => undefined);
    if (!info?.mtime || info.mtime.getTime() > Date.now() - KEEP_PROGRAMS) continue;
    await Deno.remove(path, { recursive: true }).catch(() => {});
  }
}

function formatScript({ deno, denoDir, config, entry }: Command, env: Record<string, string>) {
  const all = { ...env, DENO_DIR: denoDir, DENO_NO_UPDATE_CHECK: "1" };
  const exports = Object.entries(all).map(([name, value]) => `export ${name}=${quote(value)}\n`);
  const flags = ["-A", "--cached-only", ...(config ? ["--config", config] : ["--no-config"])];
  const command = [deno, "run", ...flags, entry].map(quote).join(" ");
  return `#!/bin/sh\n${exports.join("")}exec ${command} "$@"\n`;
}

/** As one word for a shell, whatever it holds. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
