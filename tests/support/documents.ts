/** The commands that the project's documents print, as somebody copies them from there. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { mainCommands } from "../../lib/cli/commands.ts";
import { withoutTranscripts } from "./outputs.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

export interface Printed {
  /** One line; a line that ends in a backslash and those after it are one. */
  command: string;
  /** The document and its line. */
  where: string;
}

/**
 * Every command of every Markdown file outside of tests, except those of transcripts, and of every
 * `--help`'s examples.
 */
export async function printedCommands(): Promise<Printed[]> {
  const found: Printed[] = [];
  for (const path of await documents()) {
    found.push(...commandsOf(path, withoutTranscripts(await Deno.readTextFile(join(root, path)))));
  }
  for (const [name, { load }] of Object.entries(mainCommands)) {
    const { examples } = await load();
    found.push(
      ...examples.map((line) => ({ command: line.trim(), where: `gpdb-kafka ${name} --help` })),
    );
  }
  return found;
}

/** The Markdown files outside of tests, from the root. */
export async function documents(folder = ""): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(root, folder || "."))) {
    const path = join(folder, name);
    if (isDirectory && !/^(\..*|node_modules|dist|tests)$/.test(name)) {
      paths.push(...await documents(path));
    } else if (name.endsWith(".md") && name !== "CHANGELOG.md") paths.push(path);
  }
  return paths.sort();
}

/** What a document's commands begin with. */
const program =
  "npx|deno|task|gpdb-kafka|kafka_consumer|kafka_producer|psql|gpscp|gpsync|gpssh|docker|git|npm";

/** In a sentence: a program and what it is called with, on one line or over the end of one. */
const inSentence = new RegExp(`\`((?:[A-Z][A-Z_]*=\\S+\\s+)*(?:${program})\\s[^\`]+)\``, "g");

/** The commands of a document: those of its shell blocks, and those in its sentences. */
export function commandsOf(path: string, markdown: string): Printed[] {
  const found: Printed[] = [];
  const add = (command: string, line: number) => {
    const text = command.replaceAll(/\s+/g, " ").trim();
    if (text !== "") found.push({ command: text, where: `${path}:${line}` });
  };
  let prose = "";
  let block: { language: string; start: number; lines: string[] } | null = null;
  for (const [index, line] of markdown.split("\n").entries()) {
    const [, fence] = /^\s*```(.*)$/.exec(line) ?? [];
    if (fence !== undefined && block === null) {
      block = { language: fence.trim(), start: index + 2, lines: [] };
    } else if (fence !== undefined && block !== null) {
      if (/^(sh|bash|shell|console)$/.test(block.language)) {
        for (const { command, at } of linesOf(block.lines)) add(command, block.start + at);
      }
      block = null;
    } else block?.lines.push(line);
    // A block counts as an empty line, so that lines keep their numbers.
    prose += block === null && fence === undefined ? `${line}\n` : "\n";
  }
  for (const match of prose.matchAll(inSentence)) {
    add(match[1], prose.slice(0, match.index).split("\n").length);
  }
  return found;
}

/** The commands of a block. Where some begin with `$ `, the other lines are what they print. */
function linesOf(lines: readonly string[]): { command: string; at: number }[] {
  const prompted = lines.some((line) => /^\s*\$ /.test(line));
  const found: { command: string; at: number }[] = [];
  for (let at = 0; at < lines.length; at++) {
    const [, first] = /^\s*\$ (.*)$/.exec(lines[at]) ?? [];
    if (prompted && first === undefined) continue;
    const start = at;
    let command = first ?? lines[at];
    while (command.endsWith("\\")) command = command.slice(0, -1) + (lines[++at] ?? "").trim();
    // A comment, alone or after the command.
    command = command.replace(/(^|\s)#\s.*$/, "");
    if (command.trim() !== "") found.push({ command, at: start });
  }
  return found;
}
