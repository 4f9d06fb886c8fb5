/**
 * What the documents show of the programs' output. Each is a transcript (`$ command`, then what it
 * printed) between `<!-- begin: output of NAME -->` and `<!-- end -->`; NAME is a scene of
 * output_scenes.ts. tests/db/outputs_test.ts runs the commands, compares, and records.
 */

/** A command and what is shown below it. */
export interface Shown {
  /** As it is printed, its lines joined. */
  command: string;
  output: string;
}

const block = /(<!-- begin: output of (.+) -->\n\n```sh\n)([^]*?)(```\n\n<!-- end -->)/g;

/** The transcripts of a document by their names. */
export function transcriptsOf(markdown: string): Map<string, string> {
  return new Map([...markdown.matchAll(block)].map(([, , name, text]) => [name, text]));
}

/** The document with this transcript in place of the one of that name. */
export function withTranscript(markdown: string, name: string, text: string): string {
  return markdown.replaceAll(
    block,
    (all, begin, found, _, end) => found === name ? begin + text + end : all,
  );
}

/** The document without its transcripts; lines keep their numbers. */
export function withoutTranscripts(markdown: string): string {
  return markdown.replaceAll(block, (all) => all.replaceAll(/[^\n]/g, ""));
}

/** Takes a transcript apart. Text before the first command is an error. */
export function readTranscript(text: string): { shown: Shown; typed: string }[] {
  const found: { shown: Shown; typed: string }[] = [];
  const lines = text.split("\n").slice(0, -1);
  for (let at = 0; at < lines.length; at++) {
    if (lines[at].startsWith("$ ")) {
      let typed = lines[at];
      while (typed.endsWith("\\")) typed += `\n${lines[++at]}`;
      const command = typed.slice(2).replaceAll(/\\\n\s*/g, "");
      found.push({ shown: { command, output: "" }, typed });
      continue;
    }
    const last = found.at(-1);
    if (!last) throw new Error(`output before any command: "${lines[at]}"`);
    last.shown.output += `${lines[at]}\n`;
  }
  return found;
}

const WIDTH = 100;

/** Breaks lines that are longer than the page is wide, at blanks. */
export function fitted(output: string): string {
  return output.split("\n").map((line) => {
    const lines: string[] = [];
    let rest = line;
    while (rest.length > WIDTH) {
      const at = rest.lastIndexOf(" ", WIDTH);
      if (at <= 6) break;
      lines.push(rest.slice(0, at));
      rest = `      ${rest.slice(at + 1)}`;
    }
    return [...lines, rest].join("\n");
  }).join("\n");
}

/** Output without what differs from run to run: times, speeds, ports, versions, line breaks. */
export function stable(output: string): string {
  return output
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z|\b\d\d:\d\d:\d\d\b/g, "TIME")
    .replaceAll(/[\d,.]*\d (ms|s|rows\/s)(?!\w)/g, "N $1")
    .replaceAll(/\b127\.0\.0\.1:\d+/g, "HOST:PORT")
    .replaceAll(/\bPostgreSQL \d+(\.\d+)*/g, "PostgreSQL N")
    .replaceAll(/\b\d+\.\d+\.\d+(-\w+)?/g, "VERSION")
    .replaceAll(/\s+/g, " ").trim();
}
