import { Failure } from "../../failure.ts";
import type { ProduceOptions } from "../../produce/options.ts";
import { isShaped } from "../../produce/shape.ts";
import { codecs } from "../../protocol/record_batch.ts";
import { connectionFlags } from "./connection.ts";
import type { Flag, Given } from "../flags.ts";
import type { Properties } from "../../properties/properties.ts";
import { parseCount, parseDuration } from "../values.ts";
import { produceRecordFlags, recordOptions } from "./produce_record.ts";

/** The producer's flags. */
export const produceFlags: readonly Flag[] = [
  {
    name: "topic",
    short: "t",
    value: "TOPIC",
    old: ["topic"],
    help: "write to this topic; it must exist",
  },
  {
    name: "header",
    value: "HOW",
    help: "skip: leave out the first row of each input; none: there is no header (none)",
  },
  {
    name: "split",
    value: "HOW",
    help:
      "what ends a row: line, csv (a newline outside quotes) or nul (line; csv if fields become headers or a value of another form)",
  },
  ...produceRecordFlags,
  { name: "partition", short: "p", value: "P", help: "write to this partition only" },
  {
    name: "partitioner",
    value: "HOW",
    help:
      "murmur2: the key chooses the partition, as in Java clients; sticky: keys do not (murmur2)",
  },
  { name: "codec", short: "z", value: "CODEC", help: `${codecs.join(", ")} (none)` },
  {
    name: "acks",
    value: "WHO",
    help: "all: all in-sync replicas acknowledge each row; 1: the leader; 0: none (all)",
  },
  { name: "no-idempotence", help: "do not let the brokers remove the duplicates of retries" },
  {
    name: "bad-record",
    value: "HOW",
    help: "if a row is too large, or cannot be a record: fail or skip (fail)",
  },
  { name: "rate", value: "N/s", help: "at most N rows a second" },
  { name: "batch-rows", value: "N", help: "pause after every N rows" },
  { name: "pause", value: "DUR", help: "the length of that pause (5s)" },
  { name: "dry-run", help: "send nothing; count the rows, and print how large their batches are" },
  { name: "stats", help: "print a JSON line with statistics on stderr at the end" },
  ...connectionFlags,
];

/** What to do, from the flags and the properties. Throws Failure (usage) naming the one that is wrong. */
export function produceOptions(given: Given, properties: Properties): ProduceOptions {
  const topic = given.get("topic")?.trim() ?? "";
  if (topic === "") throw new Failure("usage", "no topic: use --topic NAME");
  if (!/^[a-zA-Z0-9._-]{1,249}$/.test(topic)) {
    throw new Failure("usage", `--topic: "${topic}" cannot be the name of a topic`);
  }
  if (given.has("pause") && !given.has("batch-rows")) {
    throw new Failure("usage", "--pause requires --batch-rows");
  }
  given.excludes("partition", ["partitioner"]);
  const record = recordOptions(given);
  const acks = given.choice("acks", ["all", "1", "0"], "all");
  const codec = given.choice("codec", codecs, "none");
  return {
    topic,
    files: given.files,
    header: given.choice("header", ["skip", "none"], "none"),
    // Where fields are taken apart, newlines between quotes are part of them.
    split: given.choice("split", ["line", "csv", "nul"], isShaped(record) ? "csv" : "line"),
    ...record,
    partition: given.has("partition")
      ? parseCount("--partition", given.get("partition")!, 0)
      : null,
    partitioner: given.choice("partitioner", ["murmur2", "sticky"], "murmur2"),
    codec,
    level: codec === "gzip" ? gzipLevel(properties) : undefined,
    acks: acks === "all" ? -1 : acks === "1" ? 1 : 0,
    idempotent: acks === "all" && !given.has("no-idempotence"),
    badRecord: given.choice("bad-record", ["fail", "skip"], "fail"),
    rate: given.has("rate") ? parseRate(given.get("rate")!) : Infinity,
    batchRows: given.has("batch-rows")
      ? parseCount("--batch-rows", given.get("batch-rows")!, 1)
      : Infinity,
    pause: parseDuration("--pause", given.get("pause") ?? "5s"),
    dryRun: given.has("dry-run"),
  };
}

/**
 * What may be asked for: by Java's name, and by librdkafka's, which is also that of lz4. There 0 is
 * not to compress at all, and above gzip's highest level it is used.
 */
const levels: Readonly<Record<string, readonly [least: number, most: number]>> = {
  "compression.gzip.level": [1, 9],
  "compression.level": [0, 12],
};

/** The level of gzip that a property asks for; undefined: the default. Throws Failure (usage). */
function gzipLevel(properties: Properties): number | undefined {
  for (const [name, [least, most]] of Object.entries(levels)) {
    const text = properties.get(name) ?? "-1";
    if (text === "-1") continue;
    const level = /^\d{1,2}$/.test(text) ? Number(text) : NaN;
    if (level >= least && level <= most) return Math.min(level, 9);
    throw new Failure(
      "usage",
      `${name}: "${text}" is not a level from ${least} to ${most}, or -1 for the default`,
    );
  }
}

function parseRate(text: string): number {
  const match = /^(\d{1,9})(?:\/s)?$/.exec(text);
  if (!match || Number(match[1]) === 0) {
    throw new Failure("usage", `--rate: "${text}" is not a number of rows a second such as 500/s`);
  }
  return Number(match[1]);
}
