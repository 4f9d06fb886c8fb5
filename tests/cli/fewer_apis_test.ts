import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { Connection } from "../../lib/kafka/connection.ts";
import { Kernel } from "../../lib/protocol/kernel/kernel.ts";
import { fetch, type FetchRequest } from "../../lib/protocol/messages/fetch.ts";
import { metadata } from "../../lib/protocol/messages/metadata.ts";
import { consumer, gpdbKafka, producer, text } from "../support/cli.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import { clientConfig } from "../support/scripted_broker/peer.ts";
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

Deno.test("fewer APIs: the versions of Azure Event Hubs", async () => {
  await using kafka = await scriptedBroker({
    topics: { t: 2 },
    versions: { fetch: [4, 6], metadata: [0, 5], offsetForLeaderEpoch: [0, 0] },
  });
  const at = ["-b", kafka.bootstrap, "--timeout", "30s"];
  const sent = await producer([...at, "-t", "t", "-p", "1"], { stdin: "1,a\n2,b\n" });
  assert.equal(sent.code, 0, sent.stderr);
  kafka.log("t", 0).append(["3,c"]);
  const read = await consumer([...at, "-t", "t", "-g", "g"]);
  assert.equal(read.code, 0, read.stderr);
  assert.deepEqual(text(read.stdout).split("\n").sort(), ["", "1,a", "2,b", "3,c"]);
  assert.equal(kafka.group("g").get("t/1")?.offset, 2);
  assert.deepEqual(
    [...new Set(kafka.requests.map(({ api, version }) => `${api} ${version}`))].sort(),
    [
      ...["apiVersions 0", "fetch 6", "findCoordinator 1", "initProducerId 1", "listOffsets 4"],
      ...["metadata 5", "offsetCommit 6", "offsetFetch 5", "produce 7"],
    ],
  );
  const doctor = text((await gpdbKafka(["doctor", ...at, "-t", "t"])).stdout);
  assert.match(doctor, /ok {4}versions: .* is asked with Fetch 6, for it accepts no 10/);
  assert.match(doctor, /ok {4}versions: .* is asked with Metadata 5, for it accepts no 7/);
  assert.doesNotMatch(doctor, /^fail/m);
});

Deno.test("fewer APIs: a real broker answers the older versions as the newer ones", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("older");
  await createTopic(broker, topic, { partitions: 2 });
  await produce(broker, topic, [{ value: "1,a" }, { value: "2,b" }], 1);
  const [host, port] = broker.bootstrap.split(":");
  const config = { ...clientConfig({ brokers: [broker.bootstrap] }), timeout: 30_000 };
  const connection = await Connection.open({ host, port: Number(port) }, config, []);
  try {
    const asked = { topics: [topic] };
    const { topics: [newer], ...rest } = await connection.call(metadata, asked);
    const { topics: [older], ...other } = await connection.call(metadata.older!, asked);
    assert.deepEqual(other, rest);
    const unknown = newer.partitions.map((partition) => ({ ...partition, leaderEpoch: -1 }));
    assert.deepEqual(older, { ...newer, partitions: unknown });
    const request: FetchRequest = {
      isolation: "read_committed",
      ...{ maxWait: 5000, maxBytes: 1 << 20, partitionMaxBytes: 1 << 20 },
      topics: [{ topic, partitions: [{ partition: 1, offset: 1 }] }],
    };
    const records = async (api: typeof fetch) => {
      const kernel = new Kernel();
      const { partitions: [{ start, end, ...more }], errorCode } = await connection.call(
        api,
        request,
        { into: kernel },
      );
      return { ...more, errorCode, bytes: kernel.bytes.slice(start, end) };
    };
    const found = await records(fetch.older!);
    assert.ok(found.bytes.length > 0);
    assert.deepEqual(found, await records(fetch));
  } finally {
    connection.close();
  }
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
  await using old = await scriptedBroker({ topics: { t: 1 }, versions: { fetch: [1, 5] } });
  const failed = await gpdbKafka(["doctor", "-b", old.bootstrap, "-t", "t", "--timeout", "10s"]);
  assert.match(
    text(failed.stdout),
    /fail {2}versions: .*Fetch 10 \(it accepts 1 to 5\) — Kafka 2\.1 or later is required/,
  );
});
