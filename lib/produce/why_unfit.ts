import { type PackState, Unfit } from "../protocol/kernel/packing.ts";
import type { ProduceOptions } from "./options.ts";
import { cutColumns } from "./shape.ts";

const kinds: Readonly<Record<number, string>> = {
  [Unfit.utf8]: "is not UTF-8",
  [Unfit.number]: "is not a number as JSON has it",
  [Unfit.boolean]: "is not one of t, f, true, false",
  [Unfit.json]: "is not valid JSON",
  [Unfit.hex]: "is not \\x and hexadecimal digits",
};

/** Why the row that the kernel stopped at can't be a record. */
export function whyUnfit({ why, fault }: PackState, options: ProduceOptions): string {
  const { key, headerColumns, value, columns } = options;
  if (why === Unfit.keyless) {
    const column = key !== null && "column" in key ? key.column : 0;
    return `has no column ${column} that can be its key`;
  }
  if (why === Unfit.openQuote) return "has a quote that is not closed";
  if (why === Unfit.lacking) {
    const header = headerColumns.find(({ column }) => column === fault);
    if (header) return `has no column ${fault} for the header "${header.name}"`;
    return `has no column ${fault}`;
  }
  if (why === Unfit.count) {
    if (value === "json") return `has ${counted(fault)}, not ${columns.length} as in --columns`;
    const cut = cutColumns(options).size;
    return `has ${counted(fault)}, not ${cut + 1}: ` +
      (cut > 0 ? `one is the value, the others are key and headers` : "that is the value");
  }
  const name = value === "json" ? ` "${columns[fault - 1].name}"` : "";
  return `column ${fault}${name} ${kinds[why]}`;
}

function counted(columns: number): string {
  return columns === 1 ? "1 column" : `${columns} columns`;
}
