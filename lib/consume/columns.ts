import { Flag, type Program } from "../protocol/kernel/kernel.ts";
import { type Column, ProgramWriter } from "../records/program.ts";
import type { ColumnName, ConsumeOptions } from "./options.ts";

const utf8 = new TextEncoder();

/** The longest field of an offset, a partition or a time, with its comma. */
const FIXED_ROOM = 32;

/** How rows are written where they are more than the value: columns in front, or the value changed. */
export class RowFormat {
  readonly #names: readonly ColumnName[];
  readonly #flags: number;
  /**
   * The most bytes that a row can have: `fixed`, and `factor` times its record's. A text takes at
   * most two bytes a byte and its quotes, and the same text may be in several columns.
   */
  readonly fixed: number;
  readonly factor: number;
  /** What the kernel makes the rows by. */
  readonly program: Program;

  constructor({ columns, value }: Pick<ConsumeOptions, "columns" | "value">) {
    this.#names = columns;
    const texts = columns.filter((name) => name === "key" || typeof name === "object").length;
    this.fixed = FIXED_ROOM * (columns.length + 1) + 4 * texts;
    this.factor = 2 * (texts + 1);
    this.#flags = value === "field" ? Flag.valueField : value === "hex" ? Flag.valueHex : 0;
    const { fixed, factor } = this;
    this.program = new ProgramWriter().finish({
      columns: columns.map(columnOf),
      slots: 0,
      fixed,
      factor,
    });
  }

  /** Whether a row is just its value, so that it can be made in place. */
  get plain(): boolean {
    return this.#names.length === 0 && this.#flags === 0;
  }

  /** Flags of the kernel's fields(). */
  get flags(): number {
    return this.#flags;
  }

  /** What a column is called in messages; -1 is the value. */
  nameOf(column: number): string {
    const name = this.#names[column];
    if (name === undefined) return "the value";
    return typeof name === "object" ? `header "${name.header}"` : `the ${name}`;
  }
}

function columnOf(name: ColumnName): Column {
  if (typeof name === "object") return { kind: "header", text: utf8.encode(name.header) };
  return { kind: name };
}
