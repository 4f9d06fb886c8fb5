/** Where the part of docs/install.md ends that somebody with an archive needs. */
const END = "<!-- INSTALL ends here. -->";

/**
 * The text of an archive's INSTALL: the first part of docs/install.md without its first section and
 * Markdown's marks. `title` is its first line.
 *
 * @throws {Error} if the document has no such part.
 */
export function installText(markdown: string, title: string): string {
  const [start, end] = [markdown.indexOf("\n## "), markdown.indexOf(END)];
  if (start < 0 || end < start) {
    throw new Error("cannot make INSTALL: docs/install.md has no part for it");
  }
  let inBlock = false;
  const lines = markdown.slice(start + 1, end).trim().split("\n").flatMap((line) => {
    if (/^\s*```/.test(line)) {
      inBlock = !inBlock;
      return [];
    }
    if (inBlock) return [`    ${line}`];
    if (line.startsWith("<!--")) return [];
    const heading = /^#+ (.*)$/.exec(line)?.[1];
    if (heading) return [heading, "-".repeat(heading.length)];
    return [line.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, "$1")];
  });
  const text = lines.join("\n").replaceAll(/\n{3,}/g, "\n\n");
  return `${title}\n${"=".repeat(title.length)}\n\n${text}\n`;
}
