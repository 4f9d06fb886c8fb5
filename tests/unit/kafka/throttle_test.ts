/** KIP-219: a broker that throttles answers at once, and reads nothing for as long as it says. */
import assert from "node:assert/strict";
import { Cluster } from "../../../lib/kafka/cluster.ts";
import { lookUpOffsets } from "../../../lib/kafka/offsets.ts";
import { fetch } from "../../../lib/protocol/messages/fetch.ts";
import { LATEST, listOffsets } from "../../../lib/protocol/messages/list_offsets.ts";
import type { FetchRequest } from "../../../lib/protocol/messages/fetch.ts";
import { consumer, producer, text } from "../../support/cli.ts";
import { scriptedBroker } from "../../support/scripted_broker/mod.ts";

const local: { permissions: Deno.PermissionOptions } = { permissions: { net: ["127.0.0.1"] } };
const NOT_LEADER_OR_FOLLOWER = 6;

const request: FetchRequest = {
  isolation: "read_committed",
  maxWait: 0,
  maxBytes: 1000,
  partitionMaxBytes: 1000,
  topics: [{ topic: "t", partitions: [{ partition: 0, offset: 0 }] }],
};

/** A cluster with a topic, whose requests time out after 300 ms; `fetches` are throttled in turn. */
async function throttled(
  fetches: number[],
  use: (cluster: Cluster, lines: string[]) => Promise<void>,
): Promise<void> {
  await using kafka = await scriptedBroker({ topics: { t: 1 } });
  kafka.log("t").append(["a"]);
  kafka.on = { fetch: (call) => call.throttle(fetches[call.nth] ?? 0) };
  const lines: string[] = [];
  const config = kafka.config({ timeout: 300, debug: (line) => lines.push(line) });
  const cluster = new Cluster(config, [fetch, listOffsets]);
  try {
    await cluster.refresh(["t"]);
    await use(cluster, lines);
    assert.deepEqual(kafka.requests.filter((call) => call.whileMuted), []);
  } finally {
    cluster.close();
  }
}

Deno.test(
  "nothing is sent to a broker that throttles, however short the timeout is",
  local,
  () =>
    throttled([700], async (cluster, lines) => {
      const connection = await cluster.broker(1);
      await connection.call(fetch, request);
      const started = performance.now();
      const second = await connection.call(fetch, request);
      assert.ok(second.partitions[0].end > second.partitions[0].start);
      const took = performance.now() - started;
      assert.ok(took > 650 && took < 2000, `${took} ms`);
      assert.deepEqual(lines, [
        `${connection.name} throttles this client: nothing is sent to it for 700 ms (its quota is exceeded)`,
      ]);
    }),
);

Deno.test(
  "closing does not wait until the broker takes something again",
  local,
  () =>
    throttled([60_000], async (cluster) => {
      const connection = await cluster.broker(1);
      await connection.call(fetch, request);
      const waiting = connection.call(fetch, request);
      connection.close();
      await assert.rejects(waiting, { name: "ConnectionError", message: /was closed$/ });
    }),
);

Deno.test(
  "requests under way when the broker began to throttle have its time too",
  local,
  async () => {
    await using kafka = await scriptedBroker({ topics: { t: 1 } });
    kafka.on = { fetch: (call) => call.throttle(250) };
    const cluster = new Cluster(kafka.config({ timeout: 400 }), [fetch]);
    try {
      await cluster.refresh(["t"]);
      const connection = await cluster.broker(1);
      const calls = Array.from({ length: 4 }, () => connection.call(fetch, request));
      assert.equal((await Promise.all(calls)).length, 4);
    } finally {
      cluster.close();
    }
  },
);

Deno.test("time in which a client was muted does not count among its tries", local, async () => {
  await using kafka = await scriptedBroker({ topics: { t: 1 } });
  kafka.on = {
    listOffsets(call) {
      if (call.nth < 2) call.fail(NOT_LEADER_OR_FOLLOWER);
      call.throttle(350);
    },
  };
  const cluster = new Cluster(kafka.config({ timeout: 400 }), [listOffsets]);
  try {
    await cluster.refresh(["t"]);
    const item = { topic: "t", partition: 0, timestamp: LATEST };
    assert.deepEqual(await lookUpOffsets(cluster, "read_committed", [item]), [0]);
    assert.equal(kafka.requestsOf("listOffsets").length, 3);
  } finally {
    cluster.close();
  }
});

Deno.test("kafka_consumer reads all, past --timeout, if each answer is throttled", async () => {
  await using kafka = await scriptedBroker({ topics: { t: 1 } });
  for (let i = 0; i < 3; i++) kafka.log("t").append([`row ${i}`]);
  kafka.on = {
    fetch(call) {
      call.throttle(1500);
      // As a real broker over its quota: nothing but the time to wait.
      const [partition] = call.reply.topics[0].partitions;
      const { fetchOffset } = call.request.topics[0].partitions[0];
      const { bytes } = kafka.log("t").batches[fetchOffset];
      partition.records = call.nth % 2 === 0 ? new Uint8Array() : bytes;
    },
  };
  const args = ["-b", kafka.bootstrap, "-t", "t", "-o", "earliest", "--commit", "no", "-v"];
  const run = await consumer([...args, "--timeout", "1s"]);
  assert.equal(run.code, 0, run.stderr);
  assert.equal(text(run.stdout), "row 0\nrow 1\nrow 2\n");
  assert.match(run.stderr, /throttles this client: nothing is sent to it for 1500 ms/);
  assert.deepEqual(kafka.requests.filter((call) => call.whileMuted), []);
});

Deno.test("kafka_producer writes all, once, past --timeout, if each answer is throttled", async () => {
  await using kafka = await scriptedBroker({ topics: { t: 1 } });
  kafka.on = { produce: (call) => call.throttle(1500) };
  const rows = Array.from({ length: 400 }, (_, i) => `${i},${"x".repeat(9000)}`);
  const args = ["-b", kafka.bootstrap, "-t", "t", "--timeout", "1s"];
  const run = await producer(args, { stdin: rows.join("\n") + "\n" });
  assert.equal(run.code, 0, run.stderr);
  assert.equal(kafka.log("t").end, rows.length);
  assert.ok(kafka.requestsOf("produce").length > 2);
});
