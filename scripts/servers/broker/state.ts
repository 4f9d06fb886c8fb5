import { tmpdir } from "node:os";
import { join } from "node:path";
import { commandLineOf } from "./process.ts";

/** The broker that lives in the background, as the next command finds it. */
export interface BackgroundState {
  bootstrap: string;
  version: string;
  way: string;
  nodes: { id: number; pid: number; container?: string; log: string }[];
}

/** One a user: the folder of another's is not ours to look into. */
export const backgroundFolder = join(tmpdir(), `gpdb-kafka-broker-${Deno.uid() ?? "user"}`);

const stateFile = join(backgroundFolder, "state.json");

export async function readState(): Promise<BackgroundState | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(stateFile));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Written under another name first, so that no reader meets half of it. */
export async function writeState(state: BackgroundState): Promise<void> {
  await Deno.writeTextFile(`${stateFile}.new`, JSON.stringify(state, null, 2));
  await Deno.rename(`${stateFile}.new`, stateFile);
}

/**
 * A process id is given out again after its process; the command line shows which program has it.
 */
export async function isOurs(pid: number): Promise<boolean> {
  const commandLine = await commandLineOf(pid);
  return commandLine.includes("kafka.Kafka") && commandLine.includes(backgroundFolder);
}

export async function liveNodes(state: BackgroundState): Promise<BackgroundState["nodes"]> {
  const live = await Promise.all(state.nodes.map((node) => isOurs(node.pid)));
  return state.nodes.filter((_, index) => live[index]);
}
