/**
 * What becomes of each bit of a batch's header that is flipped on its way: the run ends and names the
 * batch, or nothing is missing.
 */
import assert from "node:assert/strict";
import { checkBatches } from "../../../lib/consume/check_batches.ts";
import { RowContext } from "../../../lib/consume/row_context.ts";
import { PartitionRows } from "../../../lib/consume/rows.ts";
import { Span } from "../../../lib/consume/span.ts";
import { Failure } from "../../../lib/failure.ts";
import { Kernel } from "../../../lib/protocol/kernel/kernel.ts";
import { fetch } from "../../../lib/protocol/messages/fetch.ts";
import { Batch, BATCH_PREFIX, batchEnd, int64At } from "../../../lib/protocol/record_batch.ts";
import { type Case, decodeWhole, frame } from "../../golden/frames.ts";
import { defaults } from "../../support/consume_options.ts";

const none = { permissions: "none" } as const;

interface Read {
  /** Each row begins with its offset. */
  rows: string[];
  /** The next offset to ask for. */
  next: number;
  done: number;
}

/** Reads a partition of a Fetch answer as the fetch loop does; null stands for a Failure that names it. */
function read(bytes: Uint8Array, from: number, checkCrcs: boolean): Read | null {
  const kernel = new Kernel();
  kernel.reserve(bytes.length);
  kernel.bytes.set(bytes, Kernel.DATA);
  const [fetched] = decodeWhole(fetch, bytes).partitions;
  fetched.start += Kernel.DATA;
  fetched.end += Kernel.DATA;
  const options = {
    ...defaults,
    checkCrcs,
    columns: ["offset" as const],
    badRecord: "pass" as const,
  };
  const context = new RowContext(options, () => {});
  const span = new Span(fetched, from, 100);
  const target = new Kernel();
  try {
    const next = checkBatches(kernel, fetched, span, checkCrcs);
    const rows = new PartitionRows(context, kernel, fetched, span);
    const start = context.ready(target);
    const end = rows.write(target, start, Infinity);
    assert.ok(rows.finished);
    const text = new TextDecoder().decode(target.bytes.subarray(start, end));
    return { rows: text.split("\n").slice(0, -1), next, done: span.done };
  } catch (error) {
    assert.ok(error instanceof Failure, `${error}`);
    assert.equal(error.kind, "record");
    assert.match(error.message, /^topic "golden-[a-z]+" partition 0 (base )?offset -?\d+: /);
    return null;
  }
}

const cases: [Case, from: number][] = [
  ["fetch_plain", 0],
  ["fetch_plain", 2],
  ["fetch_middle", 4],
  ["fetch_middle", 5],
  ["fetch_java", 0],
  ["fetch_compacted", 0],
  ["fetch_transactions", 0],
  ["fetch_transactions_middle", 6],
];

/** The header's fields that are not in the CRC, and may be flipped without a trace. */
const LEADER_EPOCH = BATCH_PREFIX;
const isLeaderEpoch = (byte: number) => byte >= LEADER_EPOCH && byte < LEADER_EPOCH + 4;
const isOutside = (byte: number) => byte < Batch.magic;

for (const [name, from] of cases) {
  Deno.test(`${name} from ${from}: no flipped bit of a header loses a row`, none, () => {
    const bytes = frame(name);
    const view = new DataView(bytes.buffer);
    const [{ start, end }] = decodeWhole(fetch, bytes).partitions;
    const right = read(bytes, from, true)!;
    assert.ok(right.rows.length > 0);
    for (let at = start, stop; at < end; at = stop) {
      stop = batchEnd(view, at, end);
      for (let byte = 0; byte < Batch.records; byte++) {
        for (let bit = 0; bit < 8; bit++) {
          bytes[at + byte] ^= 1 << bit;
          const got = read(bytes, from, true);
          const what = `batch at ${int64At(view, at)} byte ${byte} bit ${bit}`;
          bytes[at + byte] ^= 1 << bit;
          if (isLeaderEpoch(byte)) assert.deepEqual(got, right, what);
          else if (!isOutside(byte)) assert.equal(got, null, what);
          else if (got !== null) assertNothingMissing(got, right, from, what);
        }
      }
    }
  });
}

/** What was not read is asked for again: the rows are the right ones up to the next offset. */
function assertNothingMissing(got: Read, right: Read, from: number, what: string): void {
  assert.ok(got.next >= from && got.next <= right.next, `${what}: next is ${got.next}`);
  assert.ok(got.done <= Math.max(from, got.next), `${what}: done is ${got.done}`);
  const until = right.rows.filter((row) => parseInt(row) < got.next);
  assert.deepEqual(got.rows, until, what);
}

Deno.test(
  "without CRCs the structure is still checked: counts and offsets that can't be",
  none,
  () => {
    const change = (field: number, value: number) => {
      const bytes = frame("fetch_plain");
      const [{ start }] = decodeWhole(fetch, bytes).partitions;
      new DataView(bytes.buffer).setInt32(start + field, value);
      return read(bytes, 0, false);
    };
    // The first batch has records 0 to 3.
    assert.equal(change(Batch.count, 4)?.next, 7);
    for (const count of [-1, -0x80000000, 0x7fffffff, 5, 3, 0]) {
      assert.equal(change(Batch.count, count), null, `count ${count}`);
    }
    for (const delta of [-1, -0x80000000, 2, 0, 4]) {
      assert.equal(change(Batch.lastOffsetDelta, delta), null, `lastOffsetDelta ${delta}`);
    }
    // Past the high watermark: as if it had not come.
    assert.deepEqual(change(Batch.lastOffsetDelta, 0x7fffffff), { rows: [], next: 0, done: 0 });
  },
);

Deno.test("without CRCs: record deltas rise strictly, up to the batch's last one", none, () => {
  const bytes = frame("fetch_compacted");
  const [{ start }] = decodeWhole(fetch, bytes).partitions;
  // Records of offsets 1 and 3: length, attributes, time, delta (zigzag).
  const first = start + Batch.records + 3;
  const second = first + bytes[start + Batch.records] / 2 + 1;
  assert.deepEqual([bytes[first], bytes[second]], [2, 6]);
  const change = (a: number, b: number) => {
    const changed = bytes.slice();
    changed[first] = a;
    changed[second] = b;
    return read(changed, 0, false);
  };
  assert.equal(change(2, 8)?.rows[1], "4,kept 3");
  for (const [a, b] of [[6, 6], [6, 2], [2, 2], [1, 6], [2, 10], [2, 1], [10, 12]]) {
    assert.equal(change(a, b), null, `${a} ${b}`);
  }
});

Deno.test("a batch can't begin before the end of the one that was read last", none, () => {
  const bytes = frame("fetch_middle");
  const kernel = new Kernel();
  kernel.reserve(bytes.length);
  kernel.bytes.set(bytes, Kernel.DATA);
  const check = (fetched: number, isBetweenBatches: boolean) => {
    const [partition] = decodeWhole(fetch, bytes).partitions;
    partition.start += Kernel.DATA;
    partition.end += Kernel.DATA;
    const span = new Span(partition, fetched, 100);
    span.isBetweenBatches = isBetweenBatches;
    return checkBatches(kernel, partition, span, true);
  };
  // It has offsets 4 and 5, and then 6.
  assert.equal(check(4, true), 7);
  assert.equal(check(3, true), 7);
  assert.equal(check(5, false), 7);
  for (const [fetched, isBetween] of [[5, true], [6, false], [6, true]] as const) {
    assert.throws(() => check(fetched, isBetween), {
      message: 'topic "golden-plain" partition 0 base offset 4: the batch of offsets 4 to 5 ' +
        `cannot be right: offset ${fetched} was expected`,
    });
  }
});

Deno.test("offsets past the high watermark are asked for again", none, () => {
  for (
    const [highWatermark, next, rows] of [[7, 7, 6], [6, 6, 5], [5, 4, 3], [4, 4, 3], [3, 0, 0]]
  ) {
    const bytes = frame("fetch_plain");
    const view = new DataView(bytes.buffer);
    const at = bytes.findIndex((_, i) => i > 30 && view.getBigInt64(i) === 7n);
    view.setBigInt64(at, BigInt(highWatermark));
    const got = read(bytes, 0, true)!;
    assert.deepEqual([got.next, got.rows.length], [next, rows], `${highWatermark}`);
  }
});
