import assert from "node:assert/strict";
import { Kernel } from "../../../../lib/protocol/kernel/kernel.ts";
import { POWERS_SIZE } from "../../../../lib/protocol/kernel/powers.ts";
import { Random } from "../../../support/random.ts";
import { shortestDouble, shortestFloat } from "../../records/avro_decode.ts";
import { bytes, double, float, long, of } from "../../records/avro_encode.ts";
import { rowsOf } from "../../records/avro_rows.ts";

Deno.test("what the compiler puts into the memory ends before the powers of ten", () => {
  const { bytes } = new Kernel();
  const [from, to] = [55296, Kernel.DATA]; // POWERS in memory.as.ts
  assert.ok(bytes.subarray(from, to).every((byte) => byte === 0));
  assert.ok(POWERS_SIZE <= to - from);
});

const view = new DataView(new ArrayBuffer(8));

/** The rows of values, 10,000 in a batch. */
function rowsOfAll(schema: unknown, values: readonly Uint8Array[]): string[] {
  const rows = rowsOf(schema, []);
  const all: string[] = [];
  for (let i = 0; i < values.length; i += 10000) {
    const { rows: text, emitted } = rows.run(values.slice(i, i + 10000));
    assert.equal(emitted, Math.min(10000, values.length - i));
    all.push(...text.slice(0, -1).split("\n"));
  }
  return all;
}

Deno.test("doubles are the shortest text that reads back the same, as JavaScript's", () => {
  const random = new Random(1);
  const values = [
    0,
    -0,
    1,
    -1,
    0.1,
    0.3,
    NaN,
    Infinity,
    -Infinity,
    2 ** 53,
    2 ** 53 - 1,
    1e21,
    1e22,
  ];
  values.push(5e-324, 2.2250738585072014e-308, Number.MAX_VALUE, 1e-6, 1e-7, 123456789012345680000);
  values.push(4.35, 9.5e-3, 1.5, 100, 1e20, 2 ** 54, 9007199254740993, 2 ** -1074 * 3);
  for (let exponent = 0; exponent < 2047; exponent++) {
    for (const fraction of [0n, 1n, 2n, 1n << 51n, (1n << 52n) - 1n]) {
      view.setBigUint64(0, BigInt(exponent) << 52n | fraction);
      values.push(view.getFloat64(0));
    }
  }
  for (let i = 1; i < 2000; i++) values.push(i * 5e-324);
  for (let i = 0; i < 100000; i++) {
    view.setUint32(0, random.int(0, 2 ** 32 - 1));
    view.setUint32(4, random.int(0, 2 ** 32 - 1));
    values.push(i % 2 ? view.getFloat64(0) : random.int(-1e9, 1e9) / 10 ** random.int(0, 9));
  }
  const rows = rowsOfAll("double", values.map((value) => of(double(value))));
  for (const [index, value] of values.entries()) assert.equal(rows[index], shortestDouble(value));
});

Deno.test("floats are the shortest text that reads back the same", () => {
  const random = new Random(2);
  const values = [0, -0, NaN, Infinity, -Infinity, 0.1, 16777216, 16777215, 3.4028234663852886e38];
  for (let exponent = 0; exponent < 255; exponent++) {
    for (const fraction of [0, 1, 2, 1 << 22, (1 << 23) - 1]) {
      view.setUint32(0, exponent << 23 | fraction);
      values.push(view.getFloat32(0));
    }
  }
  for (let i = 1; i < 2000; i++) values.push(i * 1.401298464324817e-45);
  for (let i = 0; i < 100000; i++) {
    view.setUint32(0, random.int(0, 2 ** 32 - 1));
    values.push(view.getFloat32(0));
  }
  const rows = rowsOfAll("float", values.map((value) => of(float(value))));
  for (const [index, value] of values.entries()) {
    assert.equal(rows[index], shortestFloat(Math.fround(value)));
    if (value === value) assert.equal(Math.fround(Number(rows[index])), Math.fround(value));
  }
});

Deno.test("whole numbers of every length come out digit for digit", () => {
  const values: bigint[] = [];
  for (let digits = 0n; digits < 19n; digits++) {
    for (const around of [-1n, 0n, 1n]) {
      values.push(10n ** digits + around, -(10n ** digits) + around);
    }
  }
  values.push(2n ** 63n - 1n, -(2n ** 63n), 0n);
  const rows = rowsOfAll("long", values.map((value) => of(long(value))));
  assert.deepEqual(rows, values.map(String));
});

Deno.test("decimals of any length and scale are exact", () => {
  const random = new Random(3);
  for (const scale of [0, 1, 2, 17, 40, 300]) {
    const values: { bytes: number[]; text: string }[] = [];
    const add = (size: number, value: bigint) => {
      const bytes: number[] = [];
      for (let i = size - 1; i >= 0; i--) bytes.push(Number(value >> BigInt(8 * i) & 255n));
      const digits = String(value < 0n ? -value : value).padStart(scale + 1, "0");
      const at = digits.length - scale;
      const text = digits.slice(0, at) + (scale > 0 ? `.${digits.slice(at)}` : "");
      values.push({ bytes, text: (value < 0n ? "-" : "") + text });
    };
    for (let size = 1; size <= 70; size++) {
      const bits = BigInt(8 * size);
      add(size, 0n);
      add(size, -1n);
      add(size, (1n << bits - 1n) - 1n);
      add(size, -(1n << bits - 1n));
      for (let i = 0; i < 20; i++) {
        let value = 0n;
        for (let j = random.int(1, size); j > 0; j--) {
          value = value << 8n | BigInt(random.int(0, 255));
        }
        add(size, BigInt.asIntN(8 * size, value));
      }
    }
    add(3000, -(1n << 23999n));
    const schema = { type: "bytes", logicalType: "decimal", precision: 400, scale };
    const rows = rowsOfAll(schema, values.map((value) => of(bytes(...value.bytes))));
    assert.deepEqual(rows, values.map(({ text }) => text));
  }
});

Deno.test("a decimal of no bytes is 0, one beyond PostgreSQL's numeric is a bad record", () => {
  const schema = { type: "bytes", logicalType: "decimal", precision: 9, scale: 2 };
  const rows = rowsOf(schema, []);
  assert.equal(rows.one(of(bytes())), "0.00");
  // 131,072 digits before the point is the limit, which 54,427 bytes can reach.
  for (const size of [54_500, 60_000, 80_000]) {
    assert.equal(
      rows.one(of(long(size), new Array(size).fill(1))),
      "[has a decimal that no numeric of PostgreSQL can hold]",
      `${size} bytes`,
    );
  }
  // (256^54000 - 1) / 255 has 130,043 digits.
  const most = rows.one(of(long(54_000), new Array(54_000).fill(1)));
  assert.equal(most.indexOf("."), 130_043 - 2);
});

Deno.test("a big-decimal has its own scale; what is not one is a bad record", () => {
  const schema = { type: "bytes", logicalType: "big-decimal" };
  const rows = rowsOf(schema, []);
  const inner = (scale: number, ...content: number[]) => [...bytes(...content), ...long(scale)];
  assert.equal(rows.one(of(bytes(...inner(2, 1, 0)))), "2.56");
  assert.equal(rows.one(of(bytes(...inner(-3, 0xff)))), "-1e3");
  const list = rowsOf({ type: "array", items: schema }, []);
  const items = [bytes(...inner(2, 1, 0)), bytes(...inner(0, 5)), bytes(...inner(-3, 0xff))];
  assert.equal(list.one(of(long(3), ...items, [0])), '"[2.56,5,-1e3]"');
  const wrong = "[has a decimal that no numeric of PostgreSQL can hold]";
  const faults = [
    [],
    [2],
    [0],
    bytes(1),
    [...inner(2, 1), 0],
    inner(20000, 1),
    inner(-(2 ** 31), 1),
  ];
  for (const fault of faults) {
    assert.equal(rows.one(of(bytes(...fault))), wrong);
    assert.equal(list.one(of(long(1), bytes(...fault), [0])), wrong);
  }
});

Deno.test("days and moments outside the years 1 to 9999 are bad records, the last inside are not", () => {
  const outside = "[is outside the years 1 to 9999]";
  const day = rowsOf({ type: "int", logicalType: "date" }, []);
  assert.equal(day.one(of(long(-719162))), "0001-01-01");
  assert.equal(day.one(of(long(-719163))), outside);
  assert.equal(day.one(of(long(2932896))), "9999-12-31");
  assert.equal(day.one(of(long(2932897))), outside);
  assert.equal(day.one(of(long(-2147483648))), outside);
  for (const [unit, part] of [["millis", 1000n], ["micros", 1000000n]] as const) {
    const zeros = String(part).slice(1), nines = zeros.replaceAll("0", "9");
    for (const [local, zone] of [["", "Z"], ["local-", ""]]) {
      const time = rowsOf({ type: "long", logicalType: `${local}timestamp-${unit}` }, []);
      const first = -62135596800n * part, end = 253402300800n * part;
      assert.equal(time.one(of(long(first))), `0001-01-01T00:00:00.${zeros}${zone}`);
      assert.equal(time.one(of(long(first - 1n))), outside);
      assert.equal(time.one(of(long(end - 1n))), `9999-12-31T23:59:59.${nines}${zone}`);
      assert.equal(time.one(of(long(end))), outside);
      assert.equal(time.one(of(long(-(2n ** 63n)))), outside);
      assert.equal(time.one(of(long(2n ** 63n - 1n))), outside);
    }
  }
});

Deno.test("a time of day is within one day", () => {
  const wrong = "[has a time that is not within one day]";
  const millis = rowsOf({ type: "int", logicalType: "time-millis" }, []);
  assert.equal(millis.one(of(long(86399999))), "23:59:59.999");
  assert.equal(millis.one(of(long(86400000))), wrong);
  assert.equal(millis.one(of(long(-1))), wrong);
  const micros = rowsOf({ type: "long", logicalType: "time-micros" }, []);
  assert.equal(micros.one(of(long(1))), "00:00:00.000001");
  assert.equal(micros.one(of(long(86400000000))), wrong);
});

Deno.test("a duration is an interval; one of more than 2,147,483,647 months or days is a bad record", () => {
  const rows = rowsOf({ type: "fixed", name: "D", size: 12, logicalType: "duration" }, []);
  const of = (...parts: number[]) => new Uint8Array(new Uint32Array(parts).buffer);
  assert.equal(rows.one(of(0, 0, 0)), "00:00:00");
  assert.equal(rows.one(of(12, 1, 0)), "1 year 1 day");
  assert.equal(rows.one(of(26, 0, 90061100)), "2 years 2 mons 25:01:01.1");
  const wrong = "[has a duration beyond an interval of PostgreSQL]";
  assert.equal(rows.one(of(2 ** 31, 0, 0)), wrong);
  assert.equal(rows.one(of(0, 2 ** 31, 0)), wrong);
});
