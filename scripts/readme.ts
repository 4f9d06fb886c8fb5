/**
 * Writes the README's tables of flags and exit statuses from the tables that the programs parse
 * and use: `deno task readme`. Each stands between `<!-- begin: NAME -->` and `<!-- end -->`.
 */
import { consumeFlags } from "../lib/cli/consume_flags.ts";
import { exitCodes } from "../lib/cli/exit_codes.ts";
import type { Flag } from "../lib/cli/flags.ts";
import { produceFlags } from "../lib/cli/produce_flags.ts";

const path = new URL("../README.md", import.meta.url);

const cell = (text: string) => text.replaceAll("|", "\\|");

function flagTable(flags: readonly Flag[]): string {
  const rows = flags.map(({ name, short, value, help }) => {
    const names = [...(short ? [`-${short}`] : []), `--${name}`].join(", ");
    return `| \`${names}${value ? ` ${cell(value)}` : ""}\` | ${cell(help)} |`;
  });
  return ["| flag | meaning (default) |", "| --- | --- |", ...rows].join("\n");
}

function exitTable(): string {
  const rows = Object.values(exitCodes).map(({ code, meaning }) => `| ${code} | ${meaning} |`);
  return ["| status | meaning |", "| --- | --- |", ...rows].join("\n");
}

const blocks: Record<string, () => string> = {
  "exit status": exitTable,
  "kafka_consumer flags": () => flagTable(consumeFlags),
  "kafka_producer flags": () => flagTable(produceFlags),
};

/** The README's text with its tables as they must be. Throws where a block is missing. */
export function withTables(readme: string): string {
  for (const [name, table] of Object.entries(blocks)) {
    const begin = `<!-- begin: ${name} -->\n`;
    const start = readme.indexOf(begin);
    const end = readme.indexOf("<!-- end -->", start);
    if (start === -1 || end === -1) throw new Error(`README.md has no block "${name}"`);
    readme = `${readme.slice(0, start + begin.length)}\n${table()}\n\n${readme.slice(end)}`;
  }
  return readme;
}

if (import.meta.main) await Deno.writeTextFile(path, withTables(await Deno.readTextFile(path)));
