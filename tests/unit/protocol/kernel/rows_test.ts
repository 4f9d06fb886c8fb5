import assert from "node:assert/strict";
import { Flag, Kernel, Stop } from "../../../../lib/protocol/kernel/kernel.ts";
import { fetch } from "../../../../lib/protocol/messages/fetch.ts";
import { Batch, batchEnd } from "../../../../lib/protocol/record_batch.ts";
import { type Case, decodeWhole, frame } from "../../../golden/frames.ts";
import {
  concat,
  decodeRecords,
  encodeRecord,
  load,
  type PlainRecord,
  random,
  rowsOf,
  utf8,
} from "./records.ts";

const none = { permissions: "none" } as const;
const kernel = new Kernel();
const text = (bytes: Uint8Array | null | undefined) => bytes && new TextDecoder().decode(bytes);

/** The records sections of a golden answer's batches. */
function sections(name: Case): Uint8Array[] {
  const bytes = frame(name);
  const view = new DataView(bytes.buffer);
  const found: Uint8Array[] = [];
  for (const { start, end } of decodeWhole(fetch, bytes).partitions) {
    for (let at = start, stop; (stop = batchEnd(view, at, end)) !== -1; at = stop) {
      found.push(bytes.subarray(at + Batch.records, stop));
    }
  }
  return found;
}

/** Records 0, 1, 2… with these values. */
const recordsWith = (...values: (string | null)[]) =>
  concat(
    values.map((value, delta) =>
      encodeRecord({ delta, value: value === null ? null : utf8(value) })
    ),
  );

Deno.test("the plain decoder reads what kafkajs and Java wrote", none, () => {
  const plain = sections("fetch_plain").flatMap((s) => decodeRecords(s, 0, s.length));
  assert.deepEqual(plain.map(({ key }) => text(key)), [null, "k", "gone", "", "h", null, "long"]);
  assert.deepEqual(plain.map(({ delta }) => delta), [0, 1, 2, 3, 0, 1, 0]);
  assert.deepEqual(plain[4].headers, [
    [utf8("a"), utf8("1")],
    [utf8("trace"), new Uint8Array([0, 255])],
  ]);
  const java = sections("fetch_java").flatMap((s) => decodeRecords(s, 0, s.length));
  assert.deepEqual(java.map(({ key }) => text(key)), ["key", null, "key", ""]);
  assert.deepEqual(java.map(({ value }) => text(value)), ["java 0", "java 1", null, ""]);
});

Deno.test("rows: golden records become their values, a newline after each", none, () => {
  const rows = sections("fetch_plain").map((section) => text(rowsOf(kernel, section)));
  assert.deepEqual(rows, [
    "1,one\n2,two\n\n",
    '3,drei ü\n4,"say ""hi"""\n',
    `5,${"x".repeat(300)}\n`,
  ]);
  assert.deepEqual(sections("fetch_java").map((s) => text(rowsOf(kernel, s))), [
    "java 0\njava 1\n\n",
  ]);
});

Deno.test("rows: holes in the offsets, and no record at all", none, () => {
  const compacted = sections("fetch_compacted");
  assert.deepEqual(compacted.map((section) => text(rowsOf(kernel, section))), [
    "kept 1\nkept 3\n",
    "",
    "new 7\nnew 8\nnew 9\n",
  ]);
  assert.equal(text(rowsOf(kernel, compacted[0], { min: 2 })), "kept 3\n");
  assert.deepEqual([kernel.seen, kernel.emitted, kernel.delta], [2, 1, 3]);
});

Deno.test("rows: a null value is counted, or an empty row", none, () => {
  const records = recordsWith("a", null, "b", null);
  assert.equal(text(rowsOf(kernel, records)), "a\nb\n");
  assert.deepEqual([kernel.emitted, kernel.nulls, kernel.delta], [2, 2, 3]);
  assert.equal(text(rowsOf(kernel, records, { flags: Flag.guard })), "a\nb\n");
  const flags = Flag.emptyTombstones | Flag.guard;
  assert.equal(text(rowsOf(kernel, records, { flags })), "a\n\nb\n\n");
  assert.deepEqual([kernel.emitted, kernel.nulls, kernel.stop], [4, 0, Stop.done]);
});

Deno.test("rows: min, max and count choose the records", none, () => {
  const records = recordsWith("0", "1", "2", "3", "4");
  assert.equal(text(rowsOf(kernel, records, { min: 1, max: 3 })), "1\n2\n");
  assert.deepEqual([kernel.stop, kernel.seen, kernel.emitted, kernel.delta], [Stop.done, 5, 2, 2]);
  assert.equal(text(rowsOf(kernel, records, { min: 5 })), "");
  assert.deepEqual([kernel.seen, kernel.emitted, kernel.delta], [5, 0, -1]);
  const [start] = load(kernel, records);
  assert.equal(text(rowsOf(kernel, records, { count: 2 })), "0\n1\n");
  assert.deepEqual([kernel.stop, kernel.at], [Stop.done, start + 2 * (records.length / 5)]);
});

Deno.test("rows: a spent budget stops before the next record that is wanted", none, () => {
  const records = recordsWith("0", "1", null, "3", "4");
  assert.equal(text(rowsOf(kernel, records, { budget: 2 })), "0\n1\n");
  assert.deepEqual([kernel.stop, kernel.emitted, kernel.delta], [Stop.full, 2, 1]);
  assert.equal(text(rowsOf(kernel, records, { budget: 0 })), "");
  assert.deepEqual([kernel.stop, kernel.seen, kernel.delta], [Stop.full, 0, -1]);
  assert.equal(text(rowsOf(kernel, records, { budget: 2, max: 2 })), "0\n1\n");
  assert.deepEqual([kernel.stop, kernel.seen], [Stop.done, 5]);
});

Deno.test(
  "rows: in place behind the smallest gap, whatever keys and headers there are",
  none,
  () => {
    const next = random(2);
    const bytes = (size: number) => Uint8Array.from({ length: size }, () => 32 + next(95));
    for (let round = 0; round < 60; round++) {
      const records: PlainRecord[] = [];
      const size = round < 10 ? 8 : 300;
      for (let delta = 0; delta < 1 + next(100); delta++) {
        records.push({
          delta,
          key: next(3) ? null : bytes(next(40)),
          value: next(9) ? bytes(next(size)) : null,
          headers: next(4) ? [] : [[bytes(next(5)), next(2) ? bytes(next(200)) : null]],
        });
      }
      const section = concat(records.map(encodeRecord));
      assert.equal(decodeRecords(section, 0, section.length).length, records.length);
      for (const empties of [false, true]) {
        const values = records.map(({ value }) => value ?? (empties ? new Uint8Array() : null));
        const wanted = values.filter((value) => value !== null)
          .flatMap((value) => [value, utf8("\n")]);
        const rows = rowsOf(kernel, section, { flags: empties ? Flag.emptyTombstones : 0 });
        assert.deepEqual(rows, concat(wanted), `round ${round}`);
        assert.deepEqual([kernel.stop, kernel.seen], [Stop.done, records.length]);
      }
    }
  },
);

Deno.test("rows: records at the very end of the memory", none, () => {
  const records = recordsWith("a".repeat(100), "b", "c".repeat(17));
  const own = new Kernel();
  own.reserve(65536 * 2 - Kernel.DATA - 64);
  const end = own.bytes.length - 64;
  const start = end - records.length;
  own.bytes.set(records, start);
  const stop = own.rows({ start, end, count: 3, out: start - 32, flags: Flag.guard });
  const rows = text(own.bytes.subarray(start - 32, stop));
  assert.equal(rows, `${"a".repeat(100)}\nb\n${"c".repeat(17)}\n`);
  assert.deepEqual([own.stop, own.at], [Stop.done, end]);
});

Deno.test("reserve keeps the bytes, and the tables of the CRC", none, () => {
  const own = new Kernel();
  own.bytes.set(utf8("123456789"), Kernel.DATA);
  own.reserve(5_000_000);
  assert.ok(own.bytes.length >= Kernel.DATA + 5_000_000);
  assert.equal(own.view.buffer, own.bytes.buffer);
  assert.equal(own.crc32c(Kernel.DATA, 9), 0xe3069283);
});
