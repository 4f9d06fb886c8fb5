import assert from "node:assert/strict";
import type { Result } from "../../../scripts/bench/measure.ts";
import { tableText } from "../../../scripts/bench/table.ts";

const permissions = "none";

function result(name: string, wall: number, more: Partial<Result> = {}): Result {
  const spread = (median: number) => ({ median, least: median, most: median });
  return { name, runs: 5, wall: spread(wall), cpu: spread(2 * wall), memory: spread(60), ...more };
}

/** The lines after a title, as lists of cells. */
function cells(results: Result[]): string[][] {
  const text = tableText({ title: "T", id: "t", results }, 5, false);
  return text.split("\n").filter((line) => line.startsWith("|"))
    .map((line) => line.slice(1, -1).split("|").map((cell) => cell.trim()));
}

Deno.test({
  name: "bench: lines of a table without groups are compared with its first",
  permissions,
}, () => {
  const [head, , ...lines] = cells([result("ours", 1), result("theirs", 4)]);
  assert.deepEqual(head, ["", "wall s", "CPU s", "peak MiB", "ours's wall / CPU to it"]);
  assert.deepEqual(lines.map((line) => line.at(-1)), ["", "0.25 / 0.25"]);
});

Deno.test(
  { name: "bench: lines of a group are compared with the first of it", permissions },
  () => {
    const [, , ...lines] = cells([
      result("ours", 1, { group: "1 broker" }),
      result("theirs", 2, { group: "1 broker" }),
      result("ours", 3, { group: "2 brokers" }),
      result("theirs", 3, { group: "2 brokers" }),
    ]);
    assert.deepEqual(lines.map((line) => [line[0], line.at(-1)]), [
      ["1 broker: ours", ""],
      ["1 broker: theirs", "0.50 / 0.50"],
      ["2 brokers: ours", ""],
      ["2 brokers: theirs", "1.00 / 1.00"],
    ]);
  },
);

Deno.test({
  name: "bench: what grows has seconds per GB, and no ratio if nobody else is measured",
  permissions,
}, () => {
  const [head, , ...lines] = cells([
    result("ours", 1, { group: "500 MB", gigabytes: 0.5 }),
    result("ours", 8, { group: "4,000 MB", gigabytes: 4 }),
  ]);
  assert.equal(head.at(-1), "wall / CPU s per GB");
  assert.deepEqual(lines.map((line) => [line[0], line.at(-1)]), [
    ["500 MB", "2.00 / 4.00"],
    ["4,000 MB", "2.00 / 4.00"],
  ]);
});

Deno.test({
  name: "bench: a table says how many runs it has if they differ from its section's",
  permissions,
}, () => {
  const text = (runs: number) =>
    tableText({ title: "T", id: "t", note: "Note.", results: [result("ours", 1)] }, runs, true);
  assert.match(text(5), /^## T\n\nNote\.\n\n!\[T\]\(pictures\/t\.svg\)\n\n\|/);
  assert.match(text(3), /^## T\n\nNote\. 5 runs\.\n\n/);
});
