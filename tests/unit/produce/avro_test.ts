import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import avsc from "avsc";
import type { ProduceOptions } from "../../../lib/produce/options.ts";
import { parseAvroSchema } from "../../../lib/records/avro_schema.ts";
import type { RecordType } from "../../../lib/records/avro_types.ts";
import { Random } from "../../support/random.ts";
import { bytesOf, NULL_VALUE, packAll } from "./support.ts";

const utf8 = new TextEncoder();

/** Options that write the columns a, b, … by a schema of these types. */
function optionsOf(types: unknown[], more: Partial<ProduceOptions> = {}): Partial<ProduceOptions> {
  const names = types.map((_, i) => "abcdefghijklmnop"[i]);
  const schema = schemaOf(types);
  const record = parseAvroSchema(JSON.stringify(schema)) as RecordType;
  return {
    ...{ split: "csv", value: "avro", schema: { record, id: 258 } },
    columns: names.map((name) => ({ name, type: "text" })),
    ...more,
  };
}

function schemaOf(types: unknown[]) {
  const fields = types.map((type, i) => ({ name: "abcdefghijklmnop"[i], type }));
  return { type: "record" as const, name: "R", fields };
}

/** What avsc, which shares nothing with the code under test, reads of framed values. */
function read(types: unknown[], values: readonly string[]): unknown[][] {
  const type = avsc.Type.forSchema(schemaOf(types) as never, {
    wrapUnions: false,
    noAnonymousTypes: false,
  });
  return values.map((value) => {
    const bytes = Buffer.from(bytesOf(value));
    assert.deepEqual([...bytes.subarray(0, 5)], [0, 0, 0, 1, 2]);
    return Object.values(type.fromBuffer(bytes.subarray(5)) as Record<string, unknown>);
  });
}

/** The values that a column of this type has for these texts. */
async function valuesOf(type: unknown, texts: readonly string[]): Promise<unknown[]> {
  const { rows } = await packAll(
    [utf8.encode(texts.map((text) => `${text}\n`).join(""))],
    optionsOf([type]),
    1,
  );
  return read([type], rows.map(({ value }) => value)).map(([value]) => value);
}

const csv = (text: string) => `"${text.replaceAll('"', '""')}"`;
const logical = (type: string, logicalType: string, more = {}) => ({ type, logicalType, ...more });

Deno.test("avro: whole numbers to the ends of their ranges", async () => {
  const ints = [
    "0",
    "-0",
    "1",
    "-1",
    "63",
    "64",
    "-64",
    "-65",
    "2147483647",
    "-2147483648",
    '"7"',
    "007",
  ];
  assert.deepEqual(
    await valuesOf("int", ints),
    ints.map((text) => Number(text.replaceAll('"', "")) + 0),
  );
  const longs = ["4503599627370495", "-4503599627370495", "1", "-1"];
  assert.deepEqual(await valuesOf("long", longs), longs.map(Number));
  // avsc has no numbers of 64 bits: these are compared as bytes.
  const { rows } = await packAll(
    [bytesOf("9223372036854775807\n-9223372036854775808\n")],
    optionsOf(["long"]),
    1,
  );
  assert.deepEqual(rows.map(({ value }) => [...bytesOf(value.slice(5))]), [
    [254, ...Array(8).fill(255), 1],
    [255, ...Array(8).fill(255), 1],
  ]);
});

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

Deno.test("avro: doubles are the nearest ones, floats too", async () => {
  const random = new Random(1);
  const buffer = new DataView(new ArrayBuffer(8));
  const texts = [
    ...[
      "0",
      "-0",
      "1",
      "0.1",
      "-2.5e-3",
      "1e22",
      "1e23",
      "123456789012345678901234567890",
      "5e-324",
    ],
    ...[
      "2.4703282292062327e-324",
      "2.4703282292062328e-324",
      "1.7976931348623157e308",
      "1e-400",
      "0e999",
    ],
    ...[
      "2.2250738585072011e-308",
      "2.2250738585072014e-308",
      "9007199254740993",
      "9007199254740992.5",
    ],
    ...[
      "1.00000000000000011102230246251565404236316680908203125",
      "0.000",
      "8.5",
      "100000000000000016777215",
    ],
    `1.00000000000000011102230246251565404236316680908203125${"0".repeat(800)}1`,
    `0.${"0".repeat(320)}123456789${"7".repeat(900)}`,
    `${"9".repeat(300)}.${"9".repeat(900)}`,
    ...Array.from({ length: 20_000 }, () => {
      for (let i = 0; i < 8; i++) buffer.setUint8(i, random.int(0, 255));
      const x = buffer.getFloat64(0);
      return Number.isFinite(x) ? `${x}` : "1";
    }),
    ...Array.from(
      { length: 5_000 },
      () =>
        `${random.int(0, 1) === 0 ? "-" : ""}${random.int(0, 2 ** 31)}${random.int(0, 2 ** 31)}.${
          random.int(0, 2 ** 31)
        }e${random.int(-330, 280)}`,
    ),
  ].map((text) => text.replace("e+", "e"));
  const found = await valuesOf("double", texts);
  for (const [i, text] of texts.entries()) {
    assert.ok(Object.is(found[i], Number(text)), `${text}: ${found[i]}`);
  }
  const short = texts.filter((text) => Math.abs(Number(text)) < 3e38).slice(0, 5_000);
  assert.deepEqual(await valuesOf("float", short), short.map((text) => Math.fround(Number(text))));
  assert.deepEqual(await valuesOf("double", ["NaN", "Infinity", "-Infinity"]), [
    NaN,
    Infinity,
    -Infinity,
  ]);
  assert.deepEqual(await valuesOf("float", ["NaN", "Infinity", "-Infinity"]), [
    NaN,
    Infinity,
    -Infinity,
  ]);
});

Deno.test("avro: decimals are their digits, whatever their length", async () => {
  const random = new Random(2);
  const digits = (size: number) => Array.from({ length: size }, () => random.int(0, 9)).join("");
  const texts = [
    ...[
      "0",
      "-0.00",
      "0.01",
      "-0.01",
      "1.27",
      "1.28",
      "-1.28",
      "-1.29",
      "2.55",
      "327.67",
      "-327.68",
      "12",
      "1.5",
    ],
    ...Array.from(
      { length: 500 },
      () =>
        `${random.int(0, 1) ? "-" : ""}${random.int(0, 9)}${digits(random.int(0, 200))}.${
          digits(2)
        }`,
    ),
    `${digits(990)}.00`,
    "1.5000",
  ];
  const type = logical("bytes", "decimal", { precision: 1000, scale: 2 });
  const found = await valuesOf(type, texts) as Uint8Array[];
  for (const [i, text] of texts.entries()) {
    const [, sign, whole, fraction = ""] = /^(-?)(\d+)\.?(\d*)$/.exec(text)!;
    const unscaled = BigInt(`${sign}${whole}${fraction.slice(0, 2).padEnd(2, "0")}`);
    const hex = [...found[i]].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    assert.equal(BigInt.asIntN(8 * found[i].length, BigInt(`0x${hex}`)), unscaled, text);
    // No byte more than the number takes.
    const shorter = BigInt.asIntN(8 * found[i].length - 8, unscaled);
    assert.ok(found[i].length === 1 || shorter !== unscaled, text);
  }
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
