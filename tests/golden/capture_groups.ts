/**
 * Records what a broker says of a group whose member is Java's consumer with the new protocol
 * (KIP-848): `deno run -A tests/golden/capture_groups.ts` writes golden_groups.ts beside it.
 */
import { startBroker } from "../../scripts/servers/broker.ts";
import { consumerGroupDescribe } from "../../lib/protocol/messages/consumer_group_describe.ts";
import { Reader } from "../../lib/protocol/reader.ts";
import { consoleConsumer, createTopic, kafkajs } from "../support/kafka.ts";
import { type Frames, framesModule, Recorder } from "./recorder.ts";

const frames: Frames = new Map();
const TOPIC = "golden-members";

await using broker = await startBroker({ own: true, heap: "256m" });
await createTopic(broker, TOPIC, { partitions: 2 });
using recorder = await Recorder.open(frames, broker.bootstrap);

const [command, ...args] = await consoleConsumer(broker, TOPIC, [
  ...["--group", "golden-new", "--consumer-property", "group.protocol=consumer"],
]);
const java = new Deno.Command(command, { args, stdout: "null", stderr: "null" }).spawn();
try {
  for (const end = Date.now() + 60_000;;) {
    const bytes = await recorder.record(
      ...["consumer_group_describe", consumerGroupDescribe, { group: "golden-new" }] as const,
    );
    const [{ members, state }] = consumerGroupDescribe.decode(new Reader(bytes)).groups;
    if (members.length === 1 && state === "Stable") break;
    if (Date.now() > end) throw new Error("Cannot record: the member does not come");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
} finally {
  java.kill("SIGTERM");
  await java.status;
}
await recorder.record("consumer_group_describe_missing", consumerGroupDescribe, { group: "none" });
const consumer = kafkajs(broker).consumer({ groupId: "golden-classic", maxWaitTimeInMs: 100 });
const joined = Promise.withResolvers<void>();
consumer.on(consumer.events.GROUP_JOIN, () => joined.resolve());
await consumer.connect();
await consumer.subscribe({ topic: TOPIC });
await consumer.run({ eachMessage: async () => {} });
await joined.promise;
const classic = { group: "golden-classic" };
await recorder.record("consumer_group_describe_classic", consumerGroupDescribe, classic);
await consumer.disconnect();

const text = framesModule("capture_groups.ts", "goldenGroups", frames);
await Deno.writeTextFile(new URL("golden_groups.ts", import.meta.url), text);
for (const [name, bytes] of frames) console.log(`${name}: ${bytes.length} bytes`);
