import assert from "node:assert/strict";
import type { ProduceOptions } from "../../../lib/produce/options.ts";
import { bytesOf, packAll } from "./support.ts";

interface Case {
  name: string;
  input: string;
  options?: Partial<ProduceOptions>;
  /** Values, or key and value. */
  rows: (string | [string | null, string])[];
  lines?: number[];
  empty?: number;
}

const cases: Case[] = [
  { name: "nothing", input: "", rows: [] },
  { name: "a row", input: "a\n", rows: ["a"] },
  { name: "the last row needs no newline", input: "a\nb", rows: ["a", "b"], lines: [1, 2] },
  { name: "CR before the newline is no part", input: "a\r\nb\r\n", rows: ["a", "b"] },
  { name: "one CR is taken off, not two", input: "a\r\r\n", rows: ["a\r"] },
  { name: "CR inside a row stays", input: "a\rb\n", rows: ["a\rb"] },
  { name: "CR at the very end", input: "a\r", rows: ["a"] },
  {
    name: "empty lines are counted, and their lines too",
    input: "\n\r\na\n\n\nb\n\n",
    rows: ["a", "b"],
    lines: [3, 6],
    empty: 5,
  },
  {
    name: "a header is not a record",
    input: "id,name\n1,a\n",
    options: { header: "skip" },
    rows: ["1,a"],
    lines: [2],
  },
  { name: "only a header", input: "id,name", options: { header: "skip" }, rows: [] },
  { name: "line: quotes mean nothing", input: '"a\nb"\n', rows: ['"a', 'b"'] },
  {
    name: "csv: a quoted newline stays",
    input: 'x\n1,"a\nb",2\n3,"c\r\n\nd"\n4\n',
    options: { split: "csv" },
    rows: ["x", '1,"a\nb",2', '3,"c\r\n\nd"', "4"],
    lines: [1, 2, 4, 7],
  },
  {
    name: "csv: doubled quotes",
    input: '"a ""b""\n""c"""\n"",""\n',
    options: { split: "csv" },
    rows: ['"a ""b""\n""c"""', '"",""'],
    lines: [1, 3],
  },
  {
    name: "csv: an open quote holds the rest",
    input: '1\n"2\n3\n',
    options: { split: "csv" },
    rows: ["1", '"2\n3\n'],
  },
  {
    name: "csv: a header with a newline",
    input: '"a\nb",c\n1,2\n',
    options: { split: "csv", header: "skip" },
    rows: ["1,2"],
    lines: [3],
  },
  {
    name: "nul: newlines and CRs stay",
    input: "a\nb\r\0c\0\0d",
    options: { split: "nul" },
    rows: ["a\nb\r", "c", "d"],
    lines: [1, 2, 4],
    empty: 1,
  },
  {
    name: "key by delimiter: none is a null key, none before it an empty one",
    input: "k:v\nv\n:w\nk2:a:b\nk3:\n",
    options: { key: { delimiter: 58 } },
    rows: [["k", "v"], [null, "v"], ["", "w"], ["k2", "a:b"], ["k3", ""]],
  },
  {
    name: "key by column: quotes come off, an empty field is a null key",
    input: 'a,1\n"b,""c""",2\n,3\n"",4\n"d",5\ne"f",6\n',
    options: { key: { column: 1, cut: false }, split: "csv" },
    rows: [
      ["a", "a,1"],
      ['b,"c"', '"b,""c""",2'],
      [null, ",3"],
      ["", '"",4'],
      ["d", '"d",5'],
      ["ef", 'e"f",6'],
    ],
  },
  {
    name: "key by the last column",
    input: '1,"x,y",k1\n2,z,"k\n2"\n3,,\n',
    options: { key: { column: 3, cut: false }, split: "csv" },
    rows: [["k1", '1,"x,y",k1'], ["k\n2", '2,z,"k\n2"'], [null, "3,,"]],
  },
];

for (const { name, input, options = {}, rows, lines, empty = 0 } of cases) {
  Deno.test({
    name: `split: ${name}`,
    permissions: "none",
    async fn() {
      const bytes = bytesOf(input);
      const cuts = [
        [bytes],
        Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)),
        ...Array.from(bytes, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)]),
      ];
      const expected = rows.map((row) => typeof row === "string" ? [null, row] : row);
      for (const chunks of cuts) {
        // One partition: rows keep their order.
        const packed = await packAll(chunks, options, 1);
        assert.deepEqual(packed.rows.map(({ key, value }) => [key, value]), expected);
        if (lines) assert.deepEqual(packed.rows.map(({ line }) => line), lines);
        assert.equal(packed.packer.empty, empty);
        assert.equal(packed.packer.rows, rows.length);
      }
    },
  });
}

/** The same numbers each time: xorshift32. */
function* random(seed: number): Generator<number, never> {
  while (true) {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    yield seed >>> 0;
  }
}

Deno.test({
  name: "split: random bytes, cut anywhere, are what a simple splitter makes of them",
  permissions: "none",
  async fn() {
    const numbers = random(42);
    const next = (below: number) => numbers.next().value % below;
    const alphabet = '\n\n\r",ab\0é';
    for (const split of ["line", "csv", "nul"] as const) {
      for (let round = 0; round < 100; round++) {
        const size = next(400);
        const text = Array.from(
          { length: size },
          () => next(4) === 0 ? alphabet[next(alphabet.length)] : String.fromCharCode(next(256)),
        ).join(
          "",
        );
        const bytes = bytesOf(text);
        const chunks: Uint8Array[] = [];
        for (let at = 0; at < size;) {
          const end = at + 1 + next(next(2) === 0 ? 5 : 100);
          chunks.push(bytes.subarray(at, end));
          at = end;
        }
        const { rows } = await packAll(chunks, { split }, 1);
        assert.deepEqual(rows.map(({ value }) => value), simpleRows(text, split));
      }
    }
  },
});

function simpleRows(text: string, split: "line" | "csv" | "nul"): string[] {
  const rows: string[] = [];
  let row = "";
  let quoted = false;
  for (const char of text) {
    if (char === '"' && split === "csv") quoted = !quoted;
    if (char === (split === "nul" ? "\0" : "\n") && !quoted) {
      rows.push(row);
      row = "";
    } else row += char;
  }
  if (row !== "") rows.push(row);
  const stripped = split === "nul" ? rows : rows.map((one) => one.replace(/\r$/, ""));
  return stripped.filter((one) => one !== "");
}

Deno.test({
  name: "split: keys of every length go to the partitions that Java's producer chooses",
  permissions: "none",
  async fn() {
    // The hashes of Kafka's own test, org.apache.kafka.common.utils.UtilsTest.
    const hashes = {
      "21": -973932308,
      "foobar": -790332482,
      "a-little-bit-long-string": -985981536,
      "a-little-bit-longer-string": -1486304829,
      "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
      "abc": 479470107,
    };
    const input = Object.keys(hashes).map((key) => `${key},x\n`).join("");
    const key = { column: 1, cut: false };
    const { rows } = await packAll([bytesOf(input)], { key }, 97);
    assert.deepEqual(
      rows.map(({ key, partition }) => [key!, partition]).sort(),
      Object.entries(hashes).map(([key, hash]) => [key, (hash & 0x7fffffff) % 97]).sort(),
    );
  },
});

Deno.test({
  name: "split: a row that lacks its key's column fails, or is left out and named",
  permissions: "none",
  async fn() {
    const input = [bytesOf("a,1\n\nb\nc,3\n")];
    await assert.rejects(packAll(input, { key: { column: 2, cut: false } }), {
      message: "stdin line 3 has no column 2 that can be its key " +
        "(--bad-record skip leaves such rows out)",
    });
    const { rows, bad, log } = await packAll(input, {
      key: { column: 2, cut: false },
      badRecord: "skip",
    });
    assert.deepEqual(rows.map(({ key }) => key).sort(), ["1", "3"]);
    assert.equal(bad.count, 1);
    assert.deepEqual(log, ["stdin line 3 has no column 2 that can be its key; left out"]);
  },
});
