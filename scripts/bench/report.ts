import os from "node:os";
import type { Spread } from "./measure.ts";
import { barPicture } from "./picture.ts";
import type { Bench, Table } from "./sections.ts";

const docs = new URL("../../docs/", import.meta.url);

/** The text of docs/benchmarks.md. */
export function report(
  { broker, contestants, rows, runs }: Bench,
  tables: readonly Table[],
  missing: readonly string[],
  args: readonly string[],
): string {
  const date = new Date().toISOString().slice(0, 10);
  const cores = os.cpus();
  return [
    "# Benchmarks",
    `Made by \`deno task bench:peers ${args.filter((arg) => arg !== "--write").join(" ")}\` on ` +
    `${date}: ${cores.length} cores (${cores[0]?.model.trim()}), shared with the broker, Kafka ` +
    `${broker.version}. ${rows.toLocaleString("en-US")} rows of about 249 bytes, 8 partitions, ` +
    `written into a pipe, with all checks on. Each figure is the median of ${runs} runs ` +
    "(least–most), the programs one after another in turn. Only figures of one table can be compared.",
    "| program | version |\n| --- | --- |\n" +
    contestants.map(({ name, version }) => `| ${name} | ${version} |`).join("\n"),
    ...(missing.length > 0 ? [`Not installed where this ran: ${missing.join("; ")}.`] : []),
    ...tables.map(tableText),
  ].join("\n\n") + "\n";
}

function tableText({ title, id, results }: Table): string {
  const best = results[0];
  const rows = results.map(({ name, wall, cpu, memory }) => {
    const ratio = results.length > 1 && name !== best.name
      ? `${(best.wall.median / wall.median).toFixed(2)} / ${
        (best.cpu.median / cpu.median).toFixed(2)
      }`
      : "";
    return `| ${name} | ${seconds(wall)} | ${seconds(cpu)} | ${
      memory.median.toFixed(0)
    } | ${ratio} |`;
  });
  return [
    `## ${title}`,
    ...(hasPicture(id) ? [`![${title}](pictures/${id}.svg)`] : []),
    `| | wall s | CPU s | peak MiB | ${best.name}'s wall / CPU to it |\n` +
    `| --- | --- | --- | --- | --- |\n${rows.join("\n")}`,
  ].join("\n\n");
}

function seconds({ median, least, most }: Spread): string {
  if (Number.isNaN(median)) return "–";
  return `${median.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;
}

function hasPicture(id: string): boolean {
  return /^(consume|produce|load)/.test(id);
}

/** Writes docs/benchmarks.md and its pictures. */
export async function writeReport(text: string, tables: readonly Table[]): Promise<void> {
  await Deno.mkdir(new URL("pictures/", docs), { recursive: true });
  for (const { title, id, results } of tables.filter(({ id }) => hasPicture(id))) {
    await Deno.writeTextFile(
      new URL(`pictures/${id}.svg`, docs),
      barPicture(`${title}: seconds`, results, "wall"),
    );
  }
  await Deno.writeTextFile(new URL("benchmarks.md", docs), text);
}
