/** Times whole processes, as the system counts them. */

/** What one run of a command took. */
export interface Figures {
  /** Seconds. */
  wall: number;
  /** Seconds of user and system time. */
  cpu: number;
  /** Peak resident memory, MiB. */
  memory: number;
}

/** A command, and the file that it reads from stdin, if any. */
export interface Job {
  command: readonly string[];
  input?: string;
}

const script =
  'set -o pipefail; /usr/bin/time -f "%e %U %S %M" -o "$1" timeout 600 "${@:4}" < "$2" | $3';

/**
 * Runs a command for ten minutes at most, its rows written into a pipe, as Greenplum reads them. Throws Error if it fails,
 * or if it writes another number of lines than `lines`.
 */
export async function measure({ command, input }: Job, lines?: number): Promise<Figures> {
  const told = await Deno.makeTempFile();
  const reader = lines === undefined ? "cat > /dev/null" : "wc -l";
  try {
    const { success, stdout, stderr } = await new Deno.Command("bash", {
      args: [
        "-c",
        script.replace("$3", reader),
        "bench",
        told,
        input ?? "/dev/null",
        "",
        ...command,
      ],
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
    if (!success) throw new Error(`${command.join(" ")} failed: ${text(stderr).slice(-2000)}`);
    if (lines !== undefined && Number(text(stdout)) !== lines) {
      throw new Error(`${command.join(" ")} wrote ${text(stdout)} lines, not ${lines}`);
    }
    const [wall, user, system, kilobytes] = (await Deno.readTextFile(told)).trim().split("\n")
      .at(-1)!.split(" ").map(Number);
    return { wall, cpu: user + system, memory: kilobytes / 1024 };
  } finally {
    await Deno.remove(told);
  }
}

/** Runs several at the same time. CPU is their sum, memory the largest, wall the slowest one's. */
export async function measureTogether(jobs: readonly Job[]): Promise<Figures> {
  const all = await Promise.all(jobs.map((job) => measure(job)));
  return {
    wall: Math.max(...all.map(({ wall }) => wall)),
    cpu: all.reduce((sum, { cpu }) => sum + cpu, 0),
    memory: Math.max(...all.map(({ memory }) => memory)),
  };
}

/** A figure's median, and its least and largest value, over some runs. */
export interface Spread {
  median: number;
  least: number;
  most: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: sorted[sorted.length >> 1], least: sorted[0], most: sorted.at(-1)! };
}

/** What a line of a table is about. */
export interface Subject {
  name: string;
  /** Lines of one group are compared with the first of it; without one, with the table's first. */
  group?: string;
  /** Size of the rows that go through it, 10⁹ bytes. */
  gigabytes?: number;
}

/** One line of a table. */
export interface Result extends Subject {
  runs: number;
  wall: Spread;
  cpu: Spread;
  memory: Spread;
}

/**
 * Runs each of these `runs` times, in turn, after a run of each that is not counted: machines are
 * noisy, and only what ran side by side can be compared.
 */
export async function inTurn(
  runners: readonly (Subject & { run(warm: boolean): Promise<Figures> })[],
  runs: number,
): Promise<Result[]> {
  const figures = runners.map((): Figures[] => []);
  for (let round = 0; round <= runs; round++) {
    for (const [i, { run }] of runners.entries()) {
      const found = await run(round === 0);
      if (round > 0) figures[i].push(found);
    }
  }
  return runners.map(({ run: _, ...subject }, i) => ({
    ...subject,
    runs,
    wall: spread(figures[i].map(({ wall }) => wall)),
    cpu: spread(figures[i].map(({ cpu }) => cpu)),
    memory: spread(figures[i].map(({ memory }) => memory)),
  }));
}
