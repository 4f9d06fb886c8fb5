import assert from "node:assert/strict";
import type { RecordBatch } from "../../../lib/produce/batch.ts";
import { type Compressor, compressorOf } from "../../../lib/produce/compressor.ts";
import { Sealer } from "../../../lib/produce/sealer.ts";
import type { Sink } from "../../../lib/produce/sender.ts";
import type { Codec } from "../../../lib/protocol/record_batch.ts";
import { bytesOf, chunked, defaults, packInput, recordsOf } from "./support.ts";

/** Takes batches in their order, each when it is sealed, as the sender does. */
class Ordered implements Sink {
  readonly values: string[] = [];
  readonly codecs: Codec[] = [];
  /** How many came before they were sealed. */
  given = 0;
  readonly #decompress: Compressor["decompress"];
  readonly #waiting: RecordBatch[] = [];

  constructor({ decompress }: Compressor) {
    this.#decompress = decompress;
  }

  send(batch: RecordBatch): void {
    if (batch.sealing !== null) this.given++;
    this.#waiting.push(batch);
  }

  next(): number {
    return 0;
  }

  /** Waits for the first batch that is not sealed, so that the worker gets another one. */
  async one(): Promise<void> {
    await this.#waiting.find(({ sealing }) => sealing !== null)?.sealing;
  }

  async changed(): Promise<void> {
    const batch = this.#waiting.shift()!;
    await batch.sealing;
    assert.equal(batch.sealing, null);
    const plain = batch.codec === "none"
      ? batch.records
      : this.#decompress(batch.records, batch.recordsSize);
    this.codecs.push(batch.codec);
    for (const { value } of recordsOf(batch, plain)) this.values.push(value);
    batch.release();
  }

  async flush(): Promise<void> {
    while (this.#waiting.length > 0) await this.changed();
  }
}

const MB = 1024 * 1024;

/** Rows, about `size` bytes of them: long ones, so that few are to be read back. */
function rows(size: number): string[] {
  const row = (i: number) => `${i},${Math.imul(i, 2654435761) >>> 0},${"row ".repeat(i % 800)}`;
  return Array.from({ length: Math.ceil(size / 1615) }, (_, i) => row(i));
}

/** Packs and seals the rows, and checks that they are all there in order. */
async function sealAll(lines: string[], compressor: Compressor) {
  const log: string[] = [];
  const sealer = new Sealer(compressor, (line) => log.push(line));
  const sink = new Ordered(compressor);
  try {
    const input = chunked([bytesOf(lines.join("\n"))]);
    const read = (into: Uint8Array) => sink.one().then(() => input.read(into));
    await packInput({ ...input, read }, defaults, sink, 1, sealer);
  } finally {
    sealer.close();
  }
  assert.ok(sink.values.join("\n") === lines.join("\n"));
  return { given: sink.given, codecs: sink.codecs, log };
}

Deno.test("sealer: of much that is compressed with gzip a worker does a part", async () => {
  const compressor = (await compressorOf("gzip"))!;
  const { given, codecs, log } = await sealAll(rows(24 * MB), compressor);
  assert.ok(given > 2 && given <= codecs.length - 8, `${given} of ${codecs.length}`);
  assert.ok(codecs.every((codec) => codec === "gzip"));
  assert.deepEqual(log, ["a worker compresses batches, too"], "one for all");
});

Deno.test("sealer: no worker for little, and for codecs that are fast", async () => {
  for (const [codec, size] of [["gzip", 6 * MB], ["lz4", 12 * MB]] as const) {
    const compressor = (await compressorOf(codec))!;
    const { given, log } = await sealAll(rows(size), compressor);
    assert.deepEqual([given, log], [0, []], codec);
  }
});

Deno.test("sealer: what a worker cannot make smaller stays as it is", async () => {
  const compressor = (await compressorOf("gzip", 0))!;
  const { given, codecs } = await sealAll(rows(12 * MB), compressor);
  assert.ok(given > 0);
  assert.ok(codecs.every((codec) => codec === "none"));
});

Deno.test("sealer: without a worker all is compressed here", { permissions: "none" }, async () => {
  const compressor = (await compressorOf("gzip"))!;
  const { codecs, log } = await sealAll(rows(12 * MB), compressor);
  assert.ok(codecs.every((codec) => codec === "gzip"));
  assert.match(log.join("\n"), /batches are compressed without a worker: .*read access/);
});

Deno.test("sealer: what a worker fails at is compressed here, and all after it", async () => {
  const compressor = (await compressorOf("gzip"))!;
  const { given, codecs, log } = await sealAll(rows(12 * MB), { ...compressor, level: 99 });
  assert.ok(given > 0);
  assert.ok(codecs.every((codec) => codec === "gzip"));
  assert.match(
    log.join("\n"),
    /^a worker compresses.*\nbatches are compressed without a worker: .*/,
  );
});
