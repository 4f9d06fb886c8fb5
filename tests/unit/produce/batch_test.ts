import assert from "node:assert/strict";
import { LONGEST_ROW } from "../../../lib/produce/arena.ts";
import type { RecordBatch } from "../../../lib/produce/batch.ts";
import { compressorOf } from "../../../lib/produce/compressor.ts";
import { splitBatch } from "../../../lib/produce/split_batch.ts";
import { Batch } from "../../../lib/protocol/record_batch.ts";
import placement from "./golden/placement.json" with { type: "json" };
import type { Input } from "../../../lib/produce/input.ts";
import { bytesOf, chunked, Collector, defaults, packAll, packInput, recordsOf } from "./support.ts";

/** CRC32C bit by bit (RFC 3720, appendix B.4). */
function crc32c(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0x82f63b78 & -(crc & 1));
  }
  return ~crc >>> 0;
}

const fast = { permissions: "none" } as const;

Deno.test("batch: its header says what it is", fast, async () => {
  const before = Date.now();
  const { batches: [batch], rows } = await packAll([bytesOf("a\nbc\nd\n")], {}, 1);
  batch.stamp({ id: 0x1_0000_0001, epoch: 7 }, 1000);
  const bytes = batch.bytes.slice();
  const view = new DataView(bytes.buffer);
  assert.equal(rows.length, 3);
  assert.equal(view.getBigInt64(Batch.baseOffset), 0n);
  assert.equal(view.getInt32(Batch.length), bytes.length - 12);
  assert.equal(view.getInt32(12), -1);
  assert.equal(view.getInt8(Batch.magic), 2);
  assert.equal(view.getUint32(Batch.crc), crc32c(bytes.subarray(Batch.attributes)));
  assert.equal(view.getInt16(Batch.attributes), 0);
  assert.equal(view.getInt32(Batch.lastOffsetDelta), 2);
  const time = Number(view.getBigInt64(Batch.baseTimestamp));
  assert.ok(time >= before && time <= Date.now());
  assert.equal(Number(view.getBigInt64(Batch.maxTimestamp)), time);
  assert.equal(view.getBigInt64(Batch.producerId), 0x1_0000_0001n);
  assert.equal(view.getInt16(Batch.producerEpoch), 7);
  assert.equal(view.getInt32(Batch.baseSequence), 1000);
  assert.equal(view.getInt32(Batch.count), 3);
});

Deno.test("batch: rows of all sizes are packed, however they are cut", fast, async () => {
  const MiB = 1024 * 1024;
  const sizes = [1, 62, 63, 64, 65, 8190, 8191, 8192, 999_900, 999_990, 1_000_000];
  sizes.push(MiB - 100, MiB - 1, MiB, MiB + 1, 10, 3 * MiB, 5, 5 * MiB + 3, 17, MiB + 1);
  const rows = sizes.map((size, i) => {
    const row = new Uint8Array(size).fill(0x61 + i);
    row[size - 1] = 0x2e;
    return row;
  });
  const total = sizes.reduce((sum, size) => sum + size + 1, 0);
  const input = new Uint8Array(total);
  let at = 0;
  for (const row of rows) {
    input.set(row, at);
    at += row.length + 1;
    input[at - 1] = 10;
  }
  for (const [chunk, partitions] of [[total, 1], [65536, 3], [1_000_003, 1], [100_000, 8]]) {
    const chunks: Uint8Array[] = [];
    for (let from = 0; from < total; from += chunk) chunks.push(input.subarray(from, from + chunk));
    const packed = await packAll(chunks, {}, partitions);
    packed.rows.sort((a, b) => a.line - b.line);
    assert.deepEqual(packed.rows.map(({ value }) => value.length), sizes);
    for (const [i, { value, line }] of packed.rows.entries()) {
      assert.equal(line, i + 1);
      assert.ok(value === String.fromCharCode(0x61 + i).repeat(sizes[i] - 1) + ".", `row ${i}`);
    }
  }
});

Deno.test(
  "batch: a row longer than the longest taken is named, and can be left out",
  fast,
  async () => {
    const chunk = new Uint8Array(1024 * 1024).fill(0x61);
    const long = Array.from({ length: LONGEST_ROW / chunk.length + 1 }, () => chunk);
    const input = [bytesOf("first\n"), ...long, bytesOf("\nlast\n")];
    const why = `stdin line 2 is longer than ${LONGEST_ROW} bytes`;
    await assert.rejects(packAll(input), (error: Error) => error.message.startsWith(why));
    const { rows, log } = await packAll(input, { badRecord: "skip" }, 1);
    assert.deepEqual(rows.map(({ value, line }) => [value, line]), [["first", 1], ["last", 3]]);
    assert.deepEqual(log, [`${why}; left out`]);
  },
);

Deno.test(
  "batch: none is larger than a topic takes by default, and all is spread",
  fast,
  async () => {
    const lines = Array.from({ length: 60_000 }, (_, i) => `${i},${"x".repeat(i % 300)}\n`);
    const { batches, rows } = await packAll([bytesOf(lines.join(""))], {}, 4);
    assert.ok(batches.every((batch) => batch.size <= 1_000_000));
    assert.deepEqual([...new Set(batches.map((batch) => batch.partition))].sort(), [0, 1, 2, 3]);
    assert.equal(rows.map(({ value }) => `${value}\n`).join(""), lines.join(""));
    assert.ok(rows.every(({ line }, i) => line === i + 1));
  },
);

Deno.test("batch: a row waits for others only for a moment, a long one too", fast, async () => {
  for (const size of [10, 2 * 1024 * 1024]) {
    const row = new Uint8Array(size + 1).fill(0x61);
    row[size] = 10;
    const sent: number[] = [];
    const whole = chunked([row]);
    const input: Input = {
      ...whole,
      async read(into) {
        const count = await whole.read(into);
        if (count === null) await new Promise((resolve) => setTimeout(resolve, 300));
        if (count === null) sent.push(sink.rows.length);
        return count;
      },
    };
    const sink = new Collector(4);
    await packInput(input, defaults, sink, 4);
    assert.deepEqual(sent, [1]);
  }
});

Deno.test(
  "batch: thousands of partitions have an open batch each, in bounded memory",
  fast,
  async () => {
    const lines = Array.from({ length: 50_000 }, (_, i) => `k${i}:${"v".repeat(i % 300)}\n`);
    const options = { key: { delimiter: 58 } };
    const { batches, rows } = await packAll([bytesOf(lines.join(""))], options, 5_000);
    assert.equal(rows.length, lines.length);
    assert.ok(new Set(batches.map((batch) => batch.partition)).size > 4_900);
    assert.ok(batches[0].kernel.bytes.length < 64 * 1024 * 1024);
  },
);

Deno.test("batch: keys go where the Java client puts them", fast, async () => {
  for (const [index, partitions] of [1, 3, 8, 1000].entries()) {
    for (const entry of placement as [string, ...number[]][]) {
      const key = Uint8Array.from(entry[0].match(/../g) ?? [], (hex) => parseInt(hex, 16));
      if (key.includes(10) || key.includes(9)) continue;
      const row = new Uint8Array([...key, 9, 0x76, 10]);
      const { rows: [found] } = await packAll([row], { key: { delimiter: 9 } }, partitions);
      assert.equal(found.partition, entry[index + 1], `${entry[0]} of ${partitions}`);
    }
  }
});

Deno.test(
  "batch: rows with one key stay in order; those without one, or with -p, do not hash",
  fast,
  async () => {
    const lines = Array.from(
      { length: 50_000 },
      (_, i) => `k${i % 100}:${i}:${"y".repeat(i % 90)}\n`,
    );
    const input = [bytesOf(lines.join(""))];
    const { rows } = await packAll(input, { key: { delimiter: 58 } }, 8);
    assert.equal(rows.length, lines.length);
    const last = new Map<string, [number, number]>();
    for (const { key, value, partition } of rows) {
      const number = Number(value.split(":")[0]);
      const before = last.get(key!);
      if (before) assert.ok(before[0] === partition && before[1] < number);
      last.set(key!, [partition, number]);
    }
    assert.equal(last.size, 100);

    const fixed = await packAll(input, { key: { delimiter: 58 }, partitioner: "sticky" }, 8);
    const [first] = fixed.batches;
    assert.equal(fixed.rows.filter((row) => row.partition === first.partition)[1].key, "k1");
  },
);

Deno.test(
  "batch: with each codec it holds the same records, and so do its halves",
  fast,
  async (t) => {
    const lines = Array.from({ length: 5000 }, (_, i) => `${i},${"abc".repeat(i % 50)}`);
    const plain = await packAll([bytesOf(lines.join("\n"))], {}, 1);
    for (const codec of ["gzip", "snappy", "lz4", "zstd"] as const) {
      await t.step(codec, async () => {
        const compressor = (await compressorOf(codec))!;
        const [batch] = plain.batches;
        const plainSize = batch.size;
        const copy = splitBatch(batch, compressor);
        assert.ok(copy.every((half) => half.codec === codec && half.size < plainSize / 4));
        const records = (half: RecordBatch) =>
          compressor.decompress(half.bytes.subarray(Batch.records), half.recordsSize);
        const all = (halves: RecordBatch[]) =>
          halves.flatMap((half) => recordsOf(half, records(half)));
        assert.deepEqual(all(copy), plain.rows.slice(0, batch.count));
        const quarters = copy.flatMap((half) => splitBatch(half, compressor));
        assert.deepEqual(all(quarters), plain.rows.slice(0, batch.count));
      });
    }
  },
);

Deno.test("batch: what a codec can't make smaller is sent as it is", fast, async () => {
  const noise = new Uint8Array(3000);
  for (let i = 0, x = 1; i < noise.length; i++) {
    x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d) + i;
    noise[i] = x >>> 24;
    if (noise[i] === 0) noise[i] = 1;
  }
  const { batches: [plain] } = await packAll([noise], { split: "nul" }, 1);
  const [batch] = splitBatch(plain, await compressorOf("zstd"));
  assert.equal(batch.codec, "none");
});

Deno.test("batch: halves of one hold its records and their lines", fast, async () => {
  const lines = Array.from({ length: 5001 }, (_, i) => `k${i}:${"z".repeat(i % 200)}`);
  const { batches: [batch], rows } = await packAll(
    [bytesOf(lines.join("\n"))],
    { key: { delimiter: 58 } },
    1,
  );
  const count = batch.count;
  const halves = splitBatch(batch, null);
  assert.deepEqual(halves.map((half) => half.count), [Math.ceil(count / 2), Math.floor(count / 2)]);
  assert.deepEqual(halves.flatMap((half) => recordsOf(half)), rows.slice(0, count));
  for (const half of halves) {
    half.stamp({ id: 1, epoch: 1 }, 5);
    const bytes = half.bytes.slice();
    const stored = new DataView(bytes.buffer).getUint32(Batch.crc);
    assert.equal(stored, crc32c(bytes.subarray(Batch.attributes)));
  }
});
