import assert from "node:assert/strict";
import type { ConsumeOptions } from "../../../lib/consume/options.ts";
import { type CsvDialect, standardCsv } from "../../../lib/records/dialect.ts";
import { makeRowsOf, type Value } from "../../support/made_rows.ts";
import { Random } from "../../support/random.ts";

const none = { permissions: "none" } as const;
const utf8 = new TextEncoder();

/** A value, and its rows or why it is bad. */
type Case = [value: Value, rows: string[] | string];

function check(cases: readonly Case[], options: Partial<ConsumeOptions>): void {
  const good = cases.filter((one): one is [Value, string[]] => typeof one[1] !== "string");
  const text = good.flatMap(([, rows]) => rows.map((row) => `${row}\n`)).join("");
  const letters: Partial<ConsumeOptions> = { ...options, badRecord: { deadLetter: "letters" } };
  for (const [one, apart] of [[options, false], [options, true], [letters, false]] as const) {
    const made = makeRowsOf(cases.map(([value]) => value), one, { apart });
    assert.equal(made.text, text);
    assert.equal(made.done, cases.length);
    assert.equal(made.counts.records, good.length);
    assert.equal(made.counts.rows, good.flatMap(([, rows]) => rows).length);
    assert.deepEqual(
      made.bad.map(({ offset, why }) => [offset, why]),
      cases.flatMap(([, why], offset) =>
        typeof why === "string" ? [[offset, `the value ${why}`]] : []
      ),
    );
  }
}

const EMPTY = "is empty: Greenplum would miss its columns";
const NEWLINE = "holds a newline outside quotes";
const CR = "holds a carriage return outside quotes";
const END_MARK = "holds a line that is just \\., which would end the data";

const trimmed: Case[] = [
  ["1,a", ["1,a"]],
  ["1,a\n", ["1,a"]],
  ["1,a\r\n", ["1,a"]],
  ['1,"a\n"\n', ['1,"a\n"']],
  ['1,"a\r\nb"\r\n', ['1,"a\r\nb"']],
  ["é\n", ["é"]],
  ["1,a\n\n", NEWLINE],
  ["1,a\r\n\r\n", CR],
  ["1,a\r", CR],
  ["1,a\n\r", NEWLINE],
  ["1\n2\n", NEWLINE],
  ["\n", EMPTY],
  ["\r\n", EMPTY],
  ["", EMPTY],
  ["\\.\n", END_MARK],
  ["\\.\r\n", END_MARK],
  ['"a\n\\.\n"\n', END_MARK],
  ['1,"open\n', "has an odd number of quotes"],
  ["a\0\n", "holds a NUL byte"],
  [Uint8Array.of(0xff, 10), "is not UTF-8"],
];

Deno.test("row: a line end at a value's end is not a second row", none, () => {
  check(trimmed, {});
});

Deno.test("row: the same at every length, before and after other values", none, () => {
  for (let size = 1; size <= 70; size++) {
    const row = "x".repeat(size);
    check([[`${row}\n`, [row]], [row, [row]], [`${row}\r\n`, [row]], [`${row}\n`, [row]]], {});
    check([[`"${row}\n"\n`, [`"${row}\n"`]], ["1", ["1"]]], {});
  }
});

Deno.test("row: with columns, too; the dead letter is the record as it was", none, () => {
  const made = makeRowsOf(["a\n", '"b\nc"\r\n', "d\n\n"], {
    columns: ["offset"],
    badRecord: { deadLetter: "letters" },
  });
  assert.equal(made.text, '0,a\n1,"b\nc"\n');
  const [{ record, why }] = made.bad;
  assert.equal(why, `the value ${NEWLINE}`);
  // Length, attributes, time, offset, key, then the value's length and bytes, and no headers.
  assert.deepEqual([...record!.slice(-5)], [6, 0x64, 10, 10, 0]);
});

Deno.test("row: --bad-record pass, field and hex keep every byte", none, () => {
  const values = ["a\n", "\r\n", "b\r\n", ""];
  assert.equal(makeRowsOf(values, { badRecord: "pass" }).text, "a\n\n\r\n\nb\r\n\n\n");
  const pass: Partial<ConsumeOptions> = { badRecord: "pass", columns: ["partition"] };
  assert.equal(makeRowsOf(values, pass).text, "7,a\n\n7,\r\n\n7,b\r\n\n7,\n");
  assert.equal(makeRowsOf(values, { value: "field" }).text, '"a\n"\n"\r\n"\n"b\r\n"\n""\n');
  assert.equal(makeRowsOf(["a\n"], { value: "hex" }).text, "\\x610a\n");
});

const several: Case[] = [
  ["1,a\n2,b", ["1,a", "2,b"]],
  ["1,a\r\n2,b\r\n", ["1,a", "2,b"]],
  ["1,a\n", ["1,a"]],
  ['1,"a\n"\n2,"""\r\n"\n3,', ['1,"a\n"', '2,"""\r\n"', "3,"]],
  ["é\nü", ["é", "ü"]],
  ["", EMPTY],
  ["\n", EMPTY],
  ["1\n\n2", "holds an empty row"],
  ["1\n\n", "holds an empty row"],
  ["\n1", "holds an empty row"],
  ["1\r\n\r\n", "holds an empty row"],
  ["1\r2", CR],
  ["1\n2\r", CR],
  ['1\n2,"open\n3', "has a quote that is not closed"],
  ["1\n\\.\n2", END_MARK],
  ["1\n\\.", END_MARK],
  ["\\.\n1", END_MARK],
  ['1\n"a\n\\.\nb"', END_MARK],
  ['"a\n\\."', ['"a\n\\."']],
  ["1\n2\0", "holds a NUL byte"],
  [Uint8Array.of(0x31, 10, 0xff), "is not UTF-8"],
];

Deno.test("rows: each row of a value is one; a value with a bad one is bad", none, () => {
  check(several, { value: "rows" });
});

Deno.test("rows: of every length, with and without quotes", none, () => {
  const random = new Random(3);
  for (let round = 0; round < 300; round++) {
    const values = Array.from({ length: 5 }, (): [Value, string[]] => {
      const rows = Array.from({ length: random.int(1, 6) }, () => {
        const text = "x".repeat(random.int(0, 40));
        return random.int(0, 1) === 0
          ? `"${text}${["\n", "\r\n", '""', "é"][random.int(0, 3)]}"`
          : `${text}y`;
      });
      const end = ["\n", "\r\n"][random.int(0, 1)];
      return [rows.join(end) + (random.int(0, 1) === 0 ? end : ""), rows];
    });
    check(values, { value: "rows" });
  }
});

Deno.test("rows: each has the columns of its record; records are counted apart", none, () => {
  const options: Partial<ConsumeOptions> = { value: "rows", columns: ["key", "offset"] };
  const made = makeRowsOf(["a\nb\nc", "d\n", null, "e\n\n", "f\ng"], options, {
    keys: ["k,1", null, "k", "k", ""],
  });
  assert.equal(made.text, '"k,1",0,a\n"k,1",0,b\n"k,1",0,c\n,1,d\n"",4,f\n"",4,g\n');
  assert.deepEqual(made.counts, { records: 3, rows: 6, skipped: 1, tombstones: 1 });
});

Deno.test("rows: --max-records counts records, and none is cut", none, () => {
  const made = makeRowsOf(["a\nb", "c\nd", "e"], { value: "rows", maxRecords: 2 });
  assert.equal(made.text, "a\nb\nc\nd\n");
  assert.equal(made.done, 2);
});

Deno.test("rows: a long key before each of many rows gets the room that takes", none, () => {
  const key = "k".repeat(20_000);
  const value = "r\n".repeat(2_000);
  const made = makeRowsOf(["x", value, "y"], { value: "rows", columns: ["key"] }, {
    keys: ["", key, ""],
  });
  assert.equal(made.bytes.length, '"",x\n'.length * 2 + 2_000 * (key.length + '"",r\n'.length));
  assert.deepEqual(made.counts, { records: 3, rows: 2_002, skipped: 0, tombstones: 0 });
  // What no memory is allowed for is named.
  assert.throws(
    () =>
      makeRowsOf([value], { value: "rows", columns: ["key"], memoryMax: 16 * 1024 * 1024 }, {
        keys: [key],
      }),
    /topic "t" partition 7 base offset 0: a record of the batch/,
  );
});

const other: CsvDialect = {
  delimiter: ";",
  quote: "'",
  escape: "\\",
  null: "\\N",
  encoding: "latin1",
};

const latin1 = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

Deno.test("csv: each part of a dialect becomes the standard's", none, () => {
  check([
    ["1;a", ["1,a"]],
    ["1;\\N;", ['1,,""']],
    ["\\N", [""]],
    ["'\\N';''", ['"\\N",""']],
    ["a,b;c\"d;'e\"f'", ['"a,b","c""d","e""f"']],
    ["'it\\'s';'a\\\\b';'c\\d';e\\'f'", ['"it\'s","a\\b","c\\d","e\\f"']],
    ["ab'c;d'ef", ['"abc;def"']],
    ["'two\nlines\r\n';x", ['"two\nlines\r\n",x']],
    ["1;a\n", ["1,a"]],
    ["1;a\r\n", ["1,a"]],
    [latin1("\xe9;'\xfc;'"), ['é,"ü;"']],
    [latin1("\xff\x80"), ["ÿ\u0080"]],
    ["\\.", ['"\\."']],
    ["\\.;1", ["\\.,1"]],
    ["'a\n\\.\nb'", END_MARK],
    ["", EMPTY],
    ["\n", EMPTY],
    ["1;a\n2;b", NEWLINE],
    ["1;a\r", CR],
    ["1;'open", "has a quote that is not closed"],
    ["1;'open\\'", "has a quote that is not closed"],
    ["1;\0", "holds a NUL byte"],
  ], { csv: other });
});

Deno.test("csv: several rows of it, and columns before each", none, () => {
  const cases: Case[] = [
    ["1;a\n2;'b\n'\n", ["1,a", '2,"b\n"']],
    ["1;'\\'\n2'\r\n\\N", ['1,"\'\n2"', ""]],
    ["1\n\n2", "holds an empty row"],
  ];
  check(cases, { csv: other, value: "rows" });
  const made = makeRowsOf(["1;\\N\n2;b"], { csv: other, value: "rows", columns: ["offset"] });
  assert.equal(made.text, '0,1,\n0,2,"b"\n'.replace('"b"', "b"));
});

Deno.test("csv: tabs, no quotes, and other nulls", none, () => {
  const tabs: CsvDialect = {
    ...standardCsv,
    delimiter: "\t",
    quote: null,
    escape: null,
    null: "NULL",
  };
  check([
    ['a\t"b"\tNULL\t', ['a,"""b""",,""']],
    ["a,b\tc'd", ['"a,b",c\'d']],
    ["é\t\\N", ["é,\\N"]],
    [Uint8Array.of(0xe9), "is not UTF-8"],
  ], { csv: tabs });
  check([["1,,NULL", ['1,"",']], ['"NULL",x', ['"NULL",x']]], {
    csv: { ...standardCsv, null: "NULL" },
  });
});

/** A field in the dialect. */
function written(text: string | null, { quote, escape, null: nil }: CsvDialect): string {
  if (text === null) return nil;
  if (quote === null) return text;
  const inside = text.replaceAll(/['\\"^]/g, (c) => c === quote || c === escape ? escape + c : c);
  return `${quote}${inside}${quote}`;
}

/** The fields of a standard row, NULL told from an empty string. */
function read(row: string): (string | null)[] {
  const fields = [...`,${row}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^,]*))/gs)];
  return fields.map(([, quoted, plain]) =>
    quoted?.replaceAll('""', '"') ?? (plain === "" ? null : plain)
  );
}

Deno.test("csv: random fields of every dialect are read back", none, () => {
  const random = new Random(9);
  const dialects: CsvDialect[] = [
    other,
    { ...other, escape: "'" },
    { ...other, encoding: "utf8", delimiter: "|", escape: "^" },
    { ...standardCsv, null: "\\N" },
    { ...standardCsv, escape: "\\" },
  ];
  const alphabet = [
    "a",
    "b",
    "'",
    '"',
    ";",
    ",",
    "|",
    "\\",
    "^",
    "\n",
    "\r\n",
    " ",
    "é",
    "\\N",
    "x".repeat(17),
  ];
  for (const csv of dialects) {
    for (let round = 0; round < 200; round++) {
      const rows = Array.from(
        { length: 4 },
        () =>
          Array.from({ length: random.int(1, 5) }, () => {
            if (random.int(0, 5) === 0) return null;
            const size = random.int(0, 12);
            return Array.from({ length: size }, () => alphabet[random.int(0, alphabet.length - 1)])
              .join("");
          }),
      );
      const values = rows.map((row) => {
        const text = row.map((field) => written(field, csv)).join(csv.delimiter);
        return csv.encoding === "latin1" ? latin1(text) : utf8.encode(text);
      }).map((bytes) => bytes.length === 0 ? utf8.encode("x") : bytes);
      const found = makeRowsOf(values, { csv });
      const whole = makeRowsOf(
        [values.flatMap((bytes, i) => i > 0 ? [10, ...bytes] : [...bytes])].map((bytes) =>
          Uint8Array.from(bytes)
        ),
        { csv, value: "rows" },
      );
      assert.deepEqual(whole.bad.map(({ why }) => [why, csv]), []);
      assert.equal(whole.text, found.text);
      assert.equal(found.bad.length, 0);
      const expected = rows.map((row) =>
        csv.null === "" && row.length === 1 && row[0] === null ? ["x"] : row
      );
      let rest = found.text;
      for (const row of expected) {
        // A row ends at the first newline outside quotes.
        const [line] = /^(?:"(?:[^"]|"")*"|[^"\n])*\n/s.exec(rest)!;
        assert.deepEqual(read(line.slice(0, -1)), row);
        rest = rest.slice(line.length);
      }
      assert.equal(rest, "");
    }
  }
});

Deno.test("csv: any bytes are a row or a bad record, and no other value suffers", none, () => {
  const random = new Random(21);
  const bytes = [...utf8.encode("a;,'\"\\\r\nN.\0"), 0xe9, 0xff, 0xc3, 0xa9];
  for (let round = 0; round < 300; round++) {
    const values = Array.from(
      { length: 20 },
      () =>
        Uint8Array.from(
          { length: random.int(0, 40) },
          () => bytes[random.int(0, bytes.length - 1)],
        ),
    ).flatMap((value) => [value, utf8.encode("fine;1")]);
    for (const value of ["row", "rows"] as const) {
      for (const csv of [null, other, { ...other, encoding: "utf8" as const }]) {
        const { text, counts } = makeRowsOf(values, { csv, value, columns: ["offset"] });
        assert.equal(counts.records + counts.skipped, values.length);
        for (let offset = 1; offset < values.length; offset += 2) {
          assert.ok(`\n${text}`.includes(`\n${offset},fine${csv === null ? ";" : ","}1\n`));
        }
      }
    }
  }
});
