import assert from "node:assert/strict";
import { Stop } from "../../../lib/protocol/kernel/kernel.ts";
import { AvroRows, framed } from "./avro_rows.ts";
import { asExpected, csvRows, type GoldenCase, goldenCases } from "./golden.ts";

const cases: GoldenCase[] = [
  ...await goldenCases("avro_fastavro.jsonl"),
  ...await goldenCases("avro_java.jsonl"),
];

for (const { name, schema, paths, values } of cases) {
  Deno.test(`Avro by foreign libraries: ${name}`, () => {
    const rows = new AvroRows(new Map([[null, JSON.stringify(schema)]]), paths);
    for (const { bytes, fields } of values) {
      const outcome = rows.run([bytes]);
      assert.equal(outcome.reason, undefined);
      const [row, ...more] = csvRows(outcome.rows);
      assert.deepEqual(more, []);
      assert.deepEqual(asExpected(row, fields), fields);
    }
  });
}

Deno.test("each strict prefix of a foreign library's value is a bad record", () => {
  for (const { schema, paths, values } of cases) {
    const rows = new AvroRows(new Map([[null, JSON.stringify(schema)]]), paths);
    for (const { bytes } of values.slice(0, 12)) {
      const step = Math.max(1, Math.floor(bytes.length / 200));
      for (let size = 0; size < bytes.length; size += step) {
        const { reason, rows: text, badAt } = rows.run([bytes.subarray(0, size)]);
        assert.equal(text, "");
        assert.equal(reason, "ends inside its Avro value");
        assert.ok(badAt <= size);
      }
      const { reason, badAt } = rows.run([Uint8Array.of(...bytes, 0)]);
      assert.deepEqual([reason, badAt], ["has bytes after its Avro value", bytes.length]);
    }
  }
});

Deno.test("values of all schemas, mixed in one batch, are read by the schema of their frame", () => {
  const paths = [["x"], ["after"], ["id"], ["city"], ["amount"], ["value"], ["nanos"]];
  const schemas = new Map(cases.map(({ schema }, id) => [id * 1000, JSON.stringify(schema)]));
  const rows = new AvroRows(schemas, paths);
  const single = cases.map(({ schema }) =>
    new AvroRows(new Map([[null, JSON.stringify(schema)]]), paths)
  );
  const batch: Uint8Array[] = [];
  let expected = "";
  for (let round = 0; round < 12; round++) {
    for (const [index, { values }] of cases.entries()) {
      const { bytes } = values[round % values.length];
      batch.push(framed(index * 1000, bytes));
      expected += single[index].run([bytes]).rows;
    }
  }
  const outcome = rows.run(batch);
  assert.equal(outcome.stop, Stop.done);
  assert.equal(outcome.emitted, batch.length);
  assert.equal(outcome.rows, expected);
});

Deno.test("a frame whose schema is not in the program stops the batch at that record", () => {
  const { schema, values } = cases[0];
  const rows = new AvroRows(new Map([[1, JSON.stringify(schema)]]), [["x"]]);
  const [{ bytes }] = values;
  const { stop, seen, emitted } = rows.run([framed(1, bytes), framed(2, bytes), framed(1, bytes)]);
  assert.deepEqual([stop, seen, emitted], [Stop.schema, 1, 1]);
});

Deno.test("a value without its frame, or with half of one, is a bad record", () => {
  const { schema, values } = cases[0];
  const rows = new AvroRows(new Map([[1, JSON.stringify(schema)]]), [["x"]]);
  assert.equal(rows.one(Uint8Array.of(2, ...values[0].bytes)), "[has no Confluent frame]");
  assert.equal(rows.one(Uint8Array.of(0, 0, 0)), "[is shorter than its Confluent frame]");
});
