/** The topics that capture.ts records, filled by foreign clients: kafkajs and Kafka's own tools. */
import { Buffer } from "node:buffer";
import { CompressionTypes } from "kafkajs";
import type { Broker } from "../../scripts/servers/broker.ts";
import {
  consoleProduce,
  createTopic as createWith,
  deleteRecords,
  kafkajs,
} from "../support/kafka.ts";

/** Every kafkajs record's time: 2024-01-01T00:00:00Z and this many milliseconds. */
export const TIME = 1_704_067_200_000;

/**
 * Creates a topic that keeps records of any time in one segment, unless `configs` say otherwise.
 */
export async function createTopic(
  broker: Broker,
  topic: string,
  partitions = 1,
  configs: Record<string, string> = {},
): Promise<void> {
  const all = { "retention.ms": "-1", "segment.ms": "9223372036854775807", ...configs };
  await createWith(broker, topic, { partitions, configs: all });
}

/** golden-plain: keys, nulls, empty values, headers; three batches in partition 0, one in 1. */
export async function plain(broker: Broker): Promise<void> {
  await createTopic(broker, "golden-plain", 3);
  const producer = kafkajs(broker).producer();
  await producer.connect();
  const send = (partition: number, messages: Message[]) =>
    producer.send({
      topic: "golden-plain",
      messages: messages.map((message, i) => ({
        timestamp: String(TIME + i),
        ...message,
        partition,
      })),
    });
  await send(0, [
    { value: "1,one" },
    { key: "k", value: "2,two" },
    { key: "gone", value: null },
    { key: "", value: "" },
  ]);
  await send(0, [
    { key: "h", value: "3,drei ü", headers: { a: "1", trace: Buffer.from([0, 255]) } },
    { value: '4,"say ""hi"""', headers: { empty: "", many: ["x", "y"] } },
  ]);
  await send(0, [{ key: "long", value: `5,${"x".repeat(300)}`, timestamp: String(TIME + 60_000) }]);
  await send(1, [{ value: "6,other partition" }]);
  await producer.disconnect();
}

interface Message {
  key?: string;
  value: string | null;
  headers?: Record<string, string | Buffer | string[]>;
  timestamp?: string;
}

/** golden-gzip: one batch, compressed by kafkajs. */
export async function gzip(broker: Broker): Promise<void> {
  await createTopic(broker, "golden-gzip");
  const producer = kafkajs(broker).producer();
  await producer.connect();
  const messages = Array.from({ length: 20 }, (_, i) => ({
    value: `${i},the same words again and again`,
    timestamp: String(TIME + i),
  }));
  await producer.send({ topic: "golden-gzip", compression: CompressionTypes.GZIP, messages });
  await producer.disconnect();
}

/**
 * golden-tx: an aborted and a committed transaction, interleaved, with records of nobody's
 * transaction between them; then an abort and a commit of one producer. `open` is called while
 * the first two are under way; `written` waits until the log ends at an offset.
 */
export async function transactions(
  broker: Broker,
  open: () => Promise<void>,
  written: (end: number) => Promise<void>,
): Promise<void> {
  const topic = "golden-tx";
  await createTopic(broker, topic);
  const client = kafkajs(broker);
  const producer = (transactionalId: string) =>
    client.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 });
  const [aborts, commits, nobody] = [producer("aborts"), producer("commits"), client.producer()];
  await Promise.all([aborts.connect(), commits.connect(), nobody.connect()]);
  let sent = 0;
  const records = (...values: string[]) => ({
    topic,
    messages: values.map((value) => ({ value, timestamp: String(TIME + sent++) })),
  });
  await nobody.send(records("plain 0"));
  const aborted = await aborts.transaction();
  const committed = await commits.transaction();
  await aborted.send(records("void 1", "void 2"));
  await committed.send(records("kept 3", "kept 4"));
  await nobody.send(records("plain 5"));
  await aborted.send(records("void 6"));
  await committed.send(records("kept 7"));
  await open();
  // A marker is written some time after the coordinator said yes: each one is waited for.
  await aborted.abort();
  await written(9);
  await committed.send(records("kept 9"));
  await committed.commit();
  await written(11);
  const again = await aborts.transaction();
  await again.send(records("void 11"));
  await again.abort();
  await written(13);
  const last = await aborts.transaction();
  await last.send(records("kept 13"));
  await last.commit();
  await written(15);
  await nobody.send(records("plain 15"));
  await Promise.all([aborts.disconnect(), commits.disconnect(), nobody.disconnect()]);
}

/** golden-java: what Kafka's console producer sends, idempotent, with keys, headers and nulls. */
export async function java(broker: Broker): Promise<void> {
  await createTopic(broker, "golden-java");
  const lines = "h:1\tkey\tjava 0\n\\N\t\\N\tjava 1\nh:2,i:\\N\tkey\t\\N\n\\N\t\t\n";
  const properties = ["parse.key=true", "parse.headers=true", "null.marker=\\N"];
  await consoleProduce(
    broker,
    "golden-java",
    lines,
    properties.flatMap((property) => ["--property", property]),
  );
}

/** golden-compact: batches that the log cleaner left holes in, and one it emptied. */
export async function compacted(broker: Broker): Promise<void> {
  const configs = {
    "cleanup.policy": "compact",
    "segment.ms": "100",
    "min.cleanable.dirty.ratio": "0.01",
    "max.compaction.lag.ms": "100",
  };
  const topic = "golden-compact";
  await createTopic(broker, topic, 1, configs);
  // Of a producer that wrote nothing else, the cleaner keeps the emptied batch for its sequence.
  const send = async (...records: [key: string, value: string][]) => {
    const producer = kafkajs(broker).producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    const messages = records.map(([key, value]) => ({ key, value, timestamp: String(Date.now()) }));
    await producer.send({ topic, messages });
    await producer.disconnect();
  };
  await send(["a", "stale"], ["b", "kept 1"], ["a", "stale"], ["c", "kept 3"], ["a", "stale"]);
  await send(["d", "stale"], ["e", "stale"]);
  await send(["a", "new 7"], ["d", "new 8"], ["e", "new 9"]);
  // A record in a newer segment makes the ones before it the cleaner's.
  await new Promise((resolve) => setTimeout(resolve, 300));
  await send(["z", "last 10"]);
}

/** golden-deleted: the log starts at 2 of 4. */
export async function deleted(broker: Broker): Promise<void> {
  await createTopic(broker, "golden-deleted");
  const producer = kafkajs(broker).producer();
  await producer.connect();
  for (const value of ["gone 0", "gone 1", "kept 2", "kept 3"]) {
    await producer.send({
      topic: "golden-deleted",
      messages: [{ value, timestamp: String(TIME) }],
    });
  }
  await producer.disconnect();
  await deleteRecords(broker, "golden-deleted", { 0: 2 });
}
