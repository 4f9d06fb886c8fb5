/** Markdown as `deno fmt` leaves it. */

/** Columns as wide as their widest cell. */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = header.map((_, i) => Math.max(...[header, ...rows].map((row) => row[i].length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((text, i) => text.padEnd(widths[i])).join(" | ")} |`;
  return [header, widths.map((width) => "-".repeat(width)), ...rows].map(line).join("\n");
}

/** A text that may have the sign between two cells. */
export function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

/** 12,345 */
export function grouped(value: number): string {
  return value.toLocaleString("en-US");
}
