import assert from "node:assert/strict";
import { checkBatches } from "../../../lib/consume/check_batches.ts";
import { type BadRecord, RowContext } from "../../../lib/consume/row_context.ts";
import type { ConsumeOptions } from "../../../lib/consume/options.ts";
import { PartitionRows } from "../../../lib/consume/rows.ts";
import { Span } from "../../../lib/consume/span.ts";
import { Failure } from "../../../lib/failure.ts";
import { Kernel } from "../../../lib/protocol/kernel/kernel.ts";
import { fetch, type FetchedPartition } from "../../../lib/protocol/messages/fetch.ts";
import { Batch, batchEnd, int64At } from "../../../lib/protocol/record_batch.ts";
import { decodeWhole, frame } from "../../golden/frames.ts";
import { defaults } from "../../support/consume_options.ts";

const none = { permissions: "none" } as const;

interface Decoded {
  rows: string;
  done: number;
  context: RowContext;
  bad: BadRecord[];
}

/** Decodes one partition of a Fetch answer, offsets `from` to `end`, in place. */
function decode(
  bytes: Uint8Array,
  { from = 0, end = 1000, at = 0, ...options }: Partial<ConsumeOptions> & {
    from?: number;
    end?: number;
    /** Which of the answer's partitions. */
    at?: number;
  } = {},
  change: (kernel: Kernel, fetched: FetchedPartition) => void = () => {},
): Decoded {
  const kernel = new Kernel();
  kernel.reserve(bytes.length);
  kernel.bytes.set(bytes, Kernel.DATA);
  const fetched = decodeWhole(fetch, bytes).partitions[at];
  fetched.start += Kernel.DATA;
  fetched.end += Kernel.DATA;
  change(kernel, fetched);
  const checkCrcs = options.checkCrcs ?? true;
  // The answer is one to a request for its first offset, whatever is read of it.
  const asked = fetched.end > fetched.start ? int64At(kernel.view, fetched.start) : from;
  checkBatches(kernel, fetched, new Span(fetched, asked, end), checkCrcs);
  return decodeFetched(kernel, fetched, new Span(fetched, from, end), options);
}

function decodeFetched(
  kernel: Kernel,
  fetched: FetchedPartition,
  span: Span,
  options: Partial<ConsumeOptions> = {},
): Decoded {
  const bad: BadRecord[] = [];
  const context = new RowContext({ ...defaults, ...options }, (record) => bad.push(record));
  const source = new PartitionRows(context, kernel, fetched, span);
  let rows = "";
  // As rows are handed on: each time they start at the buffer's front again.
  while (!source.finished && !context.full) {
    const stop = source.write(kernel, Kernel.DATA, Kernel.DATA + 4 * 1024 * 1024);
    rows += new TextDecoder().decode(kernel.bytes.subarray(Kernel.DATA, stop));
  }
  return { rows, done: span.done, context, bad };
}

const LONG = `5,${"x".repeat(300)}\n`;
const HEADERS = '3,drei ü\n4,"say ""hi"""\n';

Deno.test("rows of a fetched partition; null values and empty ones are left out", none, () => {
  const { rows, done, context, bad } = decode(frame("fetch_plain"), { end: 7 });
  assert.equal(rows, `1,one\n2,two\n${HEADERS}${LONG}`);
  assert.equal(done, 7);
  assert.deepEqual(context.counts, { records: 5, rows: 5, skipped: 1, tombstones: 1 });
  const why = "the value is empty: Greenplum would miss its columns";
  const at = { topic: "golden-plain", partition: 0, offset: 3 };
  assert.deepEqual(bad, [{ ...at, why, record: null, codec: "none" }]);
});

Deno.test("null and empty values as empty rows", none, () => {
  const options = { tombstones: "empty", badRecord: "pass" } as const;
  const { rows, context } = decode(frame("fetch_plain"), options);
  assert.equal(rows, `1,one\n2,two\n\n\n${HEADERS}${LONG}`);
  assert.deepEqual(context.counts, { records: 7, rows: 7, skipped: 0, tombstones: 0 });
});

Deno.test("a bad record ends the run, naming topic, partition and offset", none, () => {
  const message =
    'topic "golden-plain" partition 0 offset 3: the value is empty: Greenplum would ' +
    "miss its columns (--bad-record skip leaves such records out)";
  assert.throws(
    () => decode(frame("fetch_plain"), { badRecord: "fail" }),
    (error) => error instanceof Failure && error.kind === "record" && error.message === message,
  );
});

Deno.test("every start and every end of a range, in the middle of batches too", none, () => {
  const rows = ["1,one\n", "2,two\n", "", "", "3,drei ü\n", '4,"say ""hi"""\n', LONG];
  for (let from = 0; from <= 7; from++) {
    for (let end = from; end <= 7; end++) {
      const decoded = decode(frame("fetch_plain"), { from, end });
      assert.equal(decoded.rows, rows.slice(from, end).join(""), `${from} to ${end}`);
      assert.equal(decoded.done, end, `${from} to ${end}`);
    }
  }
});

Deno.test("what was asked for from the middle of a batch starts there", none, () => {
  const { rows, done } = decode(frame("fetch_middle"), { from: 5 });
  assert.deepEqual([rows, done], [`4,"say ""hi"""\n${LONG}`, 7]);
});

Deno.test("a limit on rows stops in the middle of a batch, and says where", none, () => {
  const after = [[1, 1], [2, 2], [3, 5], [4, 6], [5, 7]];
  for (const [maxRecords, offset] of after) {
    const { done, context, rows } = decode(frame("fetch_plain"), { maxRecords });
    assert.ok(context.full);
    assert.equal(rows.split("\n").length - 1, maxRecords);
    assert.equal(done, offset, `${maxRecords} rows`);
    const rest = decode(frame("fetch_plain"), { from: done });
    assert.equal(rows + rest.rows, `1,one\n2,two\n${HEADERS}${LONG}`);
  }
});

Deno.test("a cut batch at the end is left to the next fetch", none, () => {
  const { rows, done } = decode(frame("fetch_cut"));
  assert.deepEqual([rows, done], [`1,one\n2,two\n${HEADERS}`, 6]);
  for (let cut = 1; cut < 613; cut++) {
    const decoded = decode(frame("fetch_plain"), {}, (_, fetched) => fetched.end -= cut);
    assert.ok([0, 4, 6].includes(decoded.done), `${cut} bytes cut: ${decoded.done}`);
  }
});

Deno.test("nothing fetched moves nothing", none, () => {
  const { rows, done } = decode(frame("fetch_empty"), { from: 3 });
  assert.deepEqual([rows, done], ["", 3]);
});

Deno.test("each partition of an answer has its own rows", none, () => {
  const rows = [0, 1, 2, 3].map((at) => decode(frame("fetch_many"), { at }).rows);
  assert.deepEqual(rows, [LONG, "6,other partition\n", "", "kept 2\nkept 3\n"]);
});

Deno.test("Java's records, and what the log cleaner left", none, () => {
  assert.equal(decode(frame("fetch_java")).rows, "java 0\njava 1\n");
  const { rows, done } = decode(frame("fetch_compacted"), { end: 10 });
  assert.deepEqual([rows, done], ["kept 1\nkept 3\nnew 7\nnew 8\nnew 9\n", 10]);
  // Offsets without a record are passed, or the end of a range would never be reached.
  for (const [from, end] of [[0, 1], [0, 5], [2, 3], [4, 5], [4, 6], [5, 6], [5, 7]]) {
    assert.equal(decode(frame("fetch_compacted"), { from, end }).done, end, `${from} to ${end}`);
  }
});

const COMMITTED = "plain 0\nkept 3\nkept 4\nplain 5\nkept 7\nkept 9\nkept 13\nplain 15\n";

Deno.test(
  "records of aborted transactions and markers are left out, offsets move past them",
  none,
  () => {
    const { rows, done, context } = decode(frame("fetch_transactions"));
    assert.deepEqual([rows, done], [COMMITTED, 16]);
    assert.deepEqual(context.counts, { records: 8, rows: 8, skipped: 0, tombstones: 0 });
  },
);

Deno.test("transactions aborted after the start of the fetch that began before it", none, () => {
  const { rows, done } = decode(frame("fetch_transactions_middle"), { from: 6 });
  assert.deepEqual([rows, done], ["kept 7\nkept 9\nkept 13\nplain 15\n", 16]);
});

Deno.test("a range may end within a transaction, or at a marker", none, () => {
  const offsets = COMMITTED.trim().split("\n").map((row) => Number(row.split(" ")[1]));
  for (let end = 0; end <= 16; end++) {
    const { rows, done } = decode(frame("fetch_transactions"), { end });
    assert.equal(rows.split("\n").length - 1, offsets.filter((offset) => offset < end).length);
    assert.equal(done, end);
  }
});

Deno.test("read_uncommitted reads all records, and no marker", none, () => {
  const isolation = "read_uncommitted";
  const { rows, done } = decode(frame("fetch_transactions_uncommitted"), { isolation });
  const all = "plain 0\nvoid 1\nvoid 2\nkept 3\nkept 4\nplain 5\nvoid 6\nkept 7\nkept 9\nvoid 11\n";
  assert.deepEqual([rows, done], [`${all}kept 13\nplain 15\n`, 16]);
});

Deno.test("any flipped bit in what the CRC covers is a Failure naming the batch", none, () => {
  const bytes = frame("fetch_middle");
  const [{ start }] = decodeWhole(fetch, bytes).partitions;
  const stop = batchEnd(new DataView(bytes.buffer), start, bytes.length);
  const message = 'topic "golden-plain" partition 0 base offset 4: ' +
    "the batch's CRC32C does not match its bytes";
  for (let bit = 8 * (start + Batch.attributes); bit < 8 * stop; bit += 3) {
    bytes[bit >> 3] ^= 1 << (bit & 7);
    assert.throws(
      () => decode(bytes, { from: 4 }),
      (error) => error instanceof Failure && error.kind === "record" && error.message === message,
      `bit ${bit}`,
    );
    bytes[bit >> 3] ^= 1 << (bit & 7);
  }
});

Deno.test("with CRCs unchecked, any byte may be anything: rows, or a Failure", none, () => {
  const right = frame("fetch_middle");
  const [{ start }] = decodeWhole(fetch, right).partitions;
  for (let at = start + Batch.attributes; at < right.length; at++) {
    for (const wrong of [0, 1, 0x7f, 0x80, 0xff, right[at] ^ 0x10]) {
      const bytes = right.slice();
      bytes[at] = wrong;
      try {
        decode(bytes, { from: 4, checkCrcs: false });
      } catch (error) {
        assert.ok(error instanceof Failure, `byte ${at} = ${wrong}: ${error}`);
        assert.match(error.message, /^topic "golden-plain" partition 0 (base )?offset -?\d+: /);
      }
    }
  }
});

Deno.test("an older message format is rejected by its number", none, () => {
  const bytes = frame("fetch_plain");
  const [{ start }] = decodeWhole(fetch, bytes).partitions;
  bytes[start + Batch.magic] = 1;
  assert.throws(() => decode(bytes), {
    message: 'topic "golden-plain" partition 0 offset 0: stored in message format 1, ' +
      "only format 2 (Kafka 0.11 and later) can be read",
  });
});

Deno.test("several MiB of batches, offsets above 2^32, are decoded whole", none, () => {
  const bytes = frame("fetch_plain");
  const [{ start, end, ...partition }] = decodeWhole(fetch, bytes).partitions;
  const batches = bytes.subarray(start, end);
  const rounds = Math.ceil((9 << 20) / batches.length);
  const kernel = new Kernel();
  kernel.reserve(64 + rounds * batches.length);
  const from = 2 ** 33 + 1;
  const at = Kernel.DATA + 64;
  for (let round = 0; round < rounds; round++) {
    const put = at + round * batches.length;
    kernel.bytes.set(batches, put);
    // A base offset is not in the CRC: brokers write it.
    const base = BigInt(from - 1 + 7 * round);
    kernel.view.setBigInt64(put, base);
    kernel.view.setBigInt64(put + 104, base + 4n);
    kernel.view.setBigInt64(put + 237, base + 6n);
  }
  const fetched = { ...partition, start: at, end: at + rounds * batches.length };
  const last = 2 ** 33 + 7 * rounds;
  const span = new Span(partition, from, last - 1);
  const { rows, done, context } = decodeFetched(kernel, fetched, span);
  const round = `1,one\n2,two\n${HEADERS}${LONG}`;
  // The first row is before the range, and the last one after it.
  assert.ok(rows === round.repeat(rounds).slice("1,one\n".length, -LONG.length));
  assert.equal(done, last - 1);
  assert.deepEqual(context.counts, {
    records: 5 * rounds - 2,
    rows: 5 * rounds - 2,
    skipped: rounds,
    tombstones: rounds,
  });
});
