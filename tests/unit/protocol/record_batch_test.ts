import assert from "node:assert/strict";
import { fetch } from "../../../lib/protocol/messages/fetch.ts";
import { Batch, batchEnd, controlType, int64At } from "../../../lib/protocol/record_batch.ts";
import { type Case, decodeWhole, frame } from "../../golden/frames.ts";

const none = { permissions: "none" } as const;

/** A golden Fetch answer's first partition. */
function partition(name: Case) {
  const bytes = frame(name);
  const [{ start, end }] = decodeWhole(fetch, bytes).partitions;
  return { view: new DataView(bytes.buffer), start, end };
}

/** The base offset of each whole batch. */
function baseOffsets({ view, start, end }: ReturnType<typeof partition>): number[] {
  const found: number[] = [];
  for (let at = start, stop; (stop = batchEnd(view, at, end)) !== -1; at = stop) {
    found.push(int64At(view, at + Batch.baseOffset));
  }
  return found;
}

Deno.test("int64At is exact, above 2^32 and below 0", none, () => {
  const view = new DataView(new ArrayBuffer(9));
  for (const value of [0, 1, -1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, -(2 ** 32) - 1]) {
    view.setBigInt64(1, BigInt(value));
    assert.equal(int64At(view, 1), value);
  }
  for (const value of [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
    view.setBigInt64(1, BigInt(value));
    assert.equal(int64At(view, 1), value);
  }
});

Deno.test("batches follow each other; a cut one at the end is left", none, () => {
  assert.deepEqual(baseOffsets(partition("fetch_plain")), [0, 4, 6]);
  assert.deepEqual(baseOffsets(partition("fetch_cut")), [0, 4]);
  assert.deepEqual(baseOffsets(partition("fetch_empty")), []);
  assert.deepEqual(baseOffsets(partition("fetch_compacted")), [0, 5, 7]);
});

Deno.test("batchEnd: -1 for every strict part of a batch", none, () => {
  const { view, start } = partition("fetch_plain");
  const size = 12 + view.getInt32(start + Batch.length);
  for (let part = 0; part < size; part++) {
    assert.equal(batchEnd(view, start, start + part), -1, `${part} of ${size} bytes`);
  }
  assert.equal(batchEnd(view, start, start + size), start + size);
});

Deno.test("batchEnd: a length that no batch has is a ProtocolError with the offset", none, () => {
  const { view, start, end } = partition("fetch_middle");
  for (const length of [48, 0, -1, -0x80000000]) {
    view.setInt32(start + Batch.length, length);
    assert.throws(() => batchEnd(view, start, end), {
      name: "ProtocolError",
      message: `a batch at offset 4 says it has ${length} bytes`,
    });
  }
  view.setInt32(start + Batch.length, 49);
  assert.equal(batchEnd(view, start, end), start + 61);
  view.setInt32(start + Batch.length, 0x7fffffff);
  assert.equal(batchEnd(view, start, end), -1);
});

Deno.test("controlType: 0 is an abort marker, 1 a commit marker", none, () => {
  const { view, start, end } = partition("fetch_transactions");
  const found: [offset: number, type: number][] = [];
  for (let at = start, stop; (stop = batchEnd(view, at, end)) !== -1; at = stop) {
    const control = view.getInt16(at + Batch.attributes) & 32;
    if (control) found.push([int64At(view, at), controlType(view, at, stop)]);
  }
  assert.deepEqual(found, [[8, 0], [10, 1], [12, 0], [14, 1]]);
});

Deno.test(
  "controlType: a marker whose record the log cleaner took, or that is cut, has none",
  none,
  () => {
    const { view, start, end } = partition("fetch_transactions");
    for (let at = start, stop; (stop = batchEnd(view, at, end)) !== -1; at = stop) {
      if ((view.getInt16(at + Batch.attributes) & 32) === 0) continue;
      for (let cut = at + Batch.records; cut <= at + Batch.records + 8; cut++) {
        assert.equal(controlType(view, at, cut), -1);
      }
    }
    // One that goes on and on: no varint ends before the batch does.
    const wild = new DataView(new Uint8Array(100).fill(0xff).buffer);
    assert.equal(controlType(wild, 0, 100), -1);
  },
);
