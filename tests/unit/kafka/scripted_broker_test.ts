/** The scripted broker itself, by what our programs and a foreign client make of it. */
import assert from "node:assert/strict";
import { Kafka, logLevel } from "kafkajs";
import { consumer, producer, text } from "../../support/cli.ts";
import { scriptedBroker } from "../../support/scripted_broker/mod.ts";
import "../../../lib/kafka/kafkajs/timers.ts";

const rows = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `row ${from + i}`);

Deno.test("scripted broker: our consumer reads and commits, and then finds nothing new", async () => {
  await using kafka = await scriptedBroker({ brokers: 2, topics: { t: 2 } });
  kafka.log("t", 0).append(rows(0, 3)).append(rows(3, 5));
  kafka.log("t", 1).append(rows(5, 9), { base: 100 });
  const args = ["-b", kafka.bootstrap, "-t", "t", "-g", "g", "--timeout", "5s"];
  const first = await consumer(args);
  assert.equal(first.stderr, "");
  assert.deepEqual(text(first.stdout).trim().split("\n").sort(), rows(0, 9));
  const stored = [...kafka.group("g")].map(([name, { offset }]) => [name, offset]);
  assert.deepEqual(stored.sort(), [["t/0", 5], ["t/1", 104]]);
  const second = await consumer(args);
  assert.deepEqual([second.code, text(second.stdout)], [0, ""]);
});

Deno.test("scripted broker: a leader that moves is followed, a lost answer is asked for again", async () => {
  await using kafka = await scriptedBroker({
    brokers: 3,
    topics: { t: 1 },
    on: {
      fetch(call) {
        if (call.nth === 0) kafka.log("t").leader = 2, call.fail(6);
        else if (call.nth === 1) call.close(30);
      },
    },
  });
  kafka.log("t").append(rows(0, 4));
  const args = ["-b", kafka.bootstrap, "-t", "t", "-o", "earliest", "--commit", "no"];
  const { stdout, stderr } = await consumer(args);
  assert.equal(stderr, "");
  assert.deepEqual(text(stdout).trim().split("\n"), rows(0, 4));
  assert.deepEqual(kafka.requestsOf("fetch").map(({ broker }) => broker), [1, 2, 2]);
});

Deno.test("scripted broker: what our producer writes is stored once, even if an answer is lost", async () => {
  await using kafka = await scriptedBroker({
    topics: { t: 1 },
    on: {
      produce(call) {
        if (call.nth > 0) return;
        assert.equal(call.reply.topics[0].partitions[0].baseOffset, 0);
        call.close();
      },
    },
  });
  const { code, stderr } = await producer(["-b", kafka.bootstrap, "-t", "t"], { stdin: "a\nb\n" });
  assert.equal(code, 0, stderr);
  assert.equal(kafka.log("t").end, 2);
  assert.equal(kafka.requestsOf("produce").length, 2);
});

Deno.test("scripted broker: kafkajs reads its metadata and offsets", async () => {
  await using kafka = await scriptedBroker({ topics: { t: 2 } });
  kafka.log("t", 1).append(rows(0, 7));
  const client = new Kafka({ brokers: kafka.addresses, logLevel: logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  try {
    const offsets = await admin.fetchTopicOffsets("t");
    assert.deepEqual(offsets.map(({ partition, high }) => [partition, high]).sort(), [
      [0, "0"],
      [1, "7"],
    ]);
  } finally {
    await admin.disconnect();
  }
});

Deno.test("scripted broker: a throttled connection is muted, and requests meanwhile are noticed", async () => {
  await using kafka = await scriptedBroker({
    topics: { t: 1 },
    on: { metadata: (call) => call.nth === 0 ? call.throttle(300) : undefined },
  });
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: kafka.brokers.get(1)!.port });
  const ask = (correlation: number) => {
    const bytes = new Uint8Array(4 + 10 + 4 + 1);
    const view = new DataView(bytes.buffer);
    [bytes.length - 4].forEach((size) => view.setInt32(0, size));
    [3, 4].forEach((value, i) => view.setInt16(4 + 2 * i, value));
    view.setInt32(8, correlation);
    view.setInt16(12, -1);
    view.setInt32(14, -1);
    return conn.write(bytes);
  };
  const read = async () => await conn.read(new Uint8Array(1000));
  await ask(1);
  await read();
  const told = performance.now();
  await ask(2);
  await read();
  assert.ok(performance.now() - told > 250);
  assert.deepEqual(kafka.requests.map(({ whileMuted }) => whileMuted), [false, true]);
  conn.close();
});
