// The peer @platformatic/kafka: `platformatic.ts consume|produce BROKERS TOPIC CODEC|ROWS`.
import { Consumer, Producer } from "@platformatic/kafka";
import { TextLineStream } from "./lines.ts";

const [mode, brokers, topic, argument] = Deno.args;
const connection = { clientId: "bench", bootstrapBrokers: brokers.split(",") };

if (mode === "consume") {
  let left = Number(argument);
  const consumer = new Consumer({ ...connection, groupId: `bench-${crypto.randomUUID()}` });
  const stream = await consumer.consume({ topics: [topic], mode: "earliest", autocommit: false });
  const newline = Buffer.from("\n");
  let parts: Buffer[] = [];
  const flush = () => {
    const bytes = Buffer.concat(parts);
    for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
    parts = [];
  };
  for await (const { value } of stream) {
    if (parts.push(value, newline) >= 8192) flush();
    if (--left === 0) break;
  }
  flush();
} else {
  const producer = new Producer(connection);
  const compression = argument as "none";
  let messages: { topic: string; value: Buffer }[] = [];
  const send = async () => {
    await producer.send({ messages, compression, acks: -1 });
    messages = [];
  };
  for await (const line of Deno.stdin.readable.pipeThrough(new TextLineStream())) {
    if (messages.push({ topic, value: Buffer.from(line) }) === 10_000) await send();
  }
  if (messages.length > 0) await send();
}
Deno.exit(0);
