import assert from "node:assert/strict";
import { type Broker, startBroker } from "../../scripts/servers/broker.ts";
import { consumer, gpdbKafka, text } from "./cli.ts";
import { createTopic, groupOffsets, produce, uniqueName } from "./kafka.ts";

/** A topic of two partitions with 10 and 5 records, 1 s apart from 1000 s on, read by a group. */
export async function offsetsScene(name: string) {
  const broker = await startBroker();
  const topic = uniqueName(name);
  // Its records are of 1970: a broker would delete them, now and then.
  await createTopic(broker, topic, { partitions: 2, configs: { "retention.ms": "-1" } });
  await write(broker, topic, 0, 10);
  await write(broker, topic, 1, 5);
  const read = async () => {
    const run = await consumer(["-b", broker.bootstrap, "-t", topic, "-g", topic]);
    assert.equal(run.code, 0, run.stderr);
    return text(run.stdout).split("\n").slice(0, -1);
  };
  return {
    broker,
    topic,
    read,
    offsets: (args: string[], stdin?: string) =>
      gpdbKafka(["offsets", ...args, "-b", broker.bootstrap], { stdin }),
    stored: async () => [...(await groupOffsets(broker, topic, topic)).values()].map(Number),
    [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
  };
}

export async function write(broker: Broker, topic: string, partition: number, count: number) {
  const records = Array.from({ length: count }, (_, i) => ({
    value: `p${partition}-${i}`,
    timestamp: 1_000_000 + i * 1000,
  }));
  await produce(broker, topic, records, partition);
}
