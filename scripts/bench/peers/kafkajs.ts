// The peer kafkajs: `kafkajs.ts consume|produce BROKERS TOPIC [CODEC]`.
import { CompressionTypes, Kafka, logLevel } from "kafkajs";
import { TextLineStream } from "./lines.ts";

const [mode, brokers, topic, codec = "none"] = Deno.args;
const kafka = new Kafka({ brokers: brokers.split(","), logLevel: logLevel.NOTHING });

if (mode === "consume") {
  const admin = kafka.admin();
  await admin.connect();
  const left = new Map(
    (await admin.fetchTopicOffsets(topic)).filter(({ offset }) => offset !== "0")
      .map(({ partition, offset }) => [partition, BigInt(offset)]),
  );
  await admin.disconnect();
  const consumer = kafka.consumer({ groupId: `bench-${crypto.randomUUID()}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const done = Promise.withResolvers<void>();
  const newline = new Uint8Array([10]);
  await consumer.run({
    autoCommit: false,
    eachBatch: ({ batch }) => {
      const parts: Uint8Array[] = [];
      for (const { value } of batch.messages) parts.push(value!, newline);
      const bytes = Buffer.concat(parts);
      for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
      if (BigInt(batch.lastOffset()) + 1n >= left.get(batch.partition)!) {
        left.delete(batch.partition);
      }
      if (left.size === 0) done.resolve();
      return Promise.resolve();
    },
  });
  await done.promise;
} else {
  const producer = kafka.producer();
  await producer.connect();
  const compression = codec === "gzip" ? CompressionTypes.GZIP : CompressionTypes.None;
  let messages: { value: string }[] = [];
  const send = async () => {
    await producer.send({ topic, compression, messages });
    messages = [];
  };
  for await (const value of Deno.stdin.readable.pipeThrough(new TextLineStream())) {
    if (messages.push({ value }) === 10_000) await send();
  }
  if (messages.length > 0) await send();
}
Deno.exit(0);
