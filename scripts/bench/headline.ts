/** What README.md shows of docs/benchmarks.md. */

/** A table of docs/benchmarks.md, the line of it that we stand beside, and how that is called. */
const shown: readonly [title: string, peer: string, name: string][] = [
  ["Consume, codec none", "kcat", "read, uncompressed: kcat (pauses when its queue is full)"],
  ["Consume, codec none", "franz-go", "read, uncompressed: franz-go"],
  ["Consume, codec zstd", "franz-go", "read, zstd: franz-go"],
  ["Produce, codec lz4", "kcat", "write, lz4: kcat"],
  ["Load into PostgreSQL", "COPY FROM a file", "load into PostgreSQL: `COPY` from a file"],
];

/**
 * Rows of the times that we take of a peer's: `[name, wall, CPU]`. Throws Error if docs/benchmarks.md
 * (`text`) has no such figure.
 */
export function headline(text: string): string[][] {
  return shown.map(([title, peer, name]) => {
    const table = text.split(/^## /m).find((part) => part.startsWith(`${title}\n`));
    const line = table?.split("\n").find((line) => line.startsWith(`| ${peer} `));
    const ratio = /(\S+) \/ (\S+) *\|$/.exec(line ?? "");
    if (!ratio) throw new Error(`docs/benchmarks.md has no figure of ${peer} under "${title}"`);
    return [name, ratio[1], ratio[2]];
  });
}
