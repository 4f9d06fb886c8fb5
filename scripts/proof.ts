/**
 * The files of docs/proof: what a long run of a task has shown, with when, where and by which command.
 * Only tasks write them; docs/trust.md is made from them.
 */
import os from "node:os";

const folder = new URL("../docs/proof/", import.meta.url);

/** Where figures come from. */
export interface Origin {
  /** Of the day that the run ended on, `2026-01-31`. */
  date: string;
  /** What was checked out, `-dirty` if files were changed since. */
  commit: string;
  machine: { cores: number; model: string; kernel: string };
  command: string;
}

/** Of a run that ends now. */
export async function origin(command: string): Promise<Origin> {
  const cores = os.cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: await commit(),
    machine: {
      cores: cores.length,
      model: cores[0]?.model.trim() ?? "unknown",
      kernel: `${os.type()} ${os.release()}`,
    },
    command,
  };
}

/** What is checked out now: a long run must ask at its start. */
export async function commit(): Promise<string> {
  const { success, stdout } = await new Deno.Command("git", {
    args: ["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
    cwd: new URL("../", import.meta.url),
    stderr: "null",
  }).output();
  return success ? new TextDecoder().decode(stdout).trim() : "unknown";
}

/** Writes docs/proof/NAME.json. */
export async function writeProof(name: string, figures: Origin): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(
    new URL(`${name}.json`, folder),
    `${JSON.stringify(figures, null, 2)}\n`,
  );
}

/** What docs/proof/NAME.json has, or null if its task has not been run yet. */
export function readProof<Figures>(name: string): (Origin & Figures) | null {
  try {
    return JSON.parse(Deno.readTextFileSync(new URL(`${name}.json`, folder)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
