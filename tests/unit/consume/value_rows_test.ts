import assert from "node:assert/strict";
import type { ConsumeOptions } from "../../../lib/consume/options.ts";
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
  checkRows(trimmed, {});
});

Deno.test("row: the same at every length, before and after other values", none, () => {
  for (let size = 1; size <= 70; size++) {
    const row = "x".repeat(size);
    checkRows([[`${row}\n`, [row]], [row, [row]], [`${row}\r\n`, [row]], [`${row}\n`, [row]]], {});
    checkRows([[`"${row}\n"\n`, [`"${row}\n"`]], ["1", ["1"]]], {});
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
  checkRows(several, { value: "rows" });
});

Deno.test("rows: of every length, with and without quotes", none, () => {
  const random = new Random(3);
  for (let round = 0; round < 300; round++) {
    const values = Array.from({ length: 5 }, (): [string, string[]] => {
      const rows = Array.from({ length: random.int(1, 6) }, () => {
        const text = "x".repeat(random.int(0, 40));
        return random.int(0, 1) === 0
          ? `"${text}${["\n", "\r\n", '""', "é"][random.int(0, 3)]}"`
          : `${text}y`;
      });
      const end = ["\n", "\r\n"][random.int(0, 1)];
      return [rows.join(end) + (random.int(0, 1) === 0 ? end : ""), rows];
    });
    checkRows(values, { value: "rows" });
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
