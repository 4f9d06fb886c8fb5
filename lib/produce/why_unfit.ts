import { type PackState, Unfit } from "../protocol/kernel/packing.ts";
import type { ProduceOptions } from "./options.ts";
import { cutColumns } from "./shape.ts";

const kinds: Readonly<Record<number, string>> = {
  [Unfit.utf8]: "is not UTF-8",
  [Unfit.number]: "is not a number as JSON has it",
  [Unfit.boolean]: "is not one of t, f, true, false",
  [Unfit.json]: "is not valid JSON",
  [Unfit.hex]: "is not \\x and hexadecimal digits",
  [Unfit.noNull]: "is empty, and the schema has no null for it",
  [Unfit.int]: "is not a whole number of 32 bits",
  [Unfit.long]: "is not a whole number of 64 bits",
  [Unfit.double]: "is not a number within the range of its type",
  [Unfit.decimal]: "is not a decimal number with as many digits after the point as the schema has",
  [Unfit.date]: "is not a date of the years 1 to 9999, such as 2026-01-31",
  [Unfit.timestamp]: "is not a date and time such as 2026-01-31 12:00:00.5+00",
  [Unfit.fineness]: "is a time with more digits of a second than the schema's type holds",
  [Unfit.time]: "is not a time of day such as 23:59:59.5",
  [Unfit.symbol]: "is not one of the schema's symbols",
  [Unfit.fixed]: "is not \\x and the digits of as many bytes as the schema says",
};

/** Why the row that the kernel stopped at can't be a record. */
export function whyUnfit({ why, fault }: PackState, options: ProduceOptions): string {
  const { key, headerColumns, columns } = options;
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
    if (columns.length > 0) return `has ${counted(fault)}, not ${columns.length} as in --columns`;
    const cut = cutColumns(options).size;
    return `has ${counted(fault)}, not ${cut + 1}: ` +
      (cut > 0 ? `one is the value, the others are key and headers` : "that is the value");
  }
  const name = columns.length > 0 ? ` "${columns[fault - 1].name}"` : "";
  return `column ${fault}${name} ${kinds[why]}`;
}

function counted(columns: number): string {
  return columns === 1 ? "1 column" : `${columns} columns`;
}
