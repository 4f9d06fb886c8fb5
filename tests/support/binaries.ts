/** Compiled programs: those under test, and others made for a test in the same way. */
import { join } from "node:path";
import { compileProgram } from "../../scripts/compile/build.ts";
import { closedNetwork } from "../../scripts/compile/closed_network.ts";
import { thisPlatform } from "../../scripts/compile/platforms.ts";
import { type Program, programs } from "../../scripts/compile/programs.ts";
import { findRuntime } from "../../scripts/compile/runtime.ts";

/** Folder with the programs under test; undefined where tests run the sources. */
export const binaries = Deno.env.get("GPDB_KAFKA_TEST_BINARIES");

/** The compiled kafka_consumer. */
export const consumerPath = `${binaries}/kafka_consumer`;

/** How `deno task test` compiles: closed networks can do no other way, so that way must work. */
function compilesClosed(): boolean {
  return !Deno.env.get("DENORT_BIN") && Deno.build.target === closedNetwork.target;
}

/** The README's command that makes the programs under test. */
export function compileCommand(): string {
  return `deno task compile${compilesClosed() ? " --closed-network" : ""}`;
}

/** A program that only a test needs, with what kafka_consumer is compiled with. */
export async function compileForTest(name: string, entry: string, folder: string): Promise<string> {
  const program: Program = { ...programs[0], name, entry };
  const platform = thisPlatform()!;
  const output = join(folder, name);
  const runtime = await findRuntime(platform, compilesClosed());
  await compileProgram(program, platform, runtime, { name: "test", time: 0 }, output);
  return output;
}
