import { Flag, type Program } from "../protocol/kernel/kernel.ts";
import { type CsvDialect, writeDialect } from "../records/dialect.ts";
import { type Column, ProgramWriter } from "../records/program.ts";
import type { ColumnName, ConsumeOptions } from "./options.ts";
import type { Structure } from "./structure.ts";

const utf8 = new TextEncoder();

/** The longest field of an offset, a partition or a time, with its comma. */
const FIXED_ROOM = 32;

const valueFlags: Record<ConsumeOptions["value"], number> = {
  row: 0,
  rows: Flag.rewritten | Flag.manyRows,
  field: Flag.valueField,
  hex: Flag.valueHex,
  json: Flag.noValue,
  avro: Flag.noValue,
  protobuf: Flag.noValue,
};

/** How rows are written where they are more than the value: columns in front, or the value changed. */
export class RowFormat {
  readonly #names: readonly ColumnName[];
  readonly #csv: CsvDialect | null;
  readonly #flags: number;
  /**
   * The most bytes that a row can have: `fixed`, and `factor` times its record's. A text takes at
   * most two bytes a byte and its quotes, and the same text may be in several columns.
   */
  readonly fixed: number;
  readonly factor: number;
  readonly structure: Structure;
  #program: Program;
  #version = 0;

  constructor(
    { columns, value, csv }: Pick<ConsumeOptions, "columns" | "value" | "csv">,
    structure: Structure = { key: null, value: null },
  ) {
    this.#names = columns;
    this.structure = structure;
    const texts =
      columns.filter((name) =>
        name === "key" || name === "key:hex" || name === "headers" || typeof name === "object"
      ).length;
    this.fixed = FIXED_ROOM * (columns.length + 1) + 4 * texts +
      (columns.includes("topic") ? 256 : 0);
    // A field of a dialect may be one byte, and need quotes and a double quote in it.
    this.factor = 2 * texts + (csv === null ? 2 : 3) + (columns.includes("headers") ? 10 : 0);
    this.#csv = csv;
    this.#flags = valueFlags[value] | (csv === null ? 0 : Flag.rewritten);
    this.#program = this.#made();
  }

  /** What the kernel makes the rows by. */
  get program(): Program {
    return this.#program;
  }

  /** Makes the program again, if something was learned since. */
  renew(): void {
    const { key, value } = this.structure;
    const version = (key?.version ?? 0) + (value?.version ?? 0);
    if (version === this.#version) return;
    this.#version = version;
    this.#program = this.#made();
  }

  #made(): Program {
    const writer = new ProgramWriter();
    const dialect = this.#csv === null ? 0 : writeDialect(writer, this.#csv);
    const { structure, fixed, factor } = this;
    const key = structure.key?.add(writer, 0);
    const value = structure.value?.add(writer, key?.next ?? 0);
    const slots = [...key?.slots ?? [], ...value?.slots ?? []];
    return writer.finish({
      columns: [
        ...this.#names.map(columnOf),
        ...slots.map((slot): Column => ({ kind: "slot", slot })),
      ],
      slots: value?.next ?? key?.next ?? 0,
      key: key?.source,
      value: value?.source,
      fixed: fixed + 2 * slots.length,
      factor,
      dialect,
    });
  }

  /** Whether a row is just its value, so that it can be made in place. */
  get plain(): boolean {
    const { key, value } = this.structure;
    return this.#names.length === 0 && this.#flags === 0 && key === null && value === null;
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
