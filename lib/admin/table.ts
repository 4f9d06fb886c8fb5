import { plain } from "../text.ts";

/** A cell: text stands left, a number right, null (a number that is not known) is a dash. */
export type Cell = string | number | null;

/**
 * Rows below a header, each column as wide as its widest cell, two spaces between. Every line ends
 * with a newline. `least`: the width of numbers, where tables of several times stand below each
 * other.
 */
export function table(
  header: readonly string[],
  rows: readonly (readonly Cell[])[],
  least = 0,
): string {
  const isNumber = header.map((_, i) =>
    rows.some((row) => typeof row[i] === "number" || row[i] === null)
  );
  const texts = [header, ...rows].map((row) => row.map(cellText));
  const widths = header.map((_, i) =>
    Math.max(isNumber[i] ? least : 0, ...texts.map((row) => row[i].length))
  );
  return texts.map((row) => {
    const cells = row.map((text, i) =>
      isNumber[i] ? text.padStart(widths[i]) : text.padEnd(widths[i])
    );
    return cells.join("  ").trimEnd() + "\n";
  }).join("");
}

function cellText(cell: Cell): string {
  return cell === null ? "-" : typeof cell === "number" ? String(cell) : plain(cell);
}

/** `1 offset`, `2 offsets`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
