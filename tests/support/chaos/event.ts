import assert from "node:assert/strict";
import { dialect } from "../load.ts";
import type { End } from "./attempt.ts";
import type { ChaosSource, Way } from "./source.ts";
import type { ChaosWorld } from "./world.ts";

/** What happens to a load. */
export interface ChaosEvent {
  name: string;
  /** What a load that it hits does, for the document. */
  outcome: string;
  /** Only sources that are read in this way know it. */
  way?: Way;
  /** It happens to loads of a Greenplum, too, which need not be a server of our own. */
  greenplum?: true;
  /** Takes one round, for which records were written. Throws what is not promised. */
  run(world: ChaosWorld, source: ChaosSource): Promise<Outcome>;
}

export interface Outcome {
  /** Whether it met a load. Else it came too early or too late, and the load must have succeeded. */
  hit: boolean;
  /** How the load ended, in a word. */
  ended: string;
  /**
   * Which of the records written are in the table: the session may be lost while it commits, then
   * both are possible, and nothing else. `some`: the load was to leave some for the next.
   */
  rows: "all" | "none" | "either" | "some";
}

/** Of a load that fails if it is hit: it must fail with what is expected. */
export function struck(
  { loaded, failure }: End,
  expected: RegExp,
  rows: "none" | "either" = "none",
): Outcome {
  if (loaded !== null) return { hit: false, ended: "loaded", rows: "all" };
  // Greenplum says it in words of its own.
  if (dialect === "postgres") assert.match(failure, expected);
  return { hit: true, ended: failure.split(":")[0], rows };
}

/** Of a load that must fail. */
export function refused({ loaded, failure }: End, expected: RegExp): Outcome {
  assert.equal(loaded, null);
  assert.match(failure, expected);
  return { hit: true, ended: failure.split(":")[0], rows: "none" };
}

/** Of a load that must succeed, whatever happens to it. */
export function survived({ loaded, failure }: End, hit: boolean): Outcome {
  assert.ok(loaded, failure);
  return { hit, ended: "loaded", rows: "all" };
}
