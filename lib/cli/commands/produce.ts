import { inputSize } from "../../produce/input.ts";
import { produce, type Progress, type Summary } from "../../produce/produce.ts";
import { shapeOf } from "../../produce/shape.ts";
import { openSchema } from "../../produce/written_schema.ts";
import { clientConfig, readProperties } from "../flags/connection.ts";
import { registryOptions, schemaFile } from "../flags/registry.ts";
import { env } from "../environment.ts";
import { tryWrite } from "../print.ts";
import { ProgressLine } from "../progress.ts";
import { produceFlags, produceOptions } from "../flags/produce.ts";
import type { Command } from "../run.ts";

/** How far the run is, for the line that an interrupted run prints, and the line on the terminal. */
let progress: () => Progress = () => ({ read: 0, delivered: 0, bytes: 0 });
let line: ProgressLine | null = null;
/** What `delivered` means: with --acks 0 no broker confirms that a row arrived. */
let acknowledged = true;

/** Rows on stdin, or in files, to a Kafka topic. */
export const produceCommand: Command = {
  name: "kafka_producer",
  about: "writes each row of its input as a record to a Kafka topic",
  examples: [
    "kafka_producer --brokers broker1:9092 --topic crimes --header skip crimes.csv",
    "zcat crimes.csv.gz | kafka_producer --topic crimes --split csv --key-column 1 -z lz4",
  ],
  flags: produceFlags,
  interrupted() {
    line?.stop();
    const { read, delivered, doubt = null } = progress();
    const rows = `${delivered} of ${read} rows read were ${acknowledged ? "acknowledged" : "sent"}`;
    return doubt === null ? rows : `${rows}, rows from ${doubt} on are in doubt`;
  },
  async run(given, console) {
    const segment = env("GP_SEGMENT_ID");
    const clientId = segment === undefined ? "gpdb-kafka" : `gpdb-kafka-segment-${segment}`;
    const properties = await readProperties(given, env, console);
    const options = produceOptions(given, properties);
    const config = await clientConfig(given, env, console, clientId, properties);
    if (options.value === "avro") {
      options.schema = await openSchema({
        ...{ topic: options.topic, dryRun: options.dryRun, file: schemaFile(given) },
        registry: await registryOptions(given, env, console, properties),
        register: properties.get("auto.register.schemas") !== "false",
        check: (record) => shapeOf({ ...options, schema: { record, id: null } }),
      });
    }
    const shown = Deno.stderr.isTerminal() && !given.has("quiet");
    const size = shown ? await inputSize(options.files) : null;
    acknowledged = options.acks !== 0;
    const log = (text: string) => {
      line?.clear();
      console.warn(text);
    };
    const watch = (now: () => Progress) => {
      progress = now;
      if (shown) line = new ProgressLine(drawOnStderr, now, size);
    };
    let summary: Summary;
    try {
      summary = await produce(options, config, log, watch);
    } finally {
      line?.stop();
    }
    if (given.has("stats")) console.error(JSON.stringify(summary));
    else console.warn(inWords(summary));
  },
};

function drawOnStderr(text: string): void {
  tryWrite(Deno.stderr, text);
}

function inWords({ rows, bytes, empty, skipped, seconds, batches }: Summary): string {
  const left = [
    ...(empty > 0 ? [`${empty} empty lines`] : []),
    ...(skipped > 0 ? [`${skipped} bad rows`] : []),
  ];
  const done = batches
    ? `read, in ${batches.count} batches of ${batches.bytes} bytes, ` +
      `the largest ${batches.largest}; nothing was sent`
    : `${acknowledged ? "delivered" : "sent"} in ${seconds} s`;
  return `${rows} rows, ${bytes} bytes ${done}` +
    (left.length > 0 ? `; ${left.join(" and ")} left out` : "");
}
