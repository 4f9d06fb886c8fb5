/**
 * Writes the documents' tables of flags and exit statuses from the tables that the programs parse
 * and use: `deno task readme`. Each is between `<!-- begin: NAME -->` and `<!-- end -->` in README.md
 * or a file of docs/.
 */
import { connectionFlags } from "../lib/cli/flags/connection.ts";
import { consumeFlags } from "../lib/cli/flags/consume.ts";
import { doctorFlags } from "../lib/cli/flags/doctor.ts";
import { exitCodes } from "../lib/cli/exit_codes.ts";
import type { Flag } from "../lib/cli/flags.ts";
import { lagCommand } from "../lib/cli/commands/lag.ts";
import { loadCommand } from "../lib/cli/commands/load.ts";
import { offsetsCommand } from "../lib/cli/commands/offsets.ts";
import { planCommand } from "../lib/cli/commands/plan.ts";
import { produceFlags } from "../lib/cli/flags/produce.ts";
import { sqlFlags } from "../lib/cli/flags/sql.ts";
import { topicsCommand } from "../lib/cli/commands/topics.ts";

const root = new URL("../", import.meta.url);

const cell = (text: string) => text.replaceAll("|", "\\|");

function flagTable(flags: readonly Flag[]): string {
  const rows = flags.map(({ name, short, value, help }) => {
    const names = [...(short ? [`-${short}`] : []), `--${name}`].join(", ");
    return [`\`${names}${value ? ` ${cell(value)}` : ""}\``, cell(help)];
  });
  return table(["flag", "meaning (default)"], rows);
}

/** Those that are not the common ones, or mean something else here. */
function ownFlags(flags: readonly Flag[]): Flag[] {
  return flags.filter(({ name, help }) =>
    !connectionFlags.some((flag) => flag.name === name && flag.help === help)
  );
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

/** Each table by its name. */
export const blocks: Readonly<Record<string, () => string>> = {
  "exit status": exitTable,
  "common flags": () => flagTable(connectionFlags),
  "kafka_consumer flags": () => flagTable(ownFlags(consumeFlags)),
  "kafka_producer flags": () => flagTable(ownFlags(produceFlags)),
  "load flags": () => flagTable(ownFlags(loadCommand.flags)),
  "sql flags": () => flagTable(ownFlags(sqlFlags)),
  "plan flags": () => flagTable(ownFlags(planCommand.flags)),
  "topics flags": () => flagTable(ownFlags(topicsCommand.flags)),
  "offsets flags": () => flagTable(ownFlags(offsetsCommand.flags)),
  "lag flags": () => flagTable(ownFlags(lagCommand.flags)),
  "doctor flags": () => flagTable(ownFlags(doctorFlags)),
};

/** The documents that have tables, or may have them. */
export async function documents(): Promise<URL[]> {
  const found = [new URL("README.md", root)];
  for await (const { name } of Deno.readDir(new URL("docs/", root))) {
    if (name.endsWith(".md")) found.push(new URL(`docs/${name}`, root));
  }
  return found;
}

/** A document's text with its tables as they must be, and their names. Throws on an unknown one. */
export function withTables(text: string): { text: string; names: string[] } {
  const names: string[] = [];
  const block = /(<!-- begin: (.+) -->\n)[^]*?(<!-- end -->)/g;
  const written = text.replaceAll(block, (_, begin, name, end) => {
    if (!Object.hasOwn(blocks, name)) throw new Error(`Cannot write the table "${name}": unknown`);
    names.push(name);
    return `${begin}\n${blocks[name]()}\n\n${end}`;
  });
  return { text: written, names };
}

if (import.meta.main) {
  for (const path of await documents()) {
    await Deno.writeTextFile(path, withTables(await Deno.readTextFile(path)).text);
  }
}
