import type { Broker } from "../../scripts/servers/broker.ts";
import { type CliOptions, consumer, type Finished, text } from "./cli.ts";
import { createTopic, uniqueName } from "./kafka.ts";
import { bytes, double, long, record, string } from "../unit/records/avro_encode.ts";

export const ORDER = JSON.stringify(record("shop.Order", {
  id: "long",
  name: ["null", "string"],
  amount: { type: "bytes", logicalType: "decimal", precision: 9, scale: 2 },
  at: { type: "long", logicalType: "timestamp-millis" },
  customer: record("shop.Customer", { city: "string", score: "double" }),
}));

export function order(id: number, name: string | null): number[] {
  return [
    ...long(id),
    ...(name === null ? [0] : [2, ...string(name)]),
    ...bytes(0x30, 0x39), // 12345: 123.45
    ...long(1_700_000_000_123),
    ...string(`city "${id}"`),
    ...double(0.5),
  ];
}

export interface World {
  broker: Broker;
  topic: string;
  run(args: string[], options?: CliOptions): Promise<Finished>;
}

/** A topic of its own, and kafka_consumer on it. */
export async function world(broker: Broker, partitions = 1): Promise<World> {
  const topic = uniqueName("avro");
  await createTopic(broker, topic, { partitions });
  const run = (args: string[], options?: CliOptions) =>
    consumer(
      ["-b", broker.bootstrap, "-t", topic, "-g", topic, "--value", "avro", ...args],
      options,
    );
  return { broker, topic, run };
}

export const rowsOf = ({ stdout }: Finished) => text(stdout).split("\n").slice(0, -1);
