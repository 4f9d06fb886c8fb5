import { Flag, type Program } from "../protocol/kernel/kernel.ts";
import { writeDialect } from "../records/dialect.ts";
import { type Column, ProgramWriter } from "../records/program.ts";
import type { ColumnName, ConsumeOptions } from "./options.ts";

const utf8 = new TextEncoder();

/** The longest field of an offset, a partition or a time, with its comma. */
const FIXED_ROOM = 32;

const valueFlags: Record<ConsumeOptions["value"], number> = {
  row: 0,
  rows: Flag.rewritten | Flag.manyRows,
  field: Flag.valueField,
  hex: Flag.valueHex,
};

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

  constructor({ columns, value, csv }: Pick<ConsumeOptions, "columns" | "value" | "csv">) {
    this.#names = columns;
    const texts = columns.filter((name) => name === "key" || typeof name === "object").length;
    this.fixed = FIXED_ROOM * (columns.length + 1) + 4 * texts;
    // A field of a dialect may be one byte, and need quotes and a double quote in it.
    this.factor = 2 * texts + (csv === null ? 2 : 3);
    this.#flags = valueFlags[value] | (csv === null ? 0 : Flag.rewritten);
    const { fixed, factor } = this;
    const writer = new ProgramWriter();
    const dialect = csv === null ? 0 : writeDialect(writer, csv);
    this.program = writer.finish({
      columns: columns.map(columnOf),
      slots: 0,
      fixed,
      factor,
      dialect,
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
