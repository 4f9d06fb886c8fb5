import assert from "node:assert/strict";
import { Random } from "../../support/random.ts";
import { logical, optionsOf, valuesOf } from "./avro_support.ts";
import { bytesOf, packAll } from "./support.ts";

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
