import { type Origin, origin, writeProof } from "../../../scripts/proof.ts";

/** Of one event: how often it met a load, and came too early or too late. */
export interface Kind {
  hit: number;
  late: number;
  /** What is promised. */
  outcome: string;
  /** How the loads ended that it met: SQLSTATEs, codes, signals; how often. */
  ended: Record<string, number>;
}

/** What a run has counted. */
export interface Chaos {
  rounds: number;
  seed: number;
  kinds: Record<string, Kind>;
  /** Rounds of each source. */
  sources: Record<string, number>;
}

/** Adds the numbers of `more`, whose names may be others. */
function add(numbers: Record<string, number>, more: Record<string, number>): void {
  for (const [name, count] of Object.entries(more)) numbers[name] = (numbers[name] ?? 0) + count;
}

/**
 * Writes docs/proof/chaos.json: the figures of this run, if it has rounds, and of its other pieces,
 * which are in files like that one. Each has its own seed, which its command names.
 */
export async function writeChaos(
  chaos: Chaos,
  commit: string,
  files: readonly string[],
): Promise<void> {
  const pieces: (Origin & Chaos)[] = [];
  for (const path of files) pieces.push(JSON.parse(await Deno.readTextFile(path)));
  if (chaos.rounds > 0) {
    const command = `deno task chaos --rounds ${chaos.rounds} --seed ${chaos.seed} --write`;
    pieces.push({ ...await origin(command), commit, ...structuredClone(chaos) });
  }
  const [sum, ...others] = pieces;
  for (const piece of others) {
    if (piece.commit !== sum.commit) {
      throw new Error(`pieces are of commit ${sum.commit} and ${piece.commit}`);
    }
    sum.date = piece.date;
    sum.command += `; ${piece.command}`;
    sum.rounds += piece.rounds;
    add(sum.sources, piece.sources);
    for (const [name, { hit, late, ended }] of Object.entries(piece.kinds)) {
      sum.kinds[name].hit += hit;
      sum.kinds[name].late += late;
      add(sum.kinds[name].ended, ended);
    }
  }
  if (sum) await writeProof("chaos", sum);
}
