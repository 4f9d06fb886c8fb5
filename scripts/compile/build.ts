import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "../../lib/failure.ts";
import { bundle } from "./bundle.ts";
import { type Package, readPackages } from "./packages.ts";
import { type Platform, thisPlatform } from "./platforms.ts";
import { finish } from "./process.ts";
import type { Program } from "./programs.ts";
import { cannot, type Runtime, runtimeVariable } from "./runtime.ts";
import { stage } from "./stage.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** What is compiled. */
export interface Commit {
  /** `07d01ce9c8fb`, with `-dirty` where files were changed since. */
  name: string;
  /** When it was made, in seconds. */
  time: number;
}

/** The checkout's commit; without git, as in an unpacked archive, nothing is known of it. */
export async function findCommit(): Promise<Commit> {
  const git = (...args: string[]) =>
    finish(["git", ...args], { what: "git", cwd: root, deadlineMs: 10_000 });
  try {
    const name = await git("describe", "--always", "--dirty", "--abbrev=12", "--exclude=*");
    const time = await git("log", "-1", "--format=%ct");
    return { name: name.stdout.trim(), time: Number(time.stdout) };
  } catch {
    return { name: "no commit", time: 0 };
  }
}

/** A program that was compiled. */
export interface Compiled {
  /** Its size. */
  bytes: number;
  /** The npm packages in it. */
  packages: Package[];
}

/**
 * Compiles one program into the file `output`.
 *
 * @throws {Failure} `usage`: which way to the runtime was tried, why it failed, what else to do.
 */
export async function compileProgram(
  program: Program,
  platform: Platform,
  runtime: Runtime,
  commit: Commit,
  output: string,
): Promise<Compiled> {
  await using staged = await stage(
    program,
    `build ${commit.name}, Deno ${runtime.version}`,
    commit.time,
  );
  const { folder: bundled, entry, workers } = await bundle(program, staged.folder, commit.time);
  await Deno.mkdir(dirname(output), { recursive: true });
  // Beside its place, so that users see the old program or the new one, never a part of one. With
  // its whole path, because the compiler runs in another folder.
  const folder = await Deno.makeTempDir({ dir: resolve(dirname(output)), prefix: ".compile-" });
  const fresh = join(folder, program.name);
  const args = [
    ...["compile", "--quiet", "--target", platform.target, "--output", fresh],
    // `deno task ok` checks the types, with one version of Deno's declarations.
    "--no-check",
    // It would be read from a name in /tmp that anyone on the host can take first.
    "--no-code-cache",
    ...program.permissions,
    ...[...workers, ...program.include].flatMap((path) => ["--include", path]),
    entry,
  ];
  try {
    await finish([...runtime.deno, ...args], {
      what: "deno compile",
      cwd: bundled,
      env: runtime.path === undefined ? {} : { [runtimeVariable]: runtime.path },
      deadlineMs: 10 * 60_000,
    });
    await check(fresh, platform);
    await Deno.rename(fresh, output);
  } catch (error) {
    throw error instanceof Failure ? cannot(platform, runtime.way, error.message) : error;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return {
    bytes: (await Deno.stat(output)).size,
    packages: await readPackages(staged.folder, staged.versions),
  };
}

/** A runtime that does not fit shows when the program starts, at the latest. */
async function check(path: string, platform: Platform): Promise<void> {
  const exists = await Deno.stat(path).then(() => true, () => false);
  // npx does not pass on that the program it started was ended by a signal.
  if (!exists) throw new Failure("usage", "deno compile ended without a result");
  if (platform !== thisPlatform()) return;
  await finish([path, "--version"], { what: "the program, when it starts", deadlineMs: 60_000 });
}

/** Where a program of a platform is put. */
export function programPath(folder: string, platform: Platform, program: Program): string {
  return join(folder, platform.name, program.name);
}
