import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "../../../lib/failure.ts";

/** What a program consists of. */
export interface ModuleGraph {
  /** Its own modules, as absolute paths. */
  files: string[];
  /** Where the npm packages that it needs lie in Deno's package cache. */
  packages(denoDir: string): CachedPackage[];
  /** The texts of a lock file and of deno.json with these packages only: Deno loads all that they list. */
  reduced(lock: string, config: string): { lock: string; config: string };
}

/** One version of an npm package in Deno's package cache. */
export interface CachedPackage {
  folder: string;
  /** What the registry says of the package's versions; Deno needs it to choose one. */
  registryFile: string;
}

/** The part of `deno info --json` that is used here. */
interface Info {
  modules: { specifier: string; error?: string; npmPackage?: string }[];
  /** All packages of the lock file, whatever the modules import. */
  npmPackages: Record<string, NpmPackage>;
}

interface NpmPackage {
  name: string;
  version: string;
  registryUrl: string;
  dependencies: string[];
}

/**
 * Asks Deno what a main module imports, directly and by others, with `import("…")` too.
 *
 * @throws {Failure} `usage` when a module is missing or comes from the web.
 */
export async function readGraph(
  deno: string,
  entry: string,
  config: string | undefined,
): Promise<ModuleGraph> {
  const flags = config ? ["--config", config] : ["--no-config"];
  const { success, stdout, stderr } = await new Deno.Command(deno, {
    args: ["info", "--json", ...flags, entry],
    cwd: dirname(entry),
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Failure("usage", `Cannot read "${entry}": ${decoder.decode(stderr)}`);
  const info: Info = JSON.parse(decoder.decode(stdout));

  const files: string[] = [];
  for (const { specifier, error } of info.modules) {
    if (error) throw new Failure("usage", `Cannot install "${entry}": ${error}`);
    if (specifier.startsWith("file:")) files.push(fileURLToPath(specifier));
    else if (/^https?:/.test(specifier)) {
      throw new Failure(
        "usage",
        `Cannot install "${entry}": it imports "${specifier}" from the web`,
      );
    }
  }
  const packages = neededPackages(info);
  return {
    files,
    packages: (denoDir) =>
      packages.map(({ name, version, registryUrl }) => {
        const folder = join(denoDir, "npm", registryFolder(registryUrl), name);
        return { folder: join(folder, version), registryFile: join(folder, "registry.json") };
      }),
    reduced: (lock, config) => {
      const names = packages.map(({ name, version }) => `${name}@${version}`);
      return reduced(lock, config, names);
    },
  };
}

/** The packages that modules import, and those that these need. */
function neededPackages({ modules, npmPackages }: Info): NpmPackage[] {
  const names = new Set(modules.flatMap(({ npmPackage }) => npmPackage ?? []));
  for (const name of names) {
    for (const other of npmPackages[name]?.dependencies ?? []) names.add(other);
  }
  return [...names].flatMap((name) => npmPackages[name] ?? []);
}

/** See {@link ModuleGraph.reduced}; the names are `name@version`. */
function reduced(
  text: string,
  configText: string,
  names: readonly string[],
): { lock: string; config: string } {
  const lock: {
    specifiers: Record<string, string>;
    npm: Record<string, unknown>;
    workspace?: { dependencies?: string[] };
  } = JSON.parse(text);
  const some = <T>(all: Record<string, T>, keep: (key: string, value: T) => boolean) =>
    Object.fromEntries(Object.entries(all).filter(([key, value]) => keep(key, value)));
  // A version may be followed by those of its peers: 1.2.3_other@4.5.6.
  const isKept = (name: string) => names.includes(name.replace(/_.*$/, ""));
  const specifiers = some(lock.specifiers, (specifier, version) => {
    const name = specifier.replace(/^npm:/, "").replace(/(?<=.)@.*$/, "");
    return isKept(`${name}@${version}`);
  });
  const dependencies = lock.workspace?.dependencies?.filter((one) =>
    Object.hasOwn(specifiers, one)
  );
  const config: { imports?: Record<string, string> } = JSON.parse(configText);
  const imports = some(
    config.imports ?? {},
    (_, to) => !to.startsWith("npm:") || Object.keys(specifiers).some((one) => to.startsWith(one)),
  );
  return {
    lock: JSON.stringify({
      ...{ ...lock, specifiers, npm: some(lock.npm, isKept), workspace: { dependencies } },
    }),
    config: JSON.stringify({ ...config, imports }),
  };
}

/** As Deno names it: the host with its port after an underscore, then the path. */
function registryFolder(registryUrl: string): string {
  const { host, pathname } = new URL(registryUrl);
  return join(host.replace(":", "_"), pathname);
}
