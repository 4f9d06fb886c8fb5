/** What processes use over time, and whether it grows. */

/** One process at one time. */
export interface Use {
  /** Resident memory, bytes: of a database's session without the memory that it shares. */
  memory: number;
  descriptors: number;
}

/** What a process uses now; null if it has ended. */
export async function useOf(pid: number, memory: "VmRSS" | "RssAnon"): Promise<Use | null> {
  try {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    const [, kilobytes] = new RegExp(`^${memory}:\\s+(\\d+) kB$`, "m").exec(status) ?? [];
    if (kilobytes === undefined) return null;
    let descriptors = 0;
    for await (const _ of Deno.readDir(`/proc/${pid}/fd`)) descriptors++;
    return { memory: 1024 * Number(kilobytes), descriptors };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** A quantity of one process from its start to its end, a sample a second. */
interface Life {
  pid: number;
  seconds: number[];
  values: number[];
}

/** What came of a quantity, in its own unit. */
export interface Course {
  first: number;
  last: number;
  peak: number;
  /** Over the time that was judged, by the slope; 0 if no process lived long enough for one. */
  growth: number;
  /** How long the longest life was, without its warm-up. */
  seconds: number;
  /** How many processes there were: one that is killed has a successor. */
  lives: number;
}

/** Shorter than this, after the warm-up, says nothing about growth: samples. */
const FEWEST = 15;
/** Slopes between all pairs of this many points are looked at. */
const POINTS = 200;

/** A quantity of a process that may be replaced by another one. */
export class Series {
  readonly #lives: Life[] = [];
  #peak = 0;

  add(pid: number, seconds: number, value: number): void {
    let life = this.#lives.find((one) => one.pid === pid);
    if (!life) this.#lives.push(life = { pid, seconds: [], values: [] });
    life.seconds.push(seconds);
    life.values.push(value);
    this.#peak = Math.max(this.#peak, value);
  }

  /** `warmUp` seconds of each life are left out of what is judged. */
  course(warmUp: number): Course {
    const judged = this.#lives.map(({ seconds, values }) => {
      const from = seconds.findIndex((at) => at >= seconds[0] + warmUp);
      const start = from < 0 ? seconds.length : from;
      return { seconds: seconds.slice(start), values: values.slice(start) };
    });
    const [longest] = judged.toSorted((a, b) => b.values.length - a.values.length);
    const isLong = longest !== undefined && longest.values.length >= FEWEST;
    const lasted = isLong ? longest.seconds.at(-1)! - longest.seconds[0] : 0;
    const shown = isLong ? longest.values : this.#lives.flatMap(({ values }) => values);
    return {
      first: rounded(shown[0] ?? 0),
      last: rounded(shown.at(-1) ?? 0),
      peak: rounded(this.#peak),
      growth: isLong ? rounded(slope(longest.seconds, longest.values) * lasted) : 0,
      seconds: Math.round(lasted),
      lives: this.#lives.length,
    };
  }
}

function rounded(value: number): number {
  return Math.round(10 * value) / 10;
}

/**
 * The median of the slopes between all pairs of points (Theil and Sen): a garbage collection, or a
 * burst after a fault, does not change it.
 */
export function slope(seconds: readonly number[], values: readonly number[]): number {
  const step = Math.max(1, Math.floor(values.length / POINTS));
  const slopes: number[] = [];
  for (let i = 0; i < values.length; i += step) {
    for (let j = i + step; j < values.length; j += step) {
      if (seconds[j] > seconds[i]) {
        slopes.push((values[j] - values[i]) / (seconds[j] - seconds[i]));
      }
    }
  }
  return slopes.sort((a, b) => a - b)[slopes.length >> 1] ?? 0;
}
