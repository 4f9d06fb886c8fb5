import assert from "node:assert/strict";
import { Stop } from "../../../lib/protocol/kernel/kernel.ts";
import { type AvroType, parseAvroSchema } from "../../../lib/records/avro.ts";
import { Random } from "../../support/random.ts";
import { at, NotAvro, type Plain, PlainReader } from "./avro_decode.ts";
import { RandomAvro } from "./avro_random.ts";
import { AvroRows } from "./avro_rows.ts";
import { csvRows } from "./golden.ts";

type Steps = readonly (string | number)[];

/** The row of a value by the plain reader; null if it is a bad record. */
function expectedRow(value: Plain, paths: readonly Steps[]): (string | null)[] | null {
  const found = paths.map((path) => at(value, path));
  return found.some((field) => field?.bad) ? null : found.map((field) => field?.text ?? null);
}

/** A random schema with paths, its rows, and what makes its values. */
function world(seed: number) {
  const avro = new RandomAvro(new Random(seed));
  const text = JSON.stringify(avro.record());
  const type = parseAvroSchema(text);
  const paths: Steps[] = Array.from({ length: 6 }, () => avro.path(type));
  paths.push([], ["f0"], ["nowhere"]);
  return { avro, text, type, paths, rows: new AvroRows(new Map([[null, text]]), paths) };
}

Deno.test("random values of random schemas come out as a plain reader has them", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const { avro, text, type, paths, rows } = world(seed);
    const values = Array.from({ length: 20 }, () => Uint8Array.from(avro.value(type)));
    const expected = values.map((bytes) => expectedRow(new PlainReader(bytes).whole(type), paths));
    const outcome = rows.run(values);
    const hint = `seed ${seed} ${text} ${JSON.stringify(paths)} ${outcome.reason}`;
    assert.equal(outcome.stop, Stop.done, hint);
    assert.deepEqual(csvRows(outcome.rows), expected, hint);
    // In less room it is the first of the same rows.
    const random = new Random(seed);
    for (let i = 0; i < 10; i++) {
      const less = rows.run(values, random.int(0, outcome.rows.length));
      assert.equal(less.stop, Stop.enough, hint);
      assert.ok(outcome.rows.startsWith(less.rows), hint);
      assert.equal(csvRows(less.rows).length, less.emitted, hint);
    }
  }
});

/** What the kernel must say of these bytes: a row, null for a bad record, undefined if it may choose. */
function verdict(bytes: Uint8Array, type: AvroType, paths: readonly Steps[]) {
  const reader = new PlainReader(bytes);
  try {
    return expectedRow(reader.whole(type), paths);
  } catch (error) {
    if (!(error instanceof NotAvro)) throw error;
    // Blocks that say how long they are may be stepped over.
    return reader.sized ? undefined : null;
  }
}

Deno.test("random values with a bit flipped, bytes changed or cut off give their row or are bad", () => {
  const seen = { rows: 0, bad: 0, free: 0 };
  for (let seed = 1; seed <= 150; seed++) {
    const { avro, text, type, paths, rows } = world(seed);
    const random = new Random(seed + 1000);
    for (let i = 0; i < 100; i++) {
      let bytes = Uint8Array.from(avro.value(type));
      if (bytes.length === 0) continue;
      const place = random.int(0, bytes.length - 1);
      const how = random.int(0, 3);
      if (how === 0) bytes[place] ^= 1 << random.int(0, 7);
      else if (how === 1) bytes[place] = [0, 1, 127, 128, 255][random.int(0, 4)];
      else if (how === 2) bytes = bytes.slice(0, place);
      else bytes.fill(255, place, place + random.int(1, 12));
      const expected = verdict(bytes, type, paths);
      const { stop, rows: csv, reason, badAt } = rows.run([bytes]);
      const hint = `seed ${seed}/${i} ${text} ${JSON.stringify(paths)} ${bytes} ${reason}`;
      assert.ok(stop === Stop.done || reason !== undefined, hint);
      if (stop === Stop.invalid) assert.ok(badAt >= 0 && badAt <= bytes.length, hint);
      if (expected === undefined) seen.free++;
      else if (expected === null) {
        seen.bad++;
        assert.notEqual(stop, Stop.done, hint);
      } else {
        seen.rows++;
        assert.equal(stop, Stop.done, hint);
        assert.deepEqual(csvRows(csv), [expected], hint);
      }
    }
  }
  assert.ok(seen.rows > 2000 && seen.bad > 2000 && seen.free < 3000, JSON.stringify(seen));
});
