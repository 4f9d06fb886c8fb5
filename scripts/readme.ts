/**
 * Writes what the documents show of the programs: `deno task readme`. Each part is between
 * `<!-- begin: NAME -->` and `<!-- end -->` in a Markdown file of the root or of docs/. Tables of
 * flags and exit statuses, and the map of folders, come from what the programs and the layer check
 * use; what long runs have shown, from docs/proof. Transcripts (`output of NAME`) are recorded by --record, with a real broker and PostgreSQL:
 * tests/db/outputs_test.ts.
 */
import { mainCommands } from "../lib/cli/commands.ts";
import { connectionFlags } from "../lib/cli/flags/connection.ts";
import { consumeFlags } from "../lib/cli/flags/consume.ts";
import { doctorFlags } from "../lib/cli/flags/doctor.ts";
import { exitCodes } from "../lib/cli/exit_codes.ts";
import type { Flag } from "../lib/cli/flags.ts";
import { lagCommand } from "../lib/cli/commands/lag.ts";
import { loadCommand } from "../lib/cli/commands/load.ts";
import { seekCommand } from "../lib/cli/commands/seek.ts";
import { offsetsCommand } from "../lib/cli/commands/offsets.ts";
import { planCommand } from "../lib/cli/commands/plan.ts";
import { produceFlags } from "../lib/cli/flags/produce.ts";
import { sqlFlags } from "../lib/cli/flags/sql.ts";
import { topicsCommand } from "../lib/cli/commands/topics.ts";
import { kafkaErrors } from "../lib/protocol/error_codes.ts";
import { headline } from "./bench/headline.ts";
import { mapRows } from "./layers.ts";
import { cell, table } from "./markdown.ts";
import { trustBlocks } from "./trust.ts";

const root = new URL("../", import.meta.url);

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

/** The error codes of brokers, and what a run makes of them. */
function brokerErrorTable(): string {
  const rows = Object.entries(kafkaErrors).map(([name, { code, kind, meaning }]) => [
    `\`${name}\` (${code})`,
    cell(meaning),
    kind === "retriable" ? "yes" : "",
    kind === "denied" ? "77" : "69",
  ]);
  return table(["error", "meaning", "retried", "status"], rows);
}

/** What can be called, and what it does. */
function commandTable(): string {
  const rows = [
    ["`kafka_consumer`", "rows out of Kafka topics: what a web table of Greenplum runs"],
    ["`kafka_producer`", "rows into Kafka topics"],
    ...Object.entries(mainCommands).map(([name, { about }]) => [`\`gpdb-kafka ${name}\``, about]),
  ];
  return table(["command", "what it does"], rows);
}

/** Every folder of the project. */
function folderTable(): string {
  return table(["folder", "what is there", "may import"], mapRows());
}

/** The figures of docs/benchmarks.md that come first. */
function headlineTable(): string {
  const text = Deno.readTextFileSync(new URL("docs/benchmarks.md", root));
  return table(
    ["our time divided by the other's (below 1: we are faster)", "wall", "CPU"],
    headline(text),
  );
}

/** What is written into the documents, by its name. */
export const blocks: Readonly<Record<string, () => string>> = {
  folders: folderTable,
  commands: commandTable,
  "exit status": exitTable,
  "errors of brokers": brokerErrorTable,
  "common flags": () => flagTable(connectionFlags),
  "kafka_consumer flags": () => flagTable(ownFlags(consumeFlags)),
  "kafka_producer flags": () => flagTable(ownFlags(produceFlags)),
  "load flags": () => flagTable(ownFlags(loadCommand.flags)),
  "seek flags": () => flagTable(ownFlags(seekCommand.flags)),
  "sql flags": () => flagTable(ownFlags(sqlFlags)),
  "plan flags": () => flagTable(ownFlags(planCommand.flags)),
  "topics flags": () => flagTable(ownFlags(topicsCommand.flags)),
  "offsets flags": () => flagTable(ownFlags(offsetsCommand.flags)),
  "lag flags": () => flagTable(ownFlags(lagCommand.flags)),
  "doctor flags": () => flagTable(ownFlags(doctorFlags)),
  "headline figures": headlineTable,
  ...trustBlocks,
};

/** The Markdown files of the root and of docs/. */
export async function documents(): Promise<URL[]> {
  const found: URL[] = [];
  for (const folder of [root, new URL("docs/", root)]) {
    for await (const { name } of Deno.readDir(folder)) {
      if (name.endsWith(".md")) found.push(new URL(name, folder));
    }
  }
  return found.sort();
}

/** A document's text with its tables as they must be, and their names. Throws on an unknown one. */
export function withTables(text: string): { text: string; names: string[] } {
  const names: string[] = [];
  const block = /(<!-- begin: (.+) -->\n)[^]*?(<!-- end -->)/g;
  const written = text.replaceAll(block, (all, begin, name, end) => {
    if (name.startsWith("output of ")) return all;
    if (!Object.hasOwn(blocks, name)) throw new Error(`Cannot write the table "${name}": unknown`);
    names.push(name);
    return `${begin}\n${blocks[name]()}\n\n${end}`;
  });
  return { text: written, names };
}

/** Runs every transcript's commands and writes what they print. Returns the exit status. */
async function record(): Promise<number> {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "tests/db/outputs_test.ts", "--", "--record"],
    cwd: root,
  }).spawn().status;
  return code;
}

if (import.meta.main) {
  for (const path of await documents()) {
    await Deno.writeTextFile(path, withTables(await Deno.readTextFile(path)).text);
  }
  if (Deno.args.includes("--record")) Deno.exit(await record());
}
