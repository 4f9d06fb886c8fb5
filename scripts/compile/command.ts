import { closedNetwork } from "./closed_network.ts";

/** How `deno task test` compiles: closed networks can do no other way, so that way must work. */
export function compilesClosed(): boolean {
  return !Deno.env.get("DENORT_BIN") && Deno.build.target === closedNetwork.target;
}

/** The README's command that makes the programs under test. */
export function compileCommand(): string {
  return `deno task compile${compilesClosed() ? " --closed-network" : ""}`;
}
