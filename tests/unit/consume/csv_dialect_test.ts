import assert from "node:assert/strict";
import { type CsvDialect, standardCsv } from "../../../lib/records/dialect.ts";
import {
  type Case,
  checkRows,
  CR,
  EMPTY,
  END_MARK,
  makeRowsOf,
  NEWLINE,
} from "../../support/made_rows.ts";
import { Random } from "../../support/random.ts";

const none = { permissions: "none" } as const;
const utf8 = new TextEncoder();

const other: CsvDialect = {
  delimiter: ";",
  quote: "'",
  escape: "\\",
  null: "\\N",
  encoding: "latin1",
};

const latin1 = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

Deno.test("csv: each part of a dialect becomes the standard's", none, () => {
  checkRows([
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

Deno.test(
  "csv: outside of quotes an escape is a character, and quoted if it is a comma or a quote",
  none,
  () => {
    const comma = { ...other, escape: ",", encoding: "utf8" } as const;
    checkRows([
      ["1,2;a", ['"1,2",a']],
      [",", ['","']],
      ["'a,'b';x,", ['"a\'b","x,"']],
    ], { csv: comma });
    checkRows([
      ['1";a', ['"1""",a']],
      ['"', ['""""']],
      ["'a\"'b';x", ['"a\'b",x']],
    ], { csv: { ...comma, escape: '"' } });
  },
);

Deno.test("csv: several rows of it, and columns before each", none, () => {
  const cases: Case[] = [
    ["1;a\n2;'b\n'\n", ["1,a", '2,"b\n"']],
    ["1;'\\'\n2'\r\n\\N", ['1,"\'\n2"', ""]],
    ["1\n\n2", "holds an empty row"],
  ];
  checkRows(cases, { csv: other, value: "rows" });
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
  checkRows([
    ['a\t"b"\tNULL\t', ['a,"""b""",,""']],
    ["a,b\tc'd", ['"a,b",c\'d']],
    ["é\t\\N", ["é,\\N"]],
    [Uint8Array.of(0xe9), "is not UTF-8"],
  ], { csv: tabs });
  checkRows([["1,,NULL", ['1,"",']], ['"NULL",x', ['"NULL",x']]], {
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
