import os from "node:os";
import { barPicture } from "./picture.ts";
import type { Bench, Table } from "./sections.ts";
import { counted, tableText } from "./table.ts";

const docs = new URL("../../docs/", import.meta.url);

const document = new URL("benchmarks.md", docs);

const introduction = `# Benchmarks

Each section below was measured in one run of its own, by the command that stands there. The
programs ran one after another, in turn; a figure is the median of all runs (least–most). The
machine is shared with the broker, so only figures of one table can be compared. "s per GB" are
seconds for 10⁹ bytes of rows, before compression.

Programs have their default settings. kcat waits up to a second whenever its queue is full, which is
most of the time that it takes where that is several seconds: with a queue of 2 GB
(\`queued.min.messages\`, \`queued.max.messages.kbytes\`) it took about a third of it, with more CPU and
three times the memory.`;

/** The text of one section: how it was made, and its tables. */
export function report(
  { broker, contestants, rows, runs }: Bench,
  section: string,
  tables: readonly Table[],
  missing: readonly string[],
  args: readonly string[],
): string {
  const date = new Date().toISOString().slice(0, 10);
  const cores = os.cpus();
  const command = ["deno task bench:peers", "--only", section, ...args].join(" ");
  const measured = new Set(tables.flatMap(({ results }) => results.map(({ name }) => name)));
  const versions = contestants.filter(({ name }) => measured.has(name))
    .map(({ name, version }) => `${name} (${version})`).join(", ");
  return [
    `Made by \`${command}\` on ${date}: ${cores.length} cores (${cores[0]?.model.trim()}), ` +
    `Kafka ${broker.version}, ${rows.toLocaleString("en-US")} rows of about 249 bytes in 8 ` +
    `partitions and all checks on where nothing else is said, rows written into a pipe; ` +
    `${counted(runs, "run")}.${versions === "" ? "" : ` Programs: ${versions}.`}`,
    ...(missing.length > 0 ? [`Not installed where this ran: ${missing.join("; ")}.`] : []),
    ...tables.map((table) => tableText(table, runs, hasPicture(table.id))),
  ].join("\n\n");
}

function hasPicture(id: string): boolean {
  return /^(consume|produce|load|greenplum-load)/.test(id);
}

/**
 * Puts a section into docs/benchmarks.md, in place of the one of an earlier run, and its pictures
 * beside it. `order` has the names of all sections.
 */
export async function writeSection(
  order: readonly string[],
  section: string,
  text: string,
  tables: readonly Table[],
): Promise<void> {
  await Deno.mkdir(new URL("pictures/", docs), { recursive: true });
  for (const { title, id, results } of tables.filter(({ id }) => hasPicture(id))) {
    await Deno.writeTextFile(
      new URL(`pictures/${id}.svg`, docs),
      barPicture(`${title}: seconds`, results, "wall"),
    );
  }
  const before = await Deno.readTextFile(document).catch(() => "");
  const sections = new Map(
    before.split(/^<!-- section: /m).slice(1).map((part): [string, string] => {
      const [name, ...rest] = part.split(" -->");
      return [name, rest.join(" -->").trim()];
    }),
  );
  sections.set(section, text);
  const parts = order.filter((name) => sections.has(name))
    .map((name) => `<!-- section: ${name} -->\n\n${sections.get(name)}`);
  await Deno.writeTextFile(document, [introduction, ...parts].join("\n\n") + "\n");
}
