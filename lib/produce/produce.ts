import { Failure } from "../failure.ts";
import { Cluster } from "../kafka/cluster.ts";
import type { ClientConfig } from "../kafka/config.ts";
import { listOffsets } from "../protocol/messages/list_offsets.ts";
import { produce as produceApi } from "../protocol/messages/produce.ts";
import { Arena } from "./arena.ts";
import { BadRows } from "./bad_rows.ts";
import { type Compressor, compressorOf } from "./compressor.ts";
import { type Batches, DryRun } from "./dry_run.ts";
import { feed } from "./feed.ts";
import type { ProduceOptions } from "./options.ts";
import { BatchLimit, Packer } from "./packer.ts";
import { ANYBODY, newProducer } from "./producer_id.ts";
import { Sealer } from "./sealer.ts";
import { Sender } from "./sender.ts";
import { shapeOf } from "./shape.ts";
import { TooLarge } from "./too_large.ts";

/** What a run did so far. */
export interface Progress {
  /** Rows read, without empty lines and those left out. */
  read: number;
  /** Rows that the brokers acknowledged. */
  delivered: number;
  /** Bytes of the rows read. */
  bytes: number;
  /** The first row that was read and is not known to be delivered; null: all are. */
  doubt?: string | null;
}

/** What a run did. Offsets: `from` the first row's, `to` the one after the last. */
export interface Summary {
  rows: number;
  bytes: number;
  /** Empty lines. */
  empty: number;
  /** Bad rows left out (`--bad-record skip`). */
  skipped: number;
  seconds: number;
  partitions: { topic: string; partition: number; rows: number; from: number; to: number }[];
  /** Of a dry run: what would have been sent. */
  batches?: Batches;
}

/**
 * Reads rows from the inputs and delivers them to the topic. When it returns, every row is
 * acknowledged, or left out and counted. `watch` is given a function that returns how far it is;
 * `log` gets a line for each row left out.
 *
 * Throws Failure, which says how many rows are known to be delivered.
 */
export async function produce(
  options: ProduceOptions,
  config: ClientConfig,
  log: (line: string) => void,
  watch: (progress: () => Progress) => void,
): Promise<Summary> {
  const started = performance.now();
  const compressor = await compressorOf(options.codec, options.level);
  const bad = new BadRows(options, log);
  const done = options.dryRun
    ? await dryRun(options, compressor, bad, watch)
    : await deliver(options, config, compressor, bad, watch);
  return {
    ...done,
    skipped: bad.count,
    seconds: Math.round(performance.now() - started) / 1000,
  };
}

type Done = Omit<Summary, "skipped" | "seconds">;

async function deliver(
  options: ProduceOptions,
  config: ClientConfig,
  compressor: Compressor | null,
  bad: BadRows,
  watch: (progress: () => Progress) => void,
): Promise<Done> {
  const { topic } = options;
  const cluster = new Cluster(config, [produceApi, listOffsets]);
  try {
    const partitions = (await cluster.topic(topic)).partitions.length;
    if (options.partition !== null && options.partition >= partitions) {
      throw new Failure(
        "usage",
        `--partition: topic "${topic}" has ${partitions} partitions, from 0 on`,
      );
    }
    const identity = options.idempotent
      ? await newProducer(cluster, { topic, partition: options.partition ?? 0 })
      : ANYBODY;
    const limit = new BatchLimit();
    const tooLarge = new TooLarge(limit, compressor, bad);
    const sender = new Sender(
      cluster,
      options,
      partitions,
      identity,
      tooLarge.deal,
      bad.place,
    );
    const hashing = isHashing(options);
    const arena = new Arena(partitions, hashing ? partitions : 1, shapeOf(options));
    arena.setUp(options, hashing);
    const sealer = new Sealer(compressor, config.debug);
    const packer = new Packer(arena, options, sender, sealer, bad.add, limit);
    const doubt = () => {
      const line = Math.min(sender.firstLine, packer.firstLine);
      return line < Infinity ? bad.place(line) : null;
    };
    watch(() => ({
      read: packer.rows,
      delivered: sender.rows,
      bytes: packer.bytes,
      doubt: doubt(),
    }));
    try {
      await Promise.race([feed(arena, packer, options, bad), sender.failed]);
    } catch (error) {
      throw withCount(error, sender.rows, options.acks, doubt());
    } finally {
      packer.stop();
      sealer.close();
    }
    return {
      rows: sender.rows,
      bytes: packer.bytes,
      empty: packer.empty,
      partitions: sender.queues.map(({ topic, partition, rows, firstOffset, nextOffset }) => ({
        topic,
        partition,
        rows,
        from: firstOffset,
        to: nextOffset,
      })),
    };
  } finally {
    cluster.close();
  }
}

/** Everything but the sending, for one partition without a broker. */
async function dryRun(
  options: ProduceOptions,
  compressor: Compressor | null,
  bad: BadRows,
  watch: (progress: () => Progress) => void,
): Promise<Done> {
  const arena = new Arena(1, 1, shapeOf(options));
  arena.setUp(options, false);
  const sink = new DryRun();
  const packer = new Packer(arena, { ...options, partition: 0 }, sink, {
    seal: (batch) => batch.seal(compressor),
  }, bad.add);
  watch(() => ({ read: packer.rows, delivered: 0, bytes: packer.bytes }));
  try {
    await feed(arena, packer, options, bad);
  } finally {
    packer.stop();
  }
  const { rows, bytes, empty } = packer;
  return { rows, bytes, empty, partitions: [], batches: sink.batches };
}

/** Whether keys choose partitions. */
function isHashing({ key, partition, partitioner }: ProduceOptions): boolean {
  return key !== null && partition === null && partitioner === "murmur2";
}

/** A failure that also says what may be counted on: the rows before `first`, and some after it. */
function withCount(
  error: unknown,
  rows: number,
  acks: ProduceOptions["acks"],
  first: string | null,
): unknown {
  if (!(error instanceof Failure)) return error;
  const count = acks === 0 ? `${rows} rows were sent` : `${rows} rows are known to be delivered`;
  const doubt = first === null ? "" : `, rows from ${first} on are in doubt`;
  return new Failure(error.kind, `${error.message}; ${count}${doubt}`, { cause: error });
}
