import type { Result, Spread } from "./measure.ts";
import type { Table } from "./sections.ts";

interface Column {
  head: string;
  cell(result: Result): string;
}

/**
 * A table as Markdown. `runs` is how many there are elsewhere. A table has what a GB takes if its
 * lines know their size, and what ours takes of the others if there are others.
 */
export function tableText(
  { title, id, note, results }: Table,
  runs: number,
  hasPicture: boolean,
): string {
  const firsts = Map.groupBy(results, ({ group }) => group);
  const firstOf = ({ group }: Result) => firsts.get(group)![0];
  const columns: Column[] = [
    { head: "", cell: (result) => nameOf(result, firsts.get(result.group)!.length > 1) },
    { head: "wall s", cell: ({ wall }) => seconds(wall) },
    { head: "CPU s", cell: ({ cpu }) => seconds(cpu) },
    { head: "peak MiB", cell: ({ memory }) => figure(memory.median, 0) },
  ];
  if (results.some(({ gigabytes }) => gigabytes !== undefined)) {
    columns.push({
      head: "wall / CPU s per GB",
      cell: ({ wall, cpu, gigabytes = NaN }) =>
        `${figure(wall.median / gigabytes)} / ${figure(cpu.median / gigabytes)}`,
    });
  }
  if (results.some((result) => firstOf(result) !== result)) {
    columns.push({
      head: `${results[0].name}'s wall / CPU to it`,
      cell: (result) => {
        const first = firstOf(result);
        const ratio = (of: "wall" | "cpu") => figure(first[of].median / result[of].median);
        return first === result ? "" : `${ratio("wall")} / ${ratio("cpu")}`;
      },
    });
  }
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const notes = [
    ...(note === undefined ? [] : [note]),
    ...(results[0].runs === runs ? [] : [`${counted(results[0].runs, "run")}.`]),
  ];
  return [
    `## ${title}`,
    ...(notes.length > 0 ? [notes.join(" ")] : []),
    ...(hasPicture ? [`![${title}](pictures/${id}.svg)`] : []),
    [
      line(columns.map(({ head }) => head)),
      line(columns.map(() => "---")),
      ...results.map((result) => line(columns.map(({ cell }) => cell(result)))),
    ].join("\n"),
  ].join("\n\n");
}

function nameOf({ name, group }: Result, isCompared: boolean): string {
  if (group === undefined) return name;
  return isCompared ? `${group}: ${name}` : group;
}

/** A figure, or a dash where there is none. */
function figure(value: number, digits = 2): string {
  return Number.isFinite(value) ? value.toFixed(digits) : "–";
}

function seconds({ median, least, most }: Spread): string {
  if (Number.isNaN(median)) return "–";
  return `${median.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;
}

/** `1 run`, `2 runs`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
