import assert from "node:assert/strict";
import { parse } from "csv-parse/sync";
import { Random } from "../../../support/random.ts";
import { RandomJson } from "../../../support/random_json.ts";
import { jsonProgram, linesOf, RowMaker } from "../../../support/program_rows.ts";

const none = { permissions: "none" } as const;
const utf8 = new TextEncoder();

/** The row of a document's fields; of a bad one why, and the byte. */
function row(list: string, document: string | Uint8Array): string {
  const value = typeof document === "string" ? utf8.encode(document) : document;
  const made = new RowMaker(jsonProgram(list)).values([value]);
  if (made.bad.length > 0) return `${made.bad[0].why} @${made.bad[0].at}`;
  return linesOf(made).slice(0, -1);
}

const order = '{"id": 7, "customer": {"name": "Ada", "address": {"city": "London"}}, ' +
  '"amount": 12.50, "items": [ {"sku": "a"}, {"sku": "b", "n": [1, 2]} ], "flags": {"vip": true}, ' +
  '"note": null, "empty": ""}';

const cases: [list: string, document: string, expected: string][] = [
  ["id, customer.name, customer.address.city, amount", order, "7,Ada,London,12.50"],
  ["amount, id, flags.vip, id", order, "12.50,7,true,7"],
  ["note, empty, nothing, id.x, customer.name.x", order, ',"",,,'],
  ["items", order, '"[ {""sku"": ""a""}, {""sku"": ""b"", ""n"": [1, 2]} ]"'],
  ["items[0].sku, items[1].n[1], items[2], items[1].n", order, 'a,2,,"[1, 2]"'],
  [
    "customer, customer.name",
    order,
    '"{""name"": ""Ada"", ""address"": {""city"": ""London""}}",Ada',
  ],
  [".", " [1, 2] ", '"[1, 2]"'],
  [".", '"x"', "x"],
  [".", "17", "17"],
  [".", "null", ""],
  ["., a", '{"a":1}', '"{""a"":1}",1'],
  ["[1], [0].a", '[{"a":1},"b"]', "b,1"],
  ['"odd.name"."say ""hi""", "", "a[0]"', '{"odd.name":{"say \\"hi\\"":1},"":2,"a[0]":3}', "1,2,3"],
  // Numbers as they stood.
  [
    "a,b,c,d",
    '{"a":123456789012345678901,"b":1e400,"c":-0,"d":0.10}',
    "123456789012345678901,1e400,-0,0.10",
  ],
  // What CSV wants quoted.
  [
    "a,b,c,d,e",
    '{"a":"x,y","b":"\\"","c":"\\n","d":" x ","e":"\\\\."}',
    '"x,y","""","\n", x ,"\\."',
  ],
  ["a", '{"a":"\\u00fc\\ud83d\\ude00\\u0041\\/"}', '"ü😀A/"'],
  ["a", '{"a":"ü😀"}', "ü😀"],
  // The last of a name counts, with all that is under it.
  ["a", '{"a":1,"a":2}', "2"],
  ["a.b, a.c", '{"a":{"b":1},"a":{"c":2}}', ",2"],
  ["a.b", '{"a":{"b":1},"a":null}', ""],
  ["a.b, a", '{"a":{"b":1},"a":"x"}', ",x"],
  ["a[0]", '{"a":[1],"a":[]}', ""],
  ["a.b", '{"a":{"b":1},"\\u0061":{"b":3}}', "3"],
  // The same name elsewhere is another field.
  ["a, b.a", '{"b":{"a":1,"b":{"a":2}},"c":{"a":3},"a":4}', "4,1"],
  [
    "name_of_more_than_thirty_two_bytes_1",
    '{"name_of_more_than_thirty_two_bytes_2":1,"name_of_more_than_thirty_two_bytes_1":2}',
    "2",
  ],
  [
    "name_of_16_bytes, name_of_15_byte",
    '{"name_of_16_byteS":0,"name_of_16_bytes":1,"name_of_15_byte":2}',
    "1,2",
  ],
];

Deno.test("JSON: each field as PostgreSQL's text, empty where there is none", none, () => {
  for (const [list, document, expected] of cases) {
    assert.equal(row(list, document), expected, `${list} of ${document}`);
  }
});

const wrong: [document: string | Uint8Array, why: RegExp, at: number][] = [
  ["", /ends too early/, 0],
  ["  ", /ends too early/, 2],
  ['{"a":1', /ends too early/, 6],
  ['{"a', /ends too early/, 3],
  ['{"', /ends too early/, 2],
  ['{"a":"x', /ends too early/, 7],
  ["[1,", /ends too early/, 3],
  ["tru", /a value is expected/, 0],
  ['{"a":1}x', /comes after its end/, 7],
  ["1 2", /comes after its end/, 2],
  ['{"a":1,}', /a name in quotes/, 7],
  ["{a:1}", /a name in quotes/, 1],
  ['{"a" 1}', /a colon/, 5],
  ['{"a":1 "b":2}', /a comma or a closing bracket/, 7],
  ['{"a":[1 2]}', /a comma or a closing bracket/, 8],
  ['{"x":[1}', /a comma or a closing bracket/, 7],
  ['{"x":{"y":1]}', /a comma or a closing bracket/, 11],
  ["[1,]", /a value is expected/, 3],
  ["[01]", /a comma or a closing bracket|a number is wrong/, 1],
  ["[-]", /a number is wrong/, 2],
  ["[1.]", /a number is wrong/, 3],
  ["[1e]", /a number is wrong/, 3],
  ["[.5]", /a value is expected/, 1],
  ["[+1]", /a value is expected/, 1],
  ["[NaN]", /a value is expected/, 1],
  ["[truE]", /a value is expected/, 1],
  ["[nullx]", /a comma or a closing bracket/, 5],
  ['["\t"]', /a control character/, 2],
  ['{"x":"\\q"}', /an escape is wrong/, 6],
  ['{"x":"\\u12g4"}', /an escape is wrong/, 6],
  ['{"x":"\\u0000"}', /\\u0000/, 6],
  ['{"x":"\\ud800"}', /surrogate/, 6],
  ['{"x":"\\ude00"}', /surrogate/, 6],
  ['{"x":"\\ud83dx"}', /surrogate/, 6],
  ['{"\\ud83d\\u0041":1}', /surrogate/, 2],
  [Uint8Array.of(0x22, 0x61, 0xff, 0x22), /not UTF-8/, 2],
  [Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22), /not UTF-8/, 1],
  [Uint8Array.of(0x22, 0xc3, 0x22), /not UTF-8/, 1],
  ["\ufeff{}", /a value is expected/, 0],
  ["{}\u00a0", /comes after its end/, 2],
];

Deno.test(
  "JSON: what is not valid is bad with its byte, also where no field is wanted",
  none,
  () => {
    for (const [document, why, at] of wrong) {
      for (const list of ["a", "x.y, x", "[0]", "."]) {
        const told = row(list, document);
        assert.match(told, why, `${list} of ${document}`);
        assert.equal(told.replace(/.*@/, ""), `${at}`, `${told}: ${list} of ${document}`);
      }
    }
  },
);

Deno.test("JSON: a line that is just \\. in a text is bad", none, () => {
  assert.match(row("a", '{"a":"x\\n\\\\.\\ny"}'), /would end the data/);
  assert.equal(row("b", '{"a":"x\\n\\\\.\\ny"}'), "");
});

Deno.test("JSON: the frame of a schema registry is stepped over", none, () => {
  const framed = (text: string) => Uint8Array.of(0, 0, 0, 0, 7, ...utf8.encode(text));
  assert.equal(row("a", framed('{"a":1}')), "1");
  assert.match(row("a", framed('{"a":x}')), /a value is expected @10/);
  assert.match(row("a", Uint8Array.of(0, 1)), /shorter than its Confluent frame @2/);
});

Deno.test("JSON: 10,000 levels deep, and no more than 65,536", none, () => {
  for (const [open, close] of [["[", "]"], ['{"a":', "}"]]) {
    const deep = (n: number) => open.repeat(n) + "1" + close.repeat(n);
    assert.equal(row("b", deep(10_000)), "");
    assert.equal(row("b", deep(65_536)), "");
    assert.match(row("b", deep(65_537)), /nested more than 65,536 levels deep/);
    assert.match(row("b", open.repeat(65_536)), /ends too early/);
    // The bracket that closes the outermost one is another.
    const other = close === "]" ? "}" : "]";
    const whole = `{"x":${deep(10_000)}}`;
    assert.match(row("b", whole.slice(0, -2) + other + "}"), /a comma or a closing bracket/);
  }
  const path = Array.from({ length: 500 }, () => "a").join(".");
  const document = '{"a":'.repeat(500) + '"found"' + "}".repeat(500);
  assert.equal(row(path, document), "found");
});

Deno.test("JSON: 1,000 paths, and names never met before", none, () => {
  const names = Array.from({ length: 1000 }, (_, i) => `some_prefix_${i}`);
  const list = names.map((name, i) => i % 2 === 0 ? name : `nested.${name}`).join(",");
  const maker = new RowMaker(jsonProgram(list));
  for (let round = 0; round < 3; round++) {
    const random = new Random(round);
    const top = random.shuffle([
      ...names.map((name, i) => `"${name}":${i}`),
      ...Array.from({ length: 300 }, (_, i) => `"unknown_${round}_${i}":{"some_prefix_1":0}`),
      `"nested":{${random.shuffle(names.map((name, i) => `"${name}":"${i}"`)).join(",")}}`,
    ]);
    const made = maker.values([utf8.encode(`{${top.join(",")}}`)]);
    assert.equal(linesOf(made), `${names.map((_, i) => i).join(",")}\n`);
  }
});

Deno.test("JSON: a document of 20 MB, its longest field too", none, () => {
  const long = '"x" '.repeat(5_000_000);
  const document = `{"a":${JSON.stringify(long)},"b":[${"1,".repeat(100_000)}2],"c":3}`;
  const made = new RowMaker(jsonProgram("c, a")).values([utf8.encode(document)]);
  assert.equal(linesOf(made), `3,"${long.replaceAll('"', '""')}"\n`);
});

/** Where the first byte is that is not of UTF-8; -1 if all are. */
function notUtf8At(bytes: Uint8Array): number {
  const strict = new TextDecoder("utf-8", { fatal: true });
  for (let at = 0; at < bytes.length;) {
    const size = [1, 2, 3, 4].find((n) => {
      try {
        return at + n <= bytes.length && strict.decode(bytes.subarray(at, at + n)) !== undefined;
      } catch {
        return false;
      }
    });
    if (size === undefined) return at;
    at += size;
  }
  return -1;
}

Deno.test("JSON: what is not UTF-8 is found at its byte, wherever it is", none, () => {
  const random = new Random(3);
  const sequences = [
    ...["a", "ü", "€", "😀", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\u{10ffff}", "  "]
      .map((text) => [...utf8.encode(text)]),
    ...[[0x80], [0xc0, 0x80], [0xc1, 0xbf], [0xc3], [0xe0, 0x9f, 0xbf], [0xed, 0xa0, 0x80]],
    ...[[0xf0, 0x8f, 0xbf, 0xbf], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xff]],
    ...[[0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xf0, 0x9f], [0xf8, 0x88, 0x80, 0x80, 0x80]],
  ];
  const values = Array.from({ length: 4000 }, () => {
    const bytes = [0x22];
    // Mostly of the first ones, which are fine.
    for (let n = random.int(0, 30); n > 0; n--) {
      bytes.push(...sequences[random.int(0, random.int(0, 25) === 0 ? sequences.length - 1 : 10)]);
    }
    return Uint8Array.of(...bytes, 0x22);
  });
  const { bad } = new RowMaker(jsonProgram(".")).values(values);
  const found = new Map(bad.map(({ index, why, at }) => [index, `${why} @${at}`]));
  for (const [index, value] of values.entries()) {
    const at = notUtf8At(value);
    assert.equal(found.get(index), at === -1 ? undefined : `is not UTF-8 @${at}`, `${value}`);
  }
  assert.ok(bad.length > 400 && bad.length < 3600, `${bad.length} are bad`);
});

const names = ["a", "b", "c", "x", "list", "deep", "ü", 'say "hi"', "long_name_of_a_field_here"];
const lists = ["a, b.c, list[1], .", "deep.deep.a, x[0].x, list", "nothing"];

Deno.test("JSON: random documents, as JSON.parse has them", none, () => {
  const random = new Random(1);
  const make = new RandomJson(random, { names, depth: 5, duplicates: true });
  const maker = new RowMaker(jsonProgram('a, b.c, list[1], deep.deep.a, "say ""hi""", ü'));
  const documents = Array.from({ length: 5000 }, () => make.document());
  const made = maker.values(documents.map((text) => utf8.encode(text)));
  const bad = new Map(made.bad.map(({ index, why }) => [index, why]));
  const rows = parse(linesOf(made), { relax_column_count: false }) as string[][];
  let at = 0;
  for (const [index, text] of documents.entries()) {
    if (bad.has(index)) {
      assert.match(bad.get(index)!, /would end the data/, text);
      continue;
    }
    const value = JSON.parse(text);
    const found = [
      value?.a,
      value?.b?.c,
      value?.list?.[1],
      value?.deep?.deep?.a,
      value?.['say "hi"'],
      value?.["ü"],
    ];
    for (const [i, field] of found.entries()) {
      const got = rows[at][i];
      // A name of a text, and an index of one, are not paths of JSON.
      if (typeof field === "string" && (i !== 2 || Array.isArray(value.list))) {
        assert.equal(got, field, text);
      } else if (field === null || field === undefined) assert.equal(got, "", text);
      else if (typeof field !== "string") assert.deepEqual(JSON.parse(got), field, text);
    }
    at++;
  }
  assert.equal(at, rows.length);
});

/** Whether JSON.parse accepts it; after a frame, as no JSON starts with a NUL byte. */
function isJson(value: Uint8Array): boolean {
  const bytes = value[0] === 0 ? value.subarray(5) : value;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    JSON.parse(text);
  } catch {
    return false;
  }
  return true;
}

Deno.test("JSON: truncated and flipped documents are rows or bad, as JSON.parse says", none, () => {
  const random = new Random(2);
  const make = new RandomJson(random, { names, depth: 4, duplicates: true });
  for (const list of lists) {
    const maker = new RowMaker(jsonProgram(list));
    const values: Uint8Array[] = [];
    for (let i = 0; i < 300; i++) {
      const bytes = utf8.encode(make.document());
      values.push(bytes);
      for (let k = 0; k < 20; k++) {
        const changed = bytes.slice();
        const at = random.int(0, changed.length - 1);
        if (random.int(0, 2) > 0) changed[at] ^= 1 << random.int(0, 7);
        else changed[at] = random.int(0, 255);
        values.push(changed, bytes.subarray(0, at));
      }
    }
    const { bad } = maker.values(values);
    const why = new Map(bad.map((one) => [one.index, one]));
    for (const [index, value] of values.entries()) {
      const told = why.get(index);
      if (told === undefined) assert.ok(isJson(value), `${list} of ${text(value)}`);
      else if (!/no text can hold|end the data/.test(told.why)) {
        assert.ok(!isJson(value), `${told.why} @${told.at}: ${text(value)}`);
        assert.ok(told.at >= 0 && told.at <= value.length, `${told.at}: ${text(value)}`);
      }
    }
  }
});

const text = (bytes: Uint8Array) => JSON.stringify(new TextDecoder().decode(bytes));
