/**
 * Records what a leader and a follower in two racks answer (KIP-392): `deno run -A
 * tests/golden/capture_racks.ts` writes golden_racks.ts beside it. The records are kafkajs'.
 */
import { startBroker } from "../../scripts/servers/broker.ts";
import { fetch, fetchWithRack } from "../../lib/protocol/messages/fetch.ts";
import { createTopic, produce } from "../support/kafka.ts";
import { leadersOf, RACK_SELECTOR } from "../support/racks.ts";
import { type Frames, framesModule, Recorder } from "./recorder.ts";

const TOPIC = "golden-racks";
const frames: Frames = new Map();

await using broker = await startBroker({
  nodes: 2,
  heap: "256m",
  properties: RACK_SELECTOR,
  nodeProperties: (id) => ({ "broker.rack": `rack-${id}` }),
});
await createTopic(broker, TOPIC, { replication: 2 });
await produce(broker, TOPIC, ["1,one", "2,two"].map((value) => ({ value, timestamp: 0 })));

const [leader] = await leadersOf(broker, TOPIC);
const follower = 3 - leader;
const addresses = broker.bootstrap.split(",");
using toLeader = await Recorder.open(frames, addresses[leader - 1]);
using toFollower = await Recorder.open(frames, addresses[follower - 1]);

/** A request at offset 0, or another one, as a client in a rack. */
const ask = (rack: string, offset = 0, leaderEpoch = -1) => ({
  ...{ isolation: "read_committed" as const, maxWait: 100, rack },
  ...{ maxBytes: 1 << 20, partitionMaxBytes: 1 << 20 },
  topics: [{ topic: TOPIC, partitions: [{ partition: 0, offset, leaderEpoch }] }],
});

// The follower has the records when the leader says so, which knows it at its next fetch.
for (const end = Date.now() + 30_000;;) {
  const bytes = await toLeader.record(
    ...["fetch_rack_preferred", fetchWithRack, ask(`rack-${follower}`)] as const,
  );
  if (bytes.length < 80) break;
  if (Date.now() > end) throw new Error("Cannot record: the leader names no replica");
}
await toLeader.record("fetch_rack_of_leader", fetchWithRack, ask(`rack-${leader}`));
await toLeader.record("fetch_rack_unknown", fetchWithRack, ask("nowhere"));
await toLeader.record("fetch_rack_empty", fetchWithRack, ask(""));
await toFollower.record("fetch_rack_follower", fetchWithRack, ask(`rack-${follower}`, 0, 0));
await toFollower.record("fetch_rack_later_epoch", fetchWithRack, ask("", 0, 9));
await toFollower.record("fetch_rack_out_of_range", fetchWithRack, ask("", 99));
await toFollower.record("fetch_of_follower_without_rack", fetch, ask(""));

await Deno.writeTextFile(
  new URL("golden_racks.ts", import.meta.url),
  framesModule("capture_racks.ts", "goldenRacks", frames),
);
console.log(`leader ${leader}`);
for (const [name, bytes] of frames) console.log(`${name}: ${bytes.length} bytes`);
