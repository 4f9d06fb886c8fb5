import assert from "node:assert/strict";
import { recordEnd } from "../../../lib/protocol/record_batch.ts";
import { putVarint, varintAt, varintEnd, varintSize } from "../../../lib/protocol/varint.ts";

const none = { permissions: "none" } as const;

Deno.test("varints: numbers and their bytes, as Kafka's protocol guide has them", none, () => {
  const cases: [number, number[]][] = [
    [0, [0]],
    [-1, [1]],
    [1, [2]],
    [63, [0x7e]],
    [-64, [0x7f]],
    [64, [0x80, 1]],
    [8191, [0xfe, 0x7f]],
    [8192, [0x80, 0x80, 1]],
    [1 << 20, [0x80, 0x80, 0x80, 1]],
    [0x7fffffff, [0xfe, 0xff, 0xff, 0xff, 0x0f]],
    [-0x80000000, [0xff, 0xff, 0xff, 0xff, 0x0f]],
  ];
  for (const [value, bytes] of cases) {
    const out = new Uint8Array(9).fill(0xaa);
    assert.equal(putVarint(out, 2, value), 2 + bytes.length);
    assert.deepEqual([...out.subarray(2, 2 + bytes.length)], bytes);
    assert.equal(varintAt(out, 2), value);
    assert.equal(varintEnd(out, 2), 2 + bytes.length);
    if (value >= 0) assert.equal(varintSize(value), bytes.length);
  }
});

Deno.test("varints: one that is cut has no end, one that goes on takes five bytes", none, () => {
  for (let size = 0; size < 5; size++) {
    assert.equal(varintEnd(new Uint8Array(size).fill(0x80), 0), -1);
    assert.equal(recordEnd(new Uint8Array(size).fill(0x80), 0), -1);
  }
  const endless = new Uint8Array(20).fill(0xff);
  assert.equal(varintEnd(endless, 0), 5);
  assert.equal(varintEnd(endless, 0, 10), 10);
});

Deno.test("recordEnd: a length below 0 never leads back", none, () => {
  for (const value of [-1, -2, -100, -0x80000000]) {
    const bytes = new Uint8Array(10);
    const start = putVarint(bytes, 3, value);
    assert.ok(recordEnd(bytes, 3) >= start, `${value}`);
  }
});
