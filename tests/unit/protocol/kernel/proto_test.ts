import assert from "node:assert/strict";
import { test } from "node:test";
import { pathText } from "../../../../lib/records/protobuf_paths.ts";
import {
  type Expected,
  type Field,
  plainJson,
  ProtobufRows,
  readSuites,
  unhex,
} from "../../records/protobuf_rows.ts";

const suites = readSuites();

function same(actual: Field, expected: Expected): boolean {
  if (expected === null || actual === null) return expected === actual;
  if ("t" in expected) return actual === expected.t;
  if ("f" in expected) {
    const [a, b] = [Number(actual), Number(expected.f)];
    return Object.is(a, b) && actual.length <= expected.f.length + 20;
  }
  try {
    assert.deepEqual(plainJson(actual), plainJson(expected.j));
    return true;
  } catch {
    return false;
  }
}

for (const { proto, message, paths, cases } of suites) {
  test(`${message}: each field is what protobuf's own runtime reads`, () => {
    const rows = new ProtobufRows(proto, message, paths);
    let accepted = 0;
    for (const { hex, row, mutated = false } of cases) {
      const outcome = rows.one(unhex(hex));
      if (row === null || row === "unreadable") {
        // The kernel looks into what is wanted alone, but all of it is wanted here.
        assert.ok(
          outcome !== "no room" && "reason" in outcome,
          `${hex} is not readable, but became ${JSON.stringify(outcome)}`,
        );
        continue;
      }
      assert.ok(outcome !== "no room" && "fields" in outcome, `${hex}: ${JSON.stringify(outcome)}`);
      assert.equal(outcome.fields.length, paths.length);
      for (const [index, path] of paths.entries()) {
        const [actual, expected] = [outcome.fields[index], row[index]];
        assert.ok(
          same(actual, expected),
          `${pathText(path)} of ${hex}${mutated ? " (mutated)" : ""}: ${actual}, not ${
            JSON.stringify(expected)
          }`,
        );
      }
      accepted++;
    }
    assert.ok(accepted > 10, `${accepted} values were readable`);
  });
}

test("Confluent's Decimal is a numeric, also in JSON", () => {
  const proto = `syntax = "proto3"; import "confluent/type/decimal.proto";
    message A { confluent.type.Decimal d = 1; repeated confluent.type.Decimal all = 2; }`;
  const rows = new ProtobufRows(proto, "A", [["d"], ["all"], ["all", 1], ["d", "scale"]]);
  const of = (...bytes: number[]) => rows.one(Uint8Array.from(bytes));
  assert.deepEqual(of(), { fields: [null, "[]", null, null] });
  // -12345 and 5, with scales 2 and 0.
  assert.deepEqual(of(10, 8, 10, 2, 0xcf, 0xc7, 16, 5, 24, 2, 18, 2, 24, 3, 18, 3, 10, 1, 5), {
    fields: ["-123.45", "[0.000,5]", "5", "2"],
  });
  const wrong = of(10, 14, 10, 1, 5, 24, ...Array(9).fill(0xff), 1);
  assert.ok(typeof wrong === "object" && "reason" in wrong);
  assert.equal(wrong.reason, "holds a Decimal whose scale is not one of 0 to 16,383");
});

test("a time or decimal in several parts is what they are together, whatever the first ones are", () => {
  const proto = `syntax = "proto3"; import "confluent/type/decimal.proto";
    import "google/protobuf/duration.proto"; import "google/protobuf/timestamp.proto";
    message A { google.protobuf.Duration took = 1; google.protobuf.Timestamp at = 2;
      confluent.type.Decimal d = 3; }`;
  const rows = new ProtobufRows(proto, "A", [["took"], ["at"], ["d"]]);
  const minus = [8, ...Array(9).fill(0xff), 1];
  const took = [[8, 1, 16, 0xd8, 0x36], minus, [8, 5]];
  const at = [[16, 0x80, 0x94, 0xeb, 0xdc, 3], [16, 1]];
  const decimal = [[10, 1, 5, 24, ...Array(9).fill(0xff), 1], [24, 1]];
  const parts = [took, at, decimal].map((some, i) =>
    some.map((part) => [10 + 8 * i, part.length, ...part])
  );
  const of = (...some: number[][]) => rows.one(Uint8Array.from(some.flat()));
  assert.deepEqual(of(...parts.flat()), {
    fields: ["00:00:05.000007", "1970-01-01T00:00:00.000000001Z", "0.5"],
  });
  for (const [i, why] of ["mixed signs", "holds a Timestamp", "holds a Decimal"].entries()) {
    const outcome = of(...parts[i].slice(0, -1));
    assert.ok(typeof outcome === "object" && "reason" in outcome && outcome.reason.includes(why));
  }
});

test("of a oneof's members the last one in the value is there, and no other", () => {
  const proto = `syntax = "proto3"; message A { oneof c { string a = 1; int32 b = 2; B m = 3; } }
    message B { int32 n = 1; }`;
  const rows = new ProtobufRows(proto, "A", [["a"], ["b"], ["m", "n"], ["c"]]);
  const fields = (...bytes: number[]) => rows.one(Uint8Array.from(bytes));
  const [a, b, m] = [[10, 1, 120], [16, 7], [26, 2, 8, 9]];
  assert.deepEqual(fields(), { fields: [null, null, null, null] });
  assert.deepEqual(fields(...a), { fields: ["x", null, null, "a"] });
  assert.deepEqual(fields(...a, ...b), { fields: [null, "7", null, "b"] });
  assert.deepEqual(fields(...b, ...a), { fields: ["x", null, null, "a"] });
  assert.deepEqual(fields(...a, ...m), { fields: [null, null, "9", "m"] });
  assert.deepEqual(fields(...m, ...b), { fields: [null, "7", null, "b"] });
});
