/** Record batches larger than clients write them, and what a process takes to read them. */
import { createGzip } from "node:zlib";
import type { Broker } from "../../scripts/servers/broker.ts";
import { Cluster } from "../../lib/kafka/cluster.ts";
import { loadCodec } from "../../lib/protocol/codecs/codecs.ts";
import { Kernel } from "../../lib/protocol/kernel/kernel.ts";
import { produce } from "../../lib/protocol/messages/produce.ts";
import { Batch, type Codec, writeHeader, writeTime } from "../../lib/protocol/record_batch.ts";
import { putVarint, varintSize as sizeOf } from "../../lib/protocol/varint.ts";
import { commandLine, type Program } from "./cli.ts";
import { clientConfig } from "./scripted_broker/peer.ts";

/** A batch of this many records; their values may be made again and again. */
export async function largeBatch(
  codec: Codec,
  count: number,
  value: (index: number) => Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const packed = codec === "gzip"
    ? await gzip(parts(count, value))
    : (await loadCodec(codec)).compress(joined([...parts(count, value)]));
  const kernel = new Kernel();
  const size = Batch.records + packed.length;
  kernel.reserve(size);
  const start = Kernel.DATA;
  const { bytes, view } = kernel;
  writeHeader(view, start, size, count, codec);
  writeTime(view, start, Date.now());
  bytes.set(packed, start + Batch.records);
  const summed = size - Batch.attributes;
  view.setUint32(start + Batch.crc, kernel.crc32c(start + Batch.attributes, summed));
  return bytes.slice(start, start + size);
}

/** The records' bytes, a few MB at a time. */
function* parts(count: number, value: (index: number) => Uint8Array): Generator<Uint8Array> {
  let out = new Uint8Array(4 << 20);
  let at = 0;
  const varint = (n: number) => at = putVarint(out, at, n);
  for (let index = 0; index < count; index++) {
    const bytes = value(index);
    if (at + bytes.length + 32 > out.length) {
      yield out.subarray(0, at);
      out = new Uint8Array(Math.max(4 << 20, bytes.length + 32));
      at = 0;
    }
    varint(2 + sizeOf(index) + 1 + sizeOf(bytes.length) + bytes.length + 1);
    out[at++] = 0; // attributes
    varint(0); // time
    varint(index);
    varint(-1); // no key
    varint(bytes.length);
    out.set(bytes, at);
    at += bytes.length;
    varint(0); // no headers
  }
  yield out.subarray(0, at);
}

async function gzip(source: Generator<Uint8Array>): Promise<Uint8Array> {
  const stream = createGzip();
  const collected = (async () => {
    const pieces: Uint8Array[] = [];
    for await (const piece of stream) pieces.push(piece);
    return joined(pieces);
  })();
  for (const part of source) {
    await new Promise<void>((resolve, reject) =>
      stream.write(part, (error) => error ? reject(error) : resolve())
    );
  }
  stream.end();
  return await collected;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Writes a batch as it is to a partition of a real broker. */
export async function putBatch(
  broker: Broker,
  topic: string,
  batch: Uint8Array<ArrayBuffer>,
  partition = 0,
): Promise<void> {
  const brokers = broker.bootstrap.split(",");
  const cluster = new Cluster(clientConfig({ brokers, timeout: 60_000 }), [produce]);
  try {
    await cluster.refresh([topic]);
    const connection = await cluster.broker(cluster.leader(topic, partition));
    const [{ errorCode }] = await connection.call(produce, {
      ...{ topic, partition, acks: -1, timeout: 60_000 },
      recordsSize: batch.length,
    }, { tail: batch });
    if (errorCode !== 0) throw new Error(`the broker refused a batch: error ${errorCode}`);
  } finally {
    cluster.close();
  }
}

export interface Measured {
  code: number;
  stderr: string;
  rows: number;
  bytes: number;
  /** The most memory the process had, and what it had at last, MB. */
  peak: number;
  last: number;
}

const MB = 1024 * 1024;

/** Runs a program, counts the rows that it writes, and looks at its memory meanwhile. */
export async function measure(program: Program, args: readonly string[]): Promise<Measured> {
  const [command, ...rest] = commandLine(program, args);
  const child = new Deno.Command(command, {
    args: rest,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let peak = 0;
  let last = 0;
  const look = () => {
    try {
      const status = Deno.readTextFileSync(`/proc/${child.pid}/status`);
      const of = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
      peak = Math.max(peak, of("VmHWM") * 1024 / MB);
      last = of("VmRSS") * 1024 / MB || last;
    } catch {
      // It has ended.
    }
  };
  const timer = setInterval(look, 5);
  let rows = 0;
  let bytes = 0;
  const counting = (async () => {
    for await (const chunk of child.stdout) {
      for (let at = -1; (at = chunk.indexOf(10, at + 1)) !== -1;) rows++;
      bytes += chunk.length;
      look();
    }
  })();
  try {
    const stderr = await new Response(child.stderr).text();
    await counting;
    const { code } = await child.status;
    return { code, stderr, rows, bytes, peak, last };
  } finally {
    clearInterval(timer);
  }
}
