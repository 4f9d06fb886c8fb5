import { Failure } from "../failure.ts";
import type { ProduceOptions } from "./options.ts";

/** Rows that can't be records: the first one ends the run, or all are named and counted. */
export class BadRows {
  count = 0;
  readonly #options: ProduceOptions;
  readonly #log: (line: string) => void;
  /** The inputs, and the number of the first line of each, counted over all. */
  readonly #inputs: { name: string; firstLine: number }[] = [];

  constructor(options: ProduceOptions, log: (line: string) => void) {
    this.#options = options;
    this.#log = log;
  }

  /** Another input begins. */
  input(name: string, firstLine: number): void {
    this.#inputs.push({ name, firstLine });
  }

  /** `stdin line 7`, by its number counted over all inputs. */
  readonly place = (line: number): string => {
    const { name, firstLine } = this.#inputs.findLast((input) => input.firstLine <= line) ??
      { name: "input", firstLine: 1 };
    const unit = this.#options.split === "nul" ? "record" : "line";
    return `${name} ${unit} ${line - firstLine + 1}`;
  };

  /**
   * A row that can't be a record, by the line it starts in, counted over all inputs. Throws Failure
   * (record) if bad rows are not to be skipped.
   */
  readonly add = (line: number, why: string): void => {
    const text = `${this.place(line)} ${why}`;
    if (this.#options.badRecord === "fail") {
      throw new Failure("record", `${text} (--bad-record skip leaves such rows out)`);
    }
    this.count++;
    this.#log(`${text}; left out`);
  };
}
