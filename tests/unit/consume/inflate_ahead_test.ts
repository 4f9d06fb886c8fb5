import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { InflateAhead } from "../../../lib/consume/inflate_ahead.ts";
import { Inflater } from "../../../lib/consume/inflater.ts";
import { loadCodec } from "../../../lib/protocol/codecs/codecs.ts";
import { Kernel } from "../../../lib/protocol/kernel/kernel.ts";
import { Batch, BATCH_PREFIX, type Codec, codecs } from "../../../lib/protocol/record_batch.ts";
import { Random } from "../../support/random.ts";

/** A batch as it lies in a response; its records need not be any for those who inflate them. */
interface Stored {
  codec: Codec;
  records: Uint8Array;
  at: number;
  end: number;
}

/** Bytes that no codec makes smaller. */
function noise(size: number, seed: number): Uint8Array {
  const random = new Random(seed);
  return Uint8Array.from({ length: size }, () => random.int(0, 255));
}

/** A response of these batches, `perPartition` to a partition. */
async function respond(batches: [Codec, Uint8Array][], perPartition: number) {
  const kernel = new Kernel();
  const stored: Stored[] = [];
  let at = Kernel.DATA;
  for (const [codec, records] of batches) {
    const packed = (await loadCodec(codec)).compress(records);
    const end = at + Batch.records + packed.length;
    kernel.reserve(end - Kernel.DATA);
    kernel.view.setInt32(at + Batch.length, end - at - BATCH_PREFIX);
    kernel.view.setInt16(at + Batch.attributes, codecs.indexOf(codec));
    kernel.bytes.set(packed, at + Batch.records);
    stored.push({ codec, records, at, end });
    at = end;
  }
  const partitions = [];
  for (let first = 0; first < stored.length; first += perPartition) {
    const own = stored.slice(first, first + perPartition);
    partitions.push({
      ...{
        topic: "t",
        partition: partitions.length,
        errorCode: 0,
        aborted: [],
        preferredReplica: -1,
      },
      ...{ highWatermark: 0, lastStableOffset: 0, logStart: 0 },
      ...{ start: own[0].at, end: own.at(-1)!.end },
    });
  }
  return { kernel, stored, partitions };
}

/** Passes through a response as rows are made of it. Returns which batches the worker inflated. */
async function pass(
  inflater: Inflater,
  { kernel, stored, partitions }: Awaited<ReturnType<typeof respond>>,
): Promise<number[]> {
  const ahead = new InflateAhead(inflater, kernel, partitions);
  const found: number[] = [];
  for (const { start, end } of partitions) {
    for (let at = start; at < end;) {
      const reach = await ahead.reach(at, end);
      assert.ok(reach > at && reach <= end, `${at} ${reach} ${end}`);
      for (const batch of stored.filter((batch) => batch.at >= at && batch.at < reach)) {
        // Rows may stop between any two batches, and go on there.
        assert.equal(await ahead.reach(batch.at, end), reach);
        const records = ahead.records.get(batch.at);
        if (records === undefined) continue;
        assert.ok(Buffer.compare(records, batch.records) === 0, `batch at ${batch.at}`);
        found.push(stored.indexOf(batch));
      }
      at = reach;
    }
  }
  return found;
}

const KB = 1024;

Deno.test("ahead: every other piece comes from a worker, of each codec that is worth it", async () => {
  const lines: string[] = [];
  const inflater = new Inflater((line) => lines.push(line));
  try {
    for (const codec of ["snappy", "lz4", "zstd"] as const) {
      // Pieces of 256 KB and more: three batches each, and what is left of a partition.
      const batches = Array.from(
        { length: 16 },
        (_, i): [Codec, Uint8Array] => [codec, noise((90 + i) * KB, i)],
      );
      const found = await pass(inflater, await respond(batches, 8));
      assert.deepEqual(found, [0, 1, 2, 6, 7, 11, 12, 13], codec);
    }
    assert.deepEqual(lines, ["a worker inflates batches, too"], "one for all");
  } finally {
    inflater.close();
  }
});

Deno.test("ahead: no worker for little, for gzip, and for what is not compressed", async () => {
  const inflater = new Inflater((line) => assert.fail(line));
  const batch = (codec: Codec, kb: number): [Codec, Uint8Array] => [codec, noise(kb * KB, kb)];
  for (const codec of ["none", "gzip"] as const) {
    assert.deepEqual(await pass(inflater, await respond([batch(codec, 900)], 1)), []);
  }
  const little = [batch("zstd", 250), batch("zstd", 200), batch("none", 900)];
  assert.deepEqual(await pass(inflater, await respond(little, 2)), []);
});

Deno.test("ahead: batches of several kinds in one partition", async () => {
  const inflater = new Inflater(() => {});
  try {
    const kinds: Codec[] = ["none", "zstd", "lz4", "gzip", "snappy", "none", "zstd", "snappy"];
    const batches = kinds.map((codec, i): [Codec, Uint8Array] => [codec, noise(300 * KB, i)]);
    assert.deepEqual(await pass(inflater, await respond(batches, 8)), [1, 4, 7]);
  } finally {
    inflater.close();
  }
});

Deno.test("ahead: what a worker cannot inflate is left, and all after it in the piece", async () => {
  const inflater = new Inflater(() => {});
  try {
    const batches = Array.from(
      { length: 9 },
      (_, i): [Codec, Uint8Array] => ["zstd", noise(100 * KB, i)],
    );
    const response = await respond(batches, 9);
    const broken = response.stored[1];
    response.kernel.bytes.fill(0, broken.at + Batch.records, broken.end);
    assert.deepEqual(await pass(inflater, response), [0, 6, 7, 8]);

    batches[1] = ["zstd", new Uint8Array(33 * KB * KB)];
    assert.deepEqual(await pass(inflater, await respond(batches, 9)), [0, 7, 8], "too large");
  } finally {
    inflater.close();
  }
});

Deno.test("ahead: memory is bounded, whatever batches inflate to and however large they are", async () => {
  const inflater = new Inflater(() => {});
  try {
    // A piece of much noise, and then one of batches that weigh nothing: 3 MB each, inflated.
    const batches = Array.from({ length: 12 }, (): [Codec, Uint8Array] => [
      "zstd",
      new Uint8Array(3 * KB * KB),
    ]);
    batches[11] = ["zstd", noise(600 * KB, 1)];
    assert.deepEqual(await pass(inflater, await respond(batches, 12)), [0, 1], "more than 4 MB");
    const large = await respond([["zstd", noise(4097 * KB, 2)], ["zstd", noise(600 * KB, 3)]], 2);
    assert.deepEqual(await pass(inflater, large), [1], "more than 4 MB compressed");
  } finally {
    inflater.close();
  }
});

Deno.test("ahead: several responses at a time get their own", async () => {
  const inflater = new Inflater(() => {});
  try {
    const responses = await Promise.all(
      [1, 2, 3].map((leader) =>
        respond(
          Array.from({ length: 6 }, (_, i) => ["lz4", noise(300 * KB + leader, 10 * leader + i)]),
          2,
        )
      ),
    );
    const found = await Promise.all(responses.map((response) => pass(inflater, response)));
    assert.deepEqual(found, [[0, 2, 4], [0, 2, 4], [0, 2, 4]]);
  } finally {
    inflater.close();
  }
});

Deno.test("ahead: without a worker everything is left", { permissions: "none" }, async () => {
  const lines: string[] = [];
  const inflater = new Inflater((line) => lines.push(line));
  const batches = Array.from(
    { length: 4 },
    (_, i): [Codec, Uint8Array] => ["snappy", noise(300 * KB, i)],
  );
  assert.deepEqual(await pass(inflater, await respond(batches, 4)), []);
  assert.match(lines.join("\n"), /batches are inflated without a worker: .*read access/);
  inflater.close();
});

Deno.test("inflater: closing it ends every wait", async () => {
  const inflater = new Inflater(() => {});
  const { kernel, stored } = await respond([["zstd", noise(300 * KB, 1)]], 1);
  const waiting = inflater.inflate(kernel.bytes.subarray(stored[0].at, stored[0].end));
  inflater.close();
  assert.equal(await waiting, null);
  assert.equal(await inflater.inflate(new Uint8Array(100)), null);
});
