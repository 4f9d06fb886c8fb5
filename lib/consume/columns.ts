import { Flag, type Kernel, type Program } from "../protocol/kernel/kernel.ts";
import { type CsvDialect, writeDialect } from "../records/dialect.ts";
import { type Column, ProgramWriter } from "../records/program.ts";
import type { ColumnName, ConsumeOptions } from "./options.ts";
import type { Path } from "../records/paths.ts";
import type { Structure } from "./structure.ts";

/** What of the options a row is made by. */
type FormatOptions = Pick<ConsumeOptions, "columns" | "value" | "csv" | "keyFields" | "fields">;

const utf8 = new TextEncoder();

/** The longest field of an offset, a partition or a time, with its comma. */
const FIXED_ROOM = 32;

/** The longest name of a topic, and what is copied with it. */
const TOPIC_ROOM = 256;

const valueFlags: Readonly<Record<string, number>> = {
  rows: Flag.rewritten | Flag.manyRows,
  field: Flag.valueField,
  hex: Flag.valueHex,
};

/** How rows are written that are more than the value: with columns before it, or the value changed. */
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
  /** The paths of the fields, those of the key first. */
  readonly #paths: readonly Path[];
  /** Whether a row had the field of each path. */
  readonly #met: boolean[];
  #program: Program;
  #version = 0;
  /** The slots of the paths, in each program that was made. */
  readonly #slots = new WeakMap<Program, readonly number[]>();

  constructor(
    { columns, value, csv, keyFields, fields }: FormatOptions,
    structure: Structure = { key: null, value: null },
  ) {
    this.#names = columns;
    this.structure = structure;
    this.#paths = [...structure.key ? keyFields : [], ...structure.value ? fields : []];
    this.#met = this.#paths.map(() => false);
    const texts =
      columns.filter((name) => name === "key" || name === "key:hex" || typeof name === "object")
        .length;
    const topics = columns.filter((name) => name === "topic").length;
    this.fixed = FIXED_ROOM * (columns.length + 1) + 4 * texts + TOPIC_ROOM * topics;
    // A field of a dialect may be one byte, and need quotes and a double quote in it.
    this.factor = 2 * texts + (structure.value ? 0 : csv === null ? 2 : 3);
    this.#csv = csv;
    this.#flags = structure.value
      ? Flag.noValue
      : (valueFlags[value] ?? 0) | (csv === null ? 0 : Flag.rewritten);
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
    const program = writer.finish({
      columns: [
        ...this.#names.map(columnOf),
        ...slots.map((slot): Column => ({ kind: "slot", slot })),
      ],
      slots: value?.next ?? key?.next ?? 0,
      key: key?.source,
      value: value?.source,
      // What slots take is seen when they are written; their commas are not.
      fixed: fixed + slots.length,
      factor,
      dialect,
    });
    this.#slots.set(program, slots);
    return program;
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
    if (name !== undefined) {
      return typeof name === "object" ? `header "${name.header}"` : `the ${name}`;
    }
    const path = this.#paths[column - this.#names.length];
    return path ? `the field ${path.text}` : "the value";
  }

  /** The path that a slot of a program is for; "" if it is for none. */
  pathOf(program: Program | null, slot: number): string {
    const index = program ? this.#slots.get(program)?.indexOf(slot) : undefined;
    return index === undefined || index === -1 ? "" : this.#paths[index].text;
  }

  /** Notes which fields the rows of a buffer had. */
  note({ program, met }: Kernel): void {
    const slots = program ? this.#slots.get(program) : undefined;
    slots?.forEach((slot, index) => this.#met[index] ||= met[slot] !== 0);
  }

  /** The paths that no record had which was noted. */
  get neverMet(): string[] {
    return this.#paths.filter((_, index) => !this.#met[index]).map(({ text }) => text);
  }
}

function columnOf(name: ColumnName): Column {
  if (typeof name === "object") return { kind: "header", text: utf8.encode(name.header) };
  return { kind: name };
}
