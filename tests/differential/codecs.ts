/** Compressed batches: ours read by Kafka's own classes, and theirs by us. */
import { Buffer } from "node:buffer";
import type { CodecImplementation } from "../../lib/protocol/codecs/codec.ts";
import { loadCodec } from "../../lib/protocol/codecs/codecs.ts";
import { Kernel } from "../../lib/protocol/kernel/kernel.ts";
import { compressBatch, readRecord } from "../../lib/protocol/record.ts";
import {
  Batch,
  type Codec,
  codecs,
  readHeader,
  recordEnd,
} from "../../lib/protocol/record_batch.ts";
import { Random } from "../support/random.ts";
import { Java } from "./java.ts";
import { type Size, Tally } from "./tally.ts";

/** A value of the runs' size stands for this many batches, each way. */
const BATCHES = 1 / 100;
/** More than any batch here has. */
const LIMIT = 64 * 1024 * 1024;

/** The levels that Kafka's producer accepts; 0 is its default. */
const levels: Record<Codec, readonly number[]> = {
  none: [0],
  gzip: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  snappy: [0],
  lz4: [0, 1, 2, 4, 8, 9, 10, 12, 17],
  zstd: [0, -7, -1, 1, 2, 3, 5, 9, 12, 19],
};

type Pair = [key: Uint8Array | null, value: Uint8Array | null];

/** Batches of one codec, each way. */
export async function codecBatches(codec: Codec, { values, seed }: Size): Promise<Tally> {
  const tally = new Tally();
  const random = new Random(seed);
  const implementation = await loadCodec(codec);
  await using java = await Java.start("JavaBatches.java");
  const count = Math.max(20, Math.round(values * BATCHES));
  for (let n = 0; n < count; n++) {
    const level = levels[codec][random.int(0, levels[codec].length - 1)];
    // One in 500 is larger than what is inflated at once.
    const pairs = n % 500 === 499 ? [largest(random)] : randomPairs(random);
    const what = `${codec} batch ${n} of seed ${seed}, level ${level}`;
    tally.values += 2;
    const theirs = await written(java, codec, level, pairs);
    try {
      compare(await readHere(theirs, implementation), pairs, `${what}, written by Java`, tally);
    } catch (error) {
      tally.differ(`${what}, written by Java: ${error}`);
    }
    const ours = compressBatch(records(pairs), 1000, codec, implementation).slice();
    try {
      compare(await readThere(java, ours), pairs, `${what}, read by Java`, tally);
    } catch (error) {
      tally.differ(`${what}, read by Java: ${error}`);
      break; // Java has ended.
    }
  }
  return tally;
}

function records(pairs: readonly Pair[]) {
  return pairs.map(([key, value]) => ({ key, value, headers: [] }));
}

function compare(found: readonly Pair[], expected: readonly Pair[], what: string, tally: Tally) {
  tally.rows += found.length;
  const isSame = (a: Uint8Array | null, b: Uint8Array | null) =>
    a === null || b === null ? a === b : Buffer.compare(a, b) === 0;
  const same = found.length === expected.length &&
    found.every(([key, value], i) => isSame(key, expected[i][0]) && isSame(value, expected[i][1]));
  if (!same) {
    tally.differ(`${what}: ${found.length} records instead of ${expected.length}, or others`);
  }
}

/** The records of a batch. Throws if its checksum is not that of its bytes. */
async function readHere(batch: Uint8Array, implementation: CodecImplementation): Promise<Pair[]> {
  const kernel = new Kernel();
  kernel.reserve(batch.length);
  kernel.bytes.set(batch, Kernel.DATA);
  const summed = Kernel.DATA + Batch.attributes;
  const view = new DataView(batch.buffer, batch.byteOffset, batch.length);
  if (kernel.crc32c(summed, batch.length - Batch.attributes) !== readHeader(view, 0).crc) {
    throw new Error("the checksum is wrong");
  }
  const packed = batch.subarray(Batch.records);
  const bytes = implementation.decompress(packed, LIMIT).slice();
  // The same piece by piece, as far as there is that.
  const stream = implementation.stream?.(packed) ?? null;
  if (stream !== null) {
    const parts: Uint8Array[] = [];
    for await (const part of stream) parts.push(part.slice());
    if (Buffer.compare(Buffer.concat(parts), bytes) !== 0) {
      throw new Error("pieces are other bytes");
    }
  }
  const pairs: Pair[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = recordEnd(bytes, at);
    const { key, value } = readRecord(bytes.subarray(at, end));
    pairs.push([key, value]);
    at = end;
  }
  return pairs;
}

const int32 = (value: number) => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value);
  return bytes;
};
const sized = (bytes: Uint8Array | null) =>
  bytes === null ? [int32(-1)] : [int32(bytes.length), bytes];

async function int(java: Java): Promise<number> {
  return new DataView((await java.take(4)).buffer).getInt32(0);
}

async function part(java: Java): Promise<Uint8Array | null> {
  const size = await int(java);
  return size < 0 ? null : await java.take(size);
}

/** The batch of these records that Java writes. */
async function written(java: Java, codec: Codec, level: number, pairs: readonly Pair[]) {
  await java.send(Buffer.concat([
    Uint8Array.of(0x57, codecs.indexOf(codec)),
    ...[int32(level), int32(pairs.length)],
    ...pairs.flatMap(([key, value]) => [...sized(key), ...sized(value)]),
  ]));
  return (await part(java))!;
}

/** The records that Java reads of a batch. */
async function readThere(java: Java, batch: Uint8Array): Promise<Pair[]> {
  await java.send(Buffer.concat([Uint8Array.of(0x52), ...sized(batch)]));
  const pairs: Pair[] = [];
  for (let left = await int(java); left > 0; left--) {
    pairs.push([await part(java), await part(java)]);
  }
  return pairs;
}

function largest(random: Random): Pair {
  return [null, content(random, 18 * 1024 * 1024 + random.int(0, 99_999))];
}

function randomPairs(random: Random): Pair[] {
  const count = random.int(0, 3) === 0 ? 1 : random.int(1, 40);
  // Most batches are small; some have a MiB.
  const most = [0, 20, 300, 3000, 60_000, 70_000][random.int(0, 5)];
  return Array.from({ length: count }, () => {
    const key = random.int(0, 2) === 0 ? null : content(random, random.int(0, 30));
    const value = random.int(0, 30) === 0 ? null : content(random, random.int(0, most));
    return [key, value];
  });
}

/** Bytes that compress well, badly or not at all. */
function content(random: Random, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  const kind = random.int(0, 5);
  const letters = random.int(2, 255);
  if (kind === 0) return bytes.fill(random.int(0, 255));
  for (let at = 0; at < size;) {
    // Copies of what came before, from near and from far, between other bytes.
    const isCopy = kind > 2 && at > 0 && random.int(0, 3) > 0;
    const length = Math.min(size - at, random.int(1, [1, 8, 40, 300, 70_000][random.int(0, 4)]));
    if (isCopy) {
      const back = random.int(1, Math.min(at, [1, 3, 20, 70_000, 1 << 22][random.int(0, 4)]));
      for (let i = 0; i < length; i++) bytes[at + i] = bytes[at + i - back];
    } else if (kind === 1) bytes.fill(random.int(0, 255), at, at + length);
    else for (let i = 0; i < length; i++) bytes[at + i] = random.int(0, letters);
    at += length;
  }
  return bytes;
}
