import assert from "node:assert/strict";
import { consumer, gpdbKafka, producer, text } from "../support/cli.ts";
import { scriptedBroker } from "../support/scripted_broker/mod.ts";

/** A broker without what Azure Event Hubs and others leave out, beside transactions. */
function fewer() {
  return scriptedBroker({
    topics: { t: 1 },
    versions: { offsetForLeaderEpoch: null, initProducerId: null, describeConfigs: null },
  });
}

Deno.test("fewer APIs: without OffsetForLeaderEpoch all is read, and the log is not compared", async () => {
  await using kafka = await fewer();
  kafka.log("t").append(["1,a", "2,b"]);
  kafka.group("g").set("t/0", { offset: 1, leaderEpoch: 0, metadata: null });
  const at = ["-b", kafka.bootstrap, "--timeout", "30s"];
  const read = await consumer([...at, "-t", "t", "-g", "g", "-v"]);
  assert.deepEqual([read.code, text(read.stdout)], [0, "2,b\n"], read.stderr);
  assert.match(read.stderr, /does not accept OffsetForLeaderEpoch: its log is not compared/);
  assert.equal(kafka.group("g").get("t/0")?.offset, 2);
  assert.deepEqual(kafka.requestsOf("offsetForLeaderEpoch"), []);
  for (const command of [["lag", "-g", "g"], ["plan", "-t", "t"]]) {
    const run = await gpdbKafka([...command, ...at]);
    assert.equal(run.code, 0, `${command[0]}: ${run.stderr}`);
  }
});

Deno.test("fewer APIs: without InitProducerId a producer says what to do, and that works", async () => {
  await using kafka = await fewer();
  const args = ["-b", kafka.bootstrap, "-t", "t", "--timeout", "30s"];
  const refused = await producer(args, { stdin: "a\n" });
  assert.equal(refused.code, 69);
  assert.match(
    refused.stderr,
    /^kafka_producer: .*does not accept InitProducerId 1 — use --no-idempotence\n$/,
  );
  assert.ok(refused.ms < 20_000);
  const sent = await producer([...args, "--no-idempotence"], { stdin: "a\nb\n" });
  assert.deepEqual([sent.code, text(sent.stdout)], [0, ""], sent.stderr);
  // Uncompressed unless it is asked for: attributes of the batch, at its byte 21.
  const [{ request: { topics: [{ partitions: [{ records }] }] } }] = kafka.requestsOf("produce");
  assert.equal(new DataView(records.buffer, records.byteOffset).getInt16(21) & 7, 0);
});

Deno.test("fewer APIs: doctor warns of what can be done without, and names the rest", async () => {
  await using kafka = await fewer();
  const run = await gpdbKafka(["doctor", "-b", kafka.bootstrap, "-t", "t", "--timeout", "10s"]);
  const lines = text(run.stdout);
  assert.match(
    lines,
    /warn {2}versions: .*OffsetForLeaderEpoch 2 \(it accepts none\) — a log that/,
  );
  assert.match(lines, /warn {2}versions: .*InitProducerId 1 \(it accepts none\) — use .*--no-idem/);
  assert.doesNotMatch(lines, /fail {2}versions/);
  await using old = await scriptedBroker({ topics: { t: 1 }, versions: { fetch: [1, 6] } });
  const failed = await gpdbKafka(["doctor", "-b", old.bootstrap, "-t", "t", "--timeout", "10s"]);
  assert.match(
    text(failed.stdout),
    /fail {2}versions: .*Fetch 10 \(it accepts 1 to 6\) — Kafka 2\.1 or later is required/,
  );
});
