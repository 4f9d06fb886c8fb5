import assert from "node:assert/strict";
import { fetch, fetchWithRack } from "../../../lib/protocol/messages/fetch.ts";
import { Batch, int64At } from "../../../lib/protocol/record_batch.ts";
import { type Case, decodeWhole, frame } from "../../golden/frames.ts";

const none = { permissions: "none" } as const;
const decode = (name: Case) => decodeWhole(fetch, frame(name));
const plain = {
  topic: "golden-plain",
  partition: 0,
  errorCode: 0,
  highWatermark: 7,
  lastStableOffset: 7,
  logStart: 0,
  aborted: [],
  preferredReplica: -1,
};

Deno.test("Fetch: one partition, and where its batches lie", none, () => {
  assert.deepEqual(decode("fetch_plain"), {
    errorCode: 0,
    partitions: [{ ...plain, start: 70, end: 683 }],
  });
});

Deno.test("Fetch: a cut batch at the end is the partition's", none, () => {
  assert.deepEqual(decode("fetch_cut").partitions, [{ ...plain, start: 70, end: 370 }]);
});

Deno.test("Fetch: several topics and partitions, one of them empty", none, () => {
  const ends = { highWatermark: 0, lastStableOffset: 0 };
  assert.deepEqual(decode("fetch_many").partitions, [
    { ...plain, start: 70, end: 446 },
    { ...plain, partition: 1, highWatermark: 1, lastStableOffset: 1, start: 484, end: 569 },
    { ...plain, partition: 2, ...ends, start: 607, end: 607 },
    {
      ...plain,
      topic: "golden-deleted",
      highWatermark: 4,
      lastStableOffset: 4,
      logStart: 2,
      start: 665,
      end: 813,
    },
  ]);
});

Deno.test("Fetch: an offset out of range, and an unknown topic", none, () => {
  const failed = {
    ...{ highWatermark: -1, lastStableOffset: -1, logStart: -1, aborted: [] },
    preferredReplica: -1,
  };
  assert.deepEqual(decode("fetch_out_of_range").partitions, [
    { topic: "golden-plain", partition: 0, errorCode: 1, ...failed, start: 70, end: 70 },
    { topic: "golden-deleted", partition: 0, errorCode: 1, ...failed, start: 128, end: 128 },
  ]);
  assert.deepEqual(decode("fetch_unknown").partitions, [
    { topic: "golden-unknown", partition: 0, errorCode: 3, ...failed, start: 72, end: 72 },
  ]);
});

Deno.test("Fetch: aborted transactions, by producer and first offset", none, () => {
  const [fetched] = decode("fetch_transactions").partitions;
  const view = new DataView(frame("fetch_transactions").buffer);
  const second = fetched.start + 12 + view.getInt32(fetched.start + Batch.length);
  assert.equal(int64At(view, second), 1);
  const producerId = int64At(view, second + Batch.producerId);
  assert.deepEqual(fetched.aborted, [
    { producerId, firstOffset: 1 },
    { producerId, firstOffset: 11 },
  ]);
  assert.deepEqual([fetched.highWatermark, fetched.lastStableOffset], [16, 16]);
  assert.deepEqual(decode("fetch_transactions_middle").partitions[0].aborted, fetched.aborted);
});

Deno.test("Fetch: an open transaction holds the last stable offset back", none, () => {
  const [fetched] = decode("fetch_transactions_open").partitions;
  assert.deepEqual([fetched.highWatermark, fetched.lastStableOffset], [8, 1]);
});

Deno.test("Fetch: under read_uncommitted the list of aborted transactions is null", none, () => {
  const [fetched] = decode("fetch_transactions_uncommitted").partitions;
  const view = new DataView(frame("fetch_transactions_uncommitted").buffer);
  assert.equal(view.getInt32(fetched.start - 8), -1);
  assert.deepEqual(fetched.aborted, []);
});

Deno.test("Fetch: null records are none", none, () => {
  const bytes = frame("fetch_empty");
  const [{ start }] = decodeWhole(fetch, bytes).partitions;
  new DataView(bytes.buffer).setInt32(start - 4, -1);
  const [{ start: at, end }] = decodeWhole(fetch, bytes).partitions;
  assert.deepEqual([at, end], [start, start]);
});

Deno.test(
  "Fetch 11: the leader names the replica in the client's rack, and sends no record",
  none,
  () => {
    const decodeRack = (name: Case) => decodeWhole(fetchWithRack, frame(name)).partitions;
    const racks = { ...plain, topic: "golden-racks", highWatermark: 2, lastStableOffset: 2 };
    const [preferred] = decodeRack("fetch_rack_preferred");
    const { preferredReplica } = preferred;
    assert.deepEqual(preferred, { ...racks, preferredReplica, start: 74, end: 74 });
    assert.ok(preferredReplica === 1 || preferredReplica === 2);
    for (
      const name of [
        ...["fetch_rack_of_leader", "fetch_rack_unknown", "fetch_rack_empty"] as const,
        "fetch_rack_follower" as const,
      ]
    ) assert.deepEqual(decodeRack(name), [{ ...racks, start: 74, end: 159 }], name);
  },
);

Deno.test(
  "Fetch 11: a follower's errors; without a rack it answers as if it were asked to lead",
  none,
  () => {
    const [later] = decodeWhole(fetchWithRack, frame("fetch_rack_later_epoch")).partitions;
    assert.equal(later.errorCode, 75);
    const [outside] = decodeWhole(fetchWithRack, frame("fetch_rack_out_of_range")).partitions;
    assert.equal(outside.errorCode, 1);
    const [refused] = decodeWhole(fetch, frame("fetch_of_follower_without_rack")).partitions;
    assert.equal(refused.errorCode, 6);
  },
);
