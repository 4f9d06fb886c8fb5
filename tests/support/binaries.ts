/** Compiled programs: those under test, and others made for a test in the same way. */
import { join } from "node:path";
import { compileProgram } from "../../scripts/compile/build.ts";
import { compilesClosed } from "../../scripts/compile/command.ts";
import { thisPlatform } from "../../scripts/compile/platforms.ts";
import { type Program, programs } from "../../scripts/compile/programs.ts";
import { findRuntime } from "../../scripts/compile/runtime.ts";

/** Folder with the programs under test; undefined where tests run the sources. */
export const binaries = Deno.env.get("GPDB_KAFKA_TEST_BINARIES");

/** The compiled kafka_consumer. */
export const consumerPath = `${binaries}/kafka_consumer`;

/** A program that only a test needs, with what kafka_consumer is compiled with. */
export async function compileForTest(name: string, entry: string, folder: string): Promise<string> {
  const program: Program = { ...programs[0], name, entry };
  const platform = thisPlatform()!;
  const output = join(folder, name);
  const runtime = await findRuntime(platform, compilesClosed());
  await compileProgram(program, platform, runtime, { name: "test", time: 0 }, output);
  return output;
}
