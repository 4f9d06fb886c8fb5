/**
 * Makes self-contained binaries: `deno task compile`. In dist/ then lie a folder with the programs
 * and an archive for each platform, and SHA256SUMS of them all.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Failure } from "../lib/failure.ts";
import config from "../deno.json" with { type: "json" };
import { writeArchive, writeSums } from "./compile/archive.ts";
import { compileProgram, findCommit, programPath } from "./compile/build.ts";
import { ownPackages, type Package } from "./compile/packages.ts";
import { type Platform, platforms, thisPlatform } from "./compile/platforms.ts";
import { programs } from "./compile/programs.ts";
import { findRuntime, wayNames } from "./compile/runtime.ts";

const usage =
  `deno task compile [--platform NAME,…|all] [--closed-network] [--no-archive] [--out DIR]

  --platform        ${platforms.map(({ name }) => name).join(", ")}; all of them: all
                    (this machine's)
  --closed-network  take the runtime from npm, where Deno's download site can't be reached;
                    for linux-x86_64
  --no-archive      make the programs only
  --out DIR         where to put them (dist)

env DENORT_BIN names a runtime (denort) of this Deno's version and that platform to use.`;

interface Options {
  platforms: Platform[];
  closed: boolean;
  archive: boolean;
  out: string;
}

function readOptions(args: string[]): Options | undefined {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        platform: { type: "string" },
        "closed-network": { type: "boolean", default: false },
        "no-archive": { type: "boolean", default: false },
        out: { type: "string", default: "dist" },
        help: { type: "boolean", short: "h", default: false },
      },
    }));
  } catch (error) {
    throw new Failure("usage", `${(error as Error).message.split("\n")[0]}; see --help`);
  }
  if (values.help) return undefined;
  return {
    platforms: choosePlatforms(values.platform),
    closed: values["closed-network"],
    archive: !values["no-archive"],
    out: values.out,
  };
}

function choosePlatforms(named: string | undefined): Platform[] {
  const all = platforms.map(({ name }) => name).join(", ");
  if (named === "all") return [...platforms];
  if (named === undefined) {
    const own = thisPlatform();
    if (own) return [own];
    throw new Failure(
      "usage",
      `Nothing is compiled for this machine: use --platform with one of ${all}`,
    );
  }
  return named.split(",").map((name) => {
    const found = platforms.find((platform) => platform.name === name);
    if (found) return found;
    throw new Failure("usage", `--platform: "${name}" is not one of ${all}, all`);
  });
}

async function compile({ platforms, closed, archive, out }: Options): Promise<void> {
  const commit = await findCommit();
  for (const platform of platforms) {
    const runtime = await findRuntime(platform, closed);
    console.error(`${platform.name}: Deno ${runtime.version}, ${wayNames[runtime.way]}`);
    const packages = new Map<string, Package>();
    for (const one of await ownPackages(runtime.version)) packages.set(one.url, one);
    for (const program of programs) {
      const output = programPath(out, platform, program);
      const compiled = await compileProgram(program, platform, runtime, commit, output);
      for (const one of compiled.packages) packages.set(one.url, one);
      console.error(`  ${output}  ${(compiled.bytes / 1e6).toFixed(1)} MB`);
    }
    if (!archive) continue;
    const name = `gpdb-kafka-${config.version}-${platform.name}`;
    const bytes = await writeArchive(out, name, platform, commit.time, [...packages.values()]);
    console.error(`  ${join(out, `${name}.tar.gz`)}  ${(bytes / 1e6).toFixed(1)} MB`);
  }
  await writeSums(out);
}

if (import.meta.main) {
  try {
    const options = readOptions(Deno.args);
    if (options) await compile(options);
    else console.log(usage);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
