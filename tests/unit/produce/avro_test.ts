import assert from "node:assert/strict";
import { csv, logical, optionsOf, read, valuesOf } from "./avro_support.ts";
import { bytesOf, NULL_VALUE, packAll } from "./support.ts";

const utf8 = new TextEncoder();

Deno.test("avro: booleans, text, bytes, enums, fixed", async () => {
  assert.deepEqual(await valuesOf("boolean", ["t", "f", "true", '"false"']), [
    true,
    false,
    true,
    false,
  ]);
  const texts = ["a", 'é,"😀\n', "", "x".repeat(1000), "'"];
  assert.deepEqual(await valuesOf("string", texts.map(csv)), texts);
  const bytes = await valuesOf("bytes", ["\\x00fF10", "\\x"]) as Uint8Array[];
  assert.deepEqual(bytes.map((one) => [...one]), [[0, 255, 16], []]);
  assert.deepEqual(
    await valuesOf({ type: "enum", name: "E", symbols: ["NEW", "PAID", "OLD"] }, [
      "PAID",
      "OLD",
      "NEW",
    ]),
    ["PAID", "OLD", "NEW"],
  );
  const [fixed] = await valuesOf({ type: "fixed", name: "F", size: 3 }, [
    "\\x010203",
  ]) as Uint8Array[];
  assert.deepEqual([...fixed], [1, 2, 3]);
});

Deno.test("avro: null in unions of either order, and fields that no column has", async () => {
  const types = [["null", "int"], ["string", "null"], ["null", logical("int", "date")], [
    "null",
    "long",
  ]];
  const options = optionsOf(types);
  options.columns = options.columns!.filter(({ name }) => name !== "c").toReversed();
  const { rows } = await packAll([utf8.encode('7,x,1\n,,\n,"",-5\n')], options, 1);
  assert.deepEqual(read(types, rows.map(({ value }) => value)), [
    [1, "x", null, 7],
    [null, null, null, null],
    [-5, "", null, null],
  ]);
});

Deno.test("avro: dates and times are PostgreSQL's", async () => {
  const dates = [
    "1970-01-01",
    "1969-12-31",
    "2000-02-29",
    "0001-01-01",
    "9999-12-31",
    "2026-11-26",
    "1900-03-01",
  ];
  assert.deepEqual(
    await valuesOf(logical("int", "date"), dates),
    dates.map((date) => Date.parse(`${date}T00:00:00Z`) / 86_400_000),
  );
  const times: [string, number][] = [
    ["1970-01-01 00:00:00+00", 0],
    ["2026-01-31 12:34:56.789+00", Date.UTC(2026, 0, 31, 12, 34, 56, 789)],
    ["2026-01-31T12:34:56.789Z", Date.UTC(2026, 0, 31, 12, 34, 56, 789)],
    ["2026-01-31 12:34:56.5", Date.UTC(2026, 0, 31, 12, 34, 56, 500)],
    ["2026-01-31 12:34:56+05:30", Date.UTC(2026, 0, 31, 7, 4, 56)],
    ["2026-01-31 12:34:56-0330", Date.UTC(2026, 0, 31, 16, 4, 56)],
    ["1969-12-31 23:59:59.999+00", -1],
    ["1916-01-01 00:00:00+00:53:28", Date.UTC(1915, 11, 31, 23, 6, 32)],
    ["2026-01-31 12:34:56.7890000+02", Date.UTC(2026, 0, 31, 10, 34, 56, 789)],
  ];
  const texts = times.map(([text]) => text);
  const millis = times.map(([, time]) => time);
  assert.deepEqual(
    (await valuesOf(logical("long", "timestamp-millis"), texts)).map(Number),
    millis,
  );
  const micros = await valuesOf(logical("long", "timestamp-micros"), [
    ...texts,
    "1970-01-01 00:00:00.000001",
  ]);
  assert.deepEqual(micros.map(Number), [...millis.map((time) => time * 1000), 1]);
  const local = ["2026-01-31 12:34:56.5", "1969-12-31 23:59:59.999"];
  const localMillis = await valuesOf(logical("long", "local-timestamp-millis"), local);
  assert.deepEqual(localMillis.map(Number), [Date.UTC(2026, 0, 31, 12, 34, 56, 500), -1]);
  const clocks = ["00:00:00", "23:59:59.999", "01:02:03.5"];
  const clockMillis = [0, 86_399_999, 3_723_500];
  assert.deepEqual(await valuesOf(logical("int", "time-millis"), clocks), clockMillis);
  const clockMicros = await valuesOf(logical("long", "time-micros"), clocks);
  assert.deepEqual(clockMicros.map(Number), clockMillis.map((time) => time * 1000));
});

Deno.test("avro: what a type cannot hold is a bad row that is named", async () => {
  const timestamp = logical("long", "timestamp-millis");
  const cases: [type: unknown, texts: string[], why: string][] = [
    ["int", [
      "",
      "2147483648",
      "-2147483649",
      "1.0",
      "x",
      '""',
      "-",
      "+1",
      " 1",
      "99999999999999999999",
    ], "whole number of 32"],
    [
      "long",
      ["9223372036854775808", "-9223372036854775809", "1e3", "12345678901234567890"],
      "whole number of 64 bits",
    ],
    [
      "double",
      ["x", "1e309", "-1e400", ".5", "1.", "inf", "nan", '""', "0x10"],
      "within the range of its type",
    ],
    ["float", ["3.5e38", "1e39", "x"], "within the range of its type"],
    ["boolean", ["T", "yes", '""'], "is not one of t, f, true, false"],
    ["bytes", ["00", "\\x0", "\\x0g"], "is not \\x and hexadecimal digits"],
    [
      { type: "fixed", name: "F", size: 2 },
      ["\\x00", "\\x000000", "00"],
      "as many bytes as the schema says",
    ],
    [
      { type: "enum", name: "E", symbols: ["A"] },
      ["B", "a", '""', "AA"],
      "is not one of the schema's symbols",
    ],
    [logical("bytes", "decimal", { precision: 6, scale: 2 }), [
      "12345.67",
      "123456789.99",
      "10000",
    ], "is not a decimal"],
    [logical("bytes", "decimal", { precision: 9, scale: 2 }), [
      "1.234",
      "x",
      "1e2",
      "-",
      ".5",
      "1.",
      "1.2.3",
      '""',
      "NaN",
    ], "is not a decimal"],
    [logical("int", "date"), [
      "2026-02-29",
      "2026-13-01",
      "0000-01-01",
      "10000-01-01",
      "2026-1-1",
      "2026-01-01x",
      "infinity",
    ], "is not a date of"],
    [timestamp, [
      "2026-01-31",
      "2026-01-31 24:00:00",
      "2026-01-31 12:00:60",
      "2026-01-31 12:00:00.",
      "2026-01-31 12:00:00+",
      "2026-01-31 12:00:00+25",
      "infinity",
    ], "is not a date and time"],
    [timestamp, ["2026-01-31 12:00:00.0001"], "more digits of a second"],
    [
      logical("long", "local-timestamp-micros"),
      ["2026-01-31 12:00:00+00"],
      "is not a date and time",
    ],
    [logical("int", "time-millis"), ["24:00:00", "1:00:00", "12:00"], "is not a time of day"],
    ["string", ["\xff", '"a\xc3"'], "is not UTF-8"],
  ];
  for (const [type, texts, why] of cases) {
    for (const text of texts) {
      // Two columns: an empty one alone would be an empty line.
      const options = optionsOf([type, "string"], { badRecord: "skip" });
      const { rows, log } = await packAll([bytesOf(`${text},x\n`)], options, 1);
      const expected = text === "" ? "is empty, and the schema has no null for it" : why;
      assert.equal(rows.length, 0, `${JSON.stringify(type)} ${text}`);
      assert.ok(
        log[0].startsWith('stdin line 1 column 1 "a" ') && log[0].includes(expected),
        log[0],
      );
    }
  }
});

Deno.test("avro: a row of nothing but its key is a tombstone, whatever the schema requires", async () => {
  const options = optionsOf(["string", "int"], {
    key: { column: 1, cut: true },
    tombstones: true,
  });
  options.columns = [{ name: "id", type: "text" }, ...options.columns!];
  const { rows } = await packAll([bytesOf("k,x,1\nk,,\n")], options, 1);
  assert.deepEqual(rows.map(({ key, value }) => [key, value.slice(5)]), [["k", "\x02x\x02"], [
    "k",
    NULL_VALUE.slice(5),
  ]]);
  await assert.rejects(
    packAll([bytesOf(",,\n")], options, 1),
    /column 2 "a" is empty, and the schema/,
  );
});

Deno.test("avro: a schema or columns that cannot be written are named", async () => {
  const cases: [types: unknown[], columns: string[], why: RegExp][] = [
    [[{ type: "array", items: "int" }], ["a"], /the field "a" is of type array, which a CSV field/],
    [
      [["null", "int", "string"]],
      ["a"],
      /the field "a" is a union that is not of null and one type/,
    ],
    [[logical("long", "timestamp-nanos")], ["a"], /the field "a" is a timestamp-nanos, which/],
    [["int", "int"], ["a"], /the schema's field "b" is not among them/],
    [["int"], ["a", "b"], /the schema has no field "b" — it has a/],
  ];
  for (const [types, names, why] of cases) {
    const options = optionsOf(types);
    options.columns = names.map((name) => ({ name, type: "text" }));
    await assert.rejects(packAll([bytesOf("1\n")], options, 1), why);
  }
});
