import assert from "node:assert/strict";
import type { ProduceOptions } from "../../../lib/produce/options.ts";
import { below, bytesOf, columns, csv, cutFirst, NULL_VALUE, packAll } from "./support.ts";

const fast = { permissions: "none" } as const;
const utf8 = new TextEncoder();

interface Case {
  name: string;
  input: string;
  options: Partial<ProduceOptions>;
  /** Key, value and headers. */
  records: [key: string | null, value: string, headers?: [string, string][]][];
}

const cases: Case[] = [
  {
    name: "the key's column is cut, and what is left stays as it is",
    input: 'k,1,"a, ""b"""\n"k ""2""",2, x \n"k,3",,\n',
    options: { key: cutFirst },
    records: [["k", '1,"a, ""b"""'], ['k "2"', "2, x "], ["k,3", ","]],
  },
  {
    name: "a column without quotes is a null key, one of two quotes an empty key",
    input: ',1\n"",2\n',
    options: { key: cutFirst },
    records: [[null, "1"], ["", "2"]],
  },
  {
    name: "the key may be the last column, or one between",
    input: "1,2,k\n",
    options: { key: { column: 3, cut: true } },
    records: [["k", "1,2"]],
  },
  {
    name: "columns become headers, in the order of the flags; an empty one is none",
    input: '1,k,2,t,3,"s,1"\n1,k,2,,3,""\n1,k,2,,3,\n',
    options: {
      key: { column: 2, cut: true },
      headerColumns: [{ name: "span", column: 6 }, { name: "trace=ü", column: 4 }],
    },
    records: [
      ["k", "1,2,3", [["span", "s,1"], ["trace=\xc3\xbc", "t"]]],
      ["k", "1,2,3", [["span", ""]]],
      ["k", "1,2,3"],
    ],
  },
  {
    name: "with the key left in the value",
    input: "k,1,t\n",
    options: { key: { column: 1, cut: false }, headerColumns: [{ name: "h", column: 3 }] },
    records: [["k", "k,1", [["h", "t"]]]],
  },
  {
    name: "an empty value with a key is null, with --tombstone alone",
    input: 'k,\nk\n"",\n,\nk,""\nk,,\n',
    options: { key: cutFirst, tombstones: true },
    records: [
      ["k", NULL_VALUE],
      ["k", NULL_VALUE],
      ["", NULL_VALUE],
      [null, ""],
      ["k", '""'],
      ["k", ","],
    ],
  },
  { name: "else it is empty", input: "k,\n", options: { key: cutFirst }, records: [["k", ""]] },
  {
    name: "a tombstone after a delimiter",
    input: "k:\n:\nk:v\nv\n",
    options: { key: { delimiter: 58 }, tombstones: true },
    records: [["k", NULL_VALUE], ["", NULL_VALUE], ["k", "v"], [null, "v"]],
  },
  {
    name: "field: the text of the one column that is left",
    input: 'k,"{""a"": ""b""}"\nk,\nk,""\nk,plain\nk,"two\nlines"\n',
    options: { key: cutFirst, value: "field", tombstones: true },
    records: [
      ["k", '{"a": "b"}'],
      ["k", NULL_VALUE],
      ["k", ""],
      ["k", "plain"],
      ["k", "two\nlines"],
    ],
  },
  {
    name: "hex: bytes",
    input: 'k,\\x00fF10\nk,"\\x"\nk,\n',
    options: { key: cutFirst, value: "hex", tombstones: true },
    records: [["k", "\0\xff\x10"], ["k", ""], ["k", NULL_VALUE]],
  },
  {
    name: "json: each type, and null",
    input:
      '7,-1.50e+3,t,"{""a"": [1, null]}",x\n"",,f,,\n"say ""hi""\n\\\t\x01é",0,"true",3,false\n',
    options: {
      value: "json",
      columns: columns("i d", "n:number", 'ok"?:boolean', "doc:json", "é"),
    },
    records: [
      [null, '{"i d":"7","n":-1.50e+3,"ok\\"?":true,"doc":{"a": [1, null]},"\xc3\xa9":"x"}'],
      [null, '{"i d":"","n":null,"ok\\"?":false,"doc":null,"\xc3\xa9":null}'],
      [
        null,
        '{"i d":"say \\"hi\\"\\n\\\\\\t\\u0001\xc3\xa9","n":0,"ok\\"?":true,"doc":3,"\xc3\xa9":"false"}',
      ],
    ],
  },
  {
    name: "json: key and headers are not in it; nothing but these is a tombstone",
    input: "k,1,t\nk,,t\n",
    options: {
      value: "json",
      columns: columns("id", "n:number", "h"),
      key: cutFirst,
      headerColumns: [{ name: "h", column: 3 }],
      tombstones: true,
    },
    records: [["k", '{"n":1}', [["h", "t"]]], ["k", NULL_VALUE, [["h", "t"]]]],
  },
];

for (const { name, input, options, records } of cases) {
  Deno.test(`shape: ${name}`, fast, async () => {
    const bytes = utf8.encode(input);
    const cuts = [
      [bytes],
      Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)),
      ...Array.from(bytes, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)]),
    ];
    for (const chunks of cuts) {
      const { rows } = await packAll(chunks, { split: "csv", ...options }, 1);
      const found = rows.map(({ key, value, headers }) =>
        headers ? [key, value, headers] : [key, value]
      );
      assert.deepEqual(found, records);
    }
  });
}

const bad: [input: string, options: Partial<ProduceOptions>, why: string][] = [
  ["k\n", { key: { column: 2, cut: true } }, "has no column 2 that can be its key"],
  [
    "k,1\n",
    { headerColumns: [{ name: "h", column: 3 }] },
    'has no column 3 for the header "h"',
  ],
  ['k,"1\n', { key: cutFirst }, "has a quote that is not closed"],
  [
    "k,1,2\n",
    { key: cutFirst, value: "field" },
    "has 3 columns, not 2: one is the value, the others are key and headers",
  ],
  ["1,2\n", { value: "field" }, "has 2 columns, not 1: that is the value"],
  ["1\n", { value: "json", columns: columns("a", "b") }, "has 1 column, not 2 as in --columns"],
  ...["01", "1.", ".5", "+1", "1e", "--1", "NaN", "0x1", "1 ", '""', '"1"2'].map(
    (text): [string, Partial<ProduceOptions>, string] => [
      `x,${text}\n`,
      { value: "json", columns: columns("a", "b:number") },
      'column 2 "b" is not a number as JSON has it',
    ],
  ),
  ...["yes", "T", "tru", "1", '""'].map((text): [string, Partial<ProduceOptions>, string] => [
    `${text}\n`,
    { value: "json", columns: columns("b:boolean") },
    'column 1 "b" is not one of t, f, true, false',
  ]),
  ["\xff\n", { value: "json", columns: columns("b") }, 'column 1 "b" is not UTF-8'],
  ['"{"\n', { value: "json", columns: columns("b:json") }, 'column 1 "b" is not valid JSON'],
  ['""\n', { value: "json", columns: columns("b:json") }, 'column 1 "b" is not valid JSON'],
  ...["\\x0", "x00", "\\x0g", '""', "\\X00"].map(
    (text): [string, Partial<ProduceOptions>, string] => [
      `${text}\n`,
      { value: "hex" },
      "column 1 is not \\x and hexadecimal digits",
    ],
  ),
];

Deno.test("shape: a row that can't be a record is named by its line", fast, async () => {
  for (const [input, options, why] of bad) {
    const bytes = [bytesOf(`\n${input}`)];
    await assert.rejects(
      packAll(bytes, { split: "csv", ...options }),
      { message: `stdin line 2 ${why} (--bad-record skip leaves such rows out)` },
      JSON.stringify(input),
    );
    const { rows, bad, log } = await packAll(bytes, {
      split: "csv",
      ...options,
      badRecord: "skip",
    });
    assert.deepEqual([rows.length, bad.count, log], [0, 1, [`stdin line 2 ${why}; left out`]]);
  }
});

Deno.test("shape: columns of all sizes and numbers are cut where they end", fast, async () => {
  const next = below(5);
  for (let round = 0; round < 300; round++) {
    const count = 1 + next(next(4) === 0 ? 60 : 8);
    const fields = Array.from({ length: count }, () => {
      const text = Array.from({ length: next(25) }, () => 'ab,"\n'[next(5)]).join("");
      return next(4) === 0 ? "" : csv(text, next(2) === 0);
    });
    fields[next(count)] = "key";
    const column = fields.indexOf("key") + 1;
    const { rows } = await packAll([bytesOf(fields.join(",") + "\n")], {
      split: "csv",
      key: { column, cut: true },
    }, 1);
    const rest = fields.filter((_, index) => index !== column - 1).join(",");
    assert.deepEqual(rows.map(({ key, value }) => [key, value]), [["key", rest]]);
  }
});

Deno.test(
  "shape: records larger than a batch, and batches that fill, keep every row",
  fast,
  async () => {
    const sizes = [10, 999_000, 1_000_000, 3 * 1024 * 1024, 5, 400_000, 400_000, 400_000, 7];
    const texts = sizes.map((size, i) => `${'a\\"\n'.repeat(size / 4)}${i}`);
    const input = texts.map((text, i) => `${i},${csv(text, true)}\n`).join("");
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < input.length; at += 65536) {
      chunks.push(
        bytesOf(input.slice(at, at + 65536)),
      );
    }
    for (const partitions of [1, 3]) {
      const { rows } = await packAll(chunks, {
        split: "csv",
        value: "json",
        key: cutFirst,
        columns: columns("k", "t"),
      }, partitions);
      rows.sort((a, b) => a.line - b.line);
      assert.deepEqual(rows.map(({ key }) => key), sizes.map((_, i) => `${i}`));
      assert.ok(rows.every(({ value }, i) => value === JSON.stringify({ t: texts[i] })));
    }
  },
);
