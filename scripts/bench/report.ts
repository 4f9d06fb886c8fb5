import os from "node:os";
import type { Spread } from "./measure.ts";
import { barPicture } from "./picture.ts";
import type { Bench, Table } from "./sections.ts";

const docs = new URL("../../docs/", import.meta.url);

const document = new URL("benchmarks.md", docs);

const introduction = `# Benchmarks

Each section below was measured in one run of its own, by the command that stands there. The
programs ran one after another, in turn; a figure is the median of all runs (least–most). The
machine is shared with the broker, so only figures of one table can be compared.`;

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
    `partitions where nothing else is said, all checks on, rows written into a pipe; ` +
    `${runs} runs.${versions === "" ? "" : ` Programs: ${versions}.`}`,
    ...(missing.length > 0 ? [`Not installed where this ran: ${missing.join("; ")}.`] : []),
    ...tables.map(tableText),
  ].join("\n\n");
}

function tableText({ title, id, results }: Table): string {
  const best = results[0];
  const ratio = (ours: Spread, theirs: Spread) => figure(ours.median / theirs.median);
  const rows = results.map(({ name, wall, cpu, memory }) => {
    const beside = name === best.name ? "" : `${ratio(best.wall, wall)} / ${ratio(best.cpu, cpu)}`;
    return `| ${name} | ${seconds(wall)} | ${seconds(cpu)} | ${
      figure(memory.median, 0)
    } | ${beside} |`;
  });
  return [
    `## ${title}`,
    ...(hasPicture(id) ? [`![${title}](pictures/${id}.svg)`] : []),
    `| | wall s | CPU s | peak MiB | ${best.name}'s wall / CPU to it |\n` +
    `| --- | --- | --- | --- | --- |\n${rows.join("\n")}`,
  ].join("\n\n");
}

/** A figure, or a dash where there is none. */
function figure(value: number, digits = 2): string {
  return Number.isFinite(value) ? value.toFixed(digits) : "–";
}

function seconds({ median, least, most }: Spread): string {
  if (Number.isNaN(median)) return "–";
  return `${median.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;
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
