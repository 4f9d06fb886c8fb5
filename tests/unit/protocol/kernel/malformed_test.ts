import assert from "node:assert/strict";
import { Flag, Kernel, Stop } from "../../../../lib/protocol/kernel/kernel.ts";
import { fetch } from "../../../../lib/protocol/messages/fetch.ts";
import { Batch, batchEnd } from "../../../../lib/protocol/record_batch.ts";
import { type Case, decodeWhole, frame } from "../../../golden/frames.ts";
import { load, random } from "./records.ts";

const none = { permissions: "none" } as const;
const kernel = new Kernel();
const SPOILT = 64;

/** The records section of a golden answer's first batch. */
function section(name: Case): Uint8Array {
  const bytes = frame(name);
  const [{ start, end }] = decodeWhole(fetch, bytes).partitions;
  const stop = batchEnd(new DataView(bytes.buffer), start, end);
  return bytes.slice(start + Batch.records, stop);
}

/** Decodes to the end as RowDecoder does. Nothing may be written or said outside the bounds. */
function survive(records: Uint8Array, flags: number, count: number): void {
  const [start, end] = load(kernel, records);
  kernel.bytes.fill(0xa5, end, end + SPOILT);
  kernel.bytes.fill(0x5a, Kernel.DATA - 64, Kernel.DATA);
  let at = start;
  let out = Kernel.DATA;
  for (let left = count, calls = 0; left > 0; calls++) {
    assert.ok(calls <= records.length, "it goes round in circles");
    out = kernel.rows({ start: at, end, count: left, out, flags });
    assert.ok(out <= kernel.at, `rows end at ${out}, records go on at ${kernel.at}`);
    assert.ok(at <= kernel.at && kernel.at <= end, "the next record is outside the batch");
    assert.ok(kernel.seen <= left && kernel.emitted <= kernel.seen);
    left -= kernel.seen;
    at = kernel.at;
    if (kernel.stop !== Stop.suspect) break;
    const { valueAt, valueLength } = kernel;
    assert.ok(valueLength >= 0 && valueAt === out && out + valueLength < at);
  }
  assert.ok(kernel.bytes.subarray(end, end + SPOILT).every((byte) => byte === 0xa5));
  assert.ok(kernel.bytes.subarray(Kernel.DATA - 64, Kernel.DATA).every((byte) => byte === 0x5a));
}

const names: Case[] = ["fetch_plain", "fetch_middle", "fetch_java", "fetch_compacted"];
const flagSets = [0, Flag.guard, Flag.guard | Flag.emptyTombstones];

for (const name of names) {
  Deno.test(`${name}: any byte of the records may be anything`, none, () => {
    const records = section(name);
    for (let at = 0; at < records.length; at++) {
      const right = records[at];
      for (let wrong = 0; wrong < 256; wrong++) {
        records[at] = wrong;
        survive(records, flagSets[wrong % 3], 1000);
      }
      records[at] = right;
    }
  });

  Deno.test(`${name}: records may end anywhere, and then they are broken`, none, () => {
    const records = section(name);
    for (let size = 0; size < records.length; size++) {
      for (const flags of flagSets) survive(records.subarray(0, size), flags, 1000);
      assert.equal(kernel.stop, Stop.broken, `${size} bytes`);
    }
  });
}

Deno.test("any bytes at all may stand for records", none, () => {
  const next = random(5);
  for (let round = 0; round < 20_000; round++) {
    // Small numbers look like lengths; 0x80 and more like varints that go on.
    const below = [256, 16, 128][round % 3];
    const records = Uint8Array.from(
      { length: next(60) },
      () => next(5) ? next(below) : 0x80 | next(128),
    );
    survive(records, flagSets[next(3)], 1 + next(1000));
  }
});

Deno.test("varints of five and more bytes, and the largest lengths, are broken", none, () => {
  const tails = [[0xff, 0xff, 0xff, 0xff, 0x0f], [0xfe, 0xff, 0xff, 0xff, 0x0f]];
  tails.push([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], Array(20).fill(0x80));
  for (const tail of tails) {
    for (const head of [[], [20, 0, 0], [20, 0, 0, 0], [20, 0, 0, 0, 1], [40, 0, 0, 0, 1, 2, 65]]) {
      const records = new Uint8Array([...head, ...tail, ...Array(12).fill(1)]);
      for (const flags of flagSets) survive(records, flags, 1000);
    }
  }
});
