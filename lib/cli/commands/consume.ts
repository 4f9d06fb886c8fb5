import { consume, type Summary } from "../../consume/consume.ts";
import { clientConfig, readProperties } from "../flags/connection.ts";
import { consumeFlags, consumeOptions } from "../flags/consume.ts";
import { registryOptions } from "../flags/registry.ts";
import { env } from "../environment.ts";
import { beforeExit } from "../signals.ts";
import type { Command } from "../run.ts";

/** Kafka topic to rows on stdout. */
export const consumeCommand: Command = {
  name: "kafka_consumer",
  about: "writes what is new in a Kafka topic to stdout, one row for each record",
  examples: [
    "kafka_consumer --brokers broker1:9092 --topic crimes --group loader",
    "kafka_consumer --topic crimes --offset -10 --commit no",
    "kafka_consumer --topic crimes --group loader --assign group --until forever",
    "kafka_consumer --topic orders --value json --fields 'id, customer.name, items[0].sku'",
  ],
  flags: consumeFlags,
  answers: true,
  async run(given, console) {
    const properties = await readProperties(given, env, console);
    const options = consumeOptions(given, env, properties);
    options.registry = await registryOptions(given, env, console, properties);
    const segment = env("GP_SEGMENT_ID");
    const clientId = segment === undefined ? "gpdb-kafka" : `gpdb-kafka-segment-${segment}`;
    const config = await clientConfig(given, env, console, clientId, properties);
    const summary = await consume(options, config, Deno.stdout.writable, console.warn, beforeExit);
    if (given.has("stats")) console.error(JSON.stringify(summary));
    else {
      if (summary.skipped > 0) console.warn(`${summary.skipped} bad records were left out`);
      if (summary.lost > 0) console.warn(`${summary.lost} offsets that are lost were skipped`);
    }
    if (summary.neverMet) console.debug(`paths never met: ${summary.neverMet.join(", ")}`);
    console.debug(inWords(summary));
    console.record(asRecord(summary, segment));
  },
};

function inWords({ rows, bytes, seconds, partitions }: Summary): string {
  return `${rows} rows, ${bytes} bytes of ${partitions.length} partitions in ${seconds} s`;
}

/** The line of a run in the log file: which segment read which offsets, and the counts. */
function asRecord(summary: Summary, segment = "-"): string {
  const { rows, bytes, skipped, tombstones, lost, seconds, partitions } = summary;
  const topics = [...new Set(partitions.map(({ topic }) => topic))].map((name) => {
    const read = partitions.filter(({ topic }) => topic === name)
      .map(({ partition, from, to }) => `${partition}:${from}-${to}`);
    return `topic=${name} ranges=${read.join(",")}`;
  });
  return `segment=${segment} ${topics.join(" ")} rows=${rows} bytes=${bytes} ` +
    `skipped=${skipped} tombstones=${tombstones} lost=${lost} seconds=${seconds}`;
}
