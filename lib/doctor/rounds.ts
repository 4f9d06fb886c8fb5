import { Failure } from "../failure.ts";
import { type Finding, type Level, type Say, whatWentWrong } from "./findings.ts";

/** What a check came to: a value that later checks build on, or null if there is none. */
export interface Outcome<T> {
  what: string;
  value: T | null;
}

/** The checks of a run, one after the other, each within the same time. */
export class Rounds {
  readonly counts: Record<Level, number>;
  readonly #timeout: number;
  readonly #tell: (finding: Finding) => void;
  readonly #of: string;

  /**
   * `timeout` bounds each check, milliseconds; `tell` gets each finding when it is made. `of` comes
   * after the name of each check.
   */
  constructor(
    timeout: number,
    tell: (finding: Finding) => void,
    of = "",
    counts: Record<Level, number> = { ok: 0, warn: 0, fail: 0, skip: 0 },
  ) {
    this.#timeout = timeout;
    this.#tell = tell;
    this.#of = of;
    this.counts = counts;
  }

  /** Checks of one of several topics: findings name it, and are counted with all others. */
  ofTopic(topic: string): Rounds {
    return new Rounds(this.#timeout, this.#tell, ` of ${topic}`, this.counts);
  }

  /**
   * Makes a check, unless one of those that it needs gave nothing to build on: then a line says
   * that it was left out. Never throws: what goes wrong is a finding too.
   */
  async check<T>(
    check: string,
    needs: readonly Outcome<unknown>[],
    work: (say: Say) => Promise<T | null>,
  ): Promise<Outcome<T>> {
    const what = check + this.#of;
    const missing = needs.filter(({ value }) => value === null).map((need) => need.what);
    if (missing.length > 0) {
      this.#add({ level: "skip", what, finding: `needs ${[...new Set(missing)].join(", ")}` });
      return { what, value: null };
    }
    let over = false;
    const say: Say = (level, finding, todo) => {
      // A check that was given up goes on somewhere, and has no say any more.
      if (!over) this.#add({ level, what, finding, todo });
    };
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      const seconds = this.#timeout / 1000;
      timer = setTimeout(
        () => reject(new Failure("broker", `not finished within ${seconds} s`)),
        this.#timeout,
      );
    });
    try {
      return { what, value: await Promise.race([work(say), late]) };
    } catch (error) {
      say("fail", whatWentWrong(error));
      return { what, value: null };
    } finally {
      over = true;
      clearTimeout(timer);
    }
  }

  #add(finding: Finding): void {
    this.counts[finding.level]++;
    this.#tell(finding);
  }
}
