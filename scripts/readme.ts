/**
 * Writes the README's tables of flags and exit statuses from the tables that the programs parse
 * and use: `deno task readme`. Each stands between `<!-- begin: NAME -->` and `<!-- end -->`.
 */
import { connectionFlags } from "../lib/cli/connection_flags.ts";
import { consumeFlags } from "../lib/cli/consume_flags.ts";
import { doctorFlags } from "../lib/cli/doctor_flags.ts";
import { exitCodes } from "../lib/cli/exit_codes.ts";
import type { Flag } from "../lib/cli/flags.ts";
import { lagCommand } from "../lib/cli/lag_command.ts";
import { offsetsCommand } from "../lib/cli/offsets_command.ts";
import { produceFlags } from "../lib/cli/produce_flags.ts";
import { topicsCommand } from "../lib/cli/topics_command.ts";

const path = new URL("../README.md", import.meta.url);

const cell = (text: string) => text.replaceAll("|", "\\|");

function flagTable(flags: readonly Flag[]): string {
  const rows = flags.map(({ name, short, value, help }) => {
    const names = [...(short ? [`-${short}`] : []), `--${name}`].join(", ");
    return [`\`${names}${value ? ` ${cell(value)}` : ""}\``, cell(help)];
  });
  return table(["flag", "meaning (default)"], rows);
}

/** Those that not every command has. */
function ownFlags(flags: readonly Flag[]): Flag[] {
  return flags.filter(({ name }) => !connectionFlags.some((flag) => flag.name === name));
}

function exitTable(): string {
  const rows = Object.values(exitCodes).map(({ code, meaning }) => [String(code), meaning]);
  return table(["status", "meaning"], rows);
}

/** Columns as wide as their widest cell, as `deno fmt` leaves them. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((_, i) => Math.max(...[header, ...rows].map((row) => row[i].length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((text, i) => text.padEnd(widths[i])).join(" | ")} |`;
  return [header, widths.map((width) => "-".repeat(width)), ...rows].map(line).join("\n");
}

const blocks: Record<string, () => string> = {
  "exit status": exitTable,
  "kafka_consumer flags": () => flagTable(consumeFlags),
  "kafka_producer flags": () => flagTable(produceFlags),
  "topics flags": () => flagTable(ownFlags(topicsCommand.flags)),
  "offsets flags": () => flagTable(ownFlags(offsetsCommand.flags)),
  "lag flags": () => flagTable(ownFlags(lagCommand.flags)),
  "doctor flags": () => flagTable(ownFlags(doctorFlags)),
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
