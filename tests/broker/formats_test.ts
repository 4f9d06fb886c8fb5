import assert from "node:assert/strict";
import { type Broker, startBroker } from "../../scripts/servers/broker.ts";
import { consumer, text } from "../support/cli.ts";
import {
  consoleConsume,
  consoleProduce,
  createTopic,
  deleteRecords,
  kafkajs,
  produce,
  type TestRecord,
  uniqueName,
} from "../support/kafka.ts";

const large = { "max.message.bytes": "20000000" };

/** What kafka_consumer writes of a topic, from its start. */
async function read(broker: Broker, topic: string, ...args: string[]): Promise<string> {
  const run = await consumer(["-b", broker.bootstrap, "-t", topic, "-o", "earliest", ...args]);
  assert.equal(run.code, 0, run.stderr);
  return text(run.stdout);
}

/** Writes transactions by turns, so that their records lie between one another; some are aborted. */
async function produceTransactions(broker: Broker, topic: string): Promise<string[]> {
  const committed: string[] = [];
  for (let round = 0; round < 3; round++) {
    const open = await Promise.all([0, 1, 2].map(async (id) => {
      const producer = kafkajs(broker).producer({
        transactionalId: `${topic}-${id}`,
        idempotent: true,
        maxInFlightRequests: 1,
      });
      await producer.connect();
      return { id, producer, transaction: await producer.transaction() };
    }));
    for (let step = 0; step < 3; step++) {
      for (const { id, transaction } of open) {
        const value = `round ${round} producer ${id} step ${step}`;
        await transaction.send({ topic, messages: [{ value, partition: 0 }] });
        if (id !== 1) committed.push(value);
      }
      await produce(broker, topic, [{ value: `round ${round} outside ${step}` }]);
      committed.push(`round ${round} outside ${step}`);
    }
    for (const { id, producer, transaction } of open) {
      await (id === 1 ? transaction.abort() : transaction.commit());
      await producer.disconnect();
    }
  }
  return committed;
}

Deno.test("what kafka_consumer writes is what the Java console consumer reads", async () => {
  await using broker = await startBroker({ properties: { "message.max.bytes": "20000000" } });
  const prefix = uniqueName("equal");
  const topics: string[] = [];
  const create = async (name: string) => {
    const topic = `${prefix}-${name}`;
    await createTopic(broker, topic, { configs: large });
    topics.push(topic);
    return topic;
  };
  // Foreign encoders for every codec: 3,000 rows, several batches each.
  const lines = Array.from(
    { length: 3000 },
    (_, i) => `${i},"row ""${i}""",${"ab".repeat(i % 90)}`,
  );
  const codecs = ["none", "gzip", "snappy", "lz4", "zstd"];
  for (const codec of codecs) {
    const topic = await create(codec);
    await consoleProduce(broker, topic, lines.map((line) => `${codec},${line}\n`).join(""), [
      ...["--compression-codec", codec, "--batch-size", "30000"],
    ]);
  }
  const records: TestRecord[] = [
    { value: "plain" },
    { key: "k", value: "with a key" },
    { key: "", value: "with an empty key" },
    { value: "with headers", headers: { a: "1", b: "", longer: "x".repeat(300) } },
    { key: "k".repeat(5000), value: "with a long key", timestamp: 0 },
    { value: "x" },
  ];
  await produce(broker, await create("parts"), records);
  const sizes = await create("sizes");
  for (const size of [1, 5_000_000, 2]) {
    await produce(broker, sizes, [{ value: String.fromCharCode(97 + size % 7).repeat(size) }]);
  }
  const transactions = await create("transactions");
  const committed = await produceTransactions(broker, transactions);
  // A broker answers a commit before its markers are in the log, and readers wait for those.
  for (let tries = 0; tries < 20; tries++) {
    if ((await read(broker, transactions)).split("\n").length > committed.length) break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.equal((await read(broker, transactions)).trim(), committed.join("\n"));
  const deleted = await create("deleted");
  await produce(broker, deleted, ["a", "b", "c", "d"].map((value) => ({ value })));
  await deleteRecords(broker, deleted, { 0: 2 });
  assert.equal(await read(broker, deleted), "c\nd\n");

  const ours = await read(broker, topics[0], ...topics.slice(1).flatMap((t) => ["-t", t]));
  const count = ours.split("\n").length - 1;
  assert.equal(count, codecs.length * lines.length + records.length + 3 + committed.length + 2);
  // The Java client reads all the topics in one run, and stops after that many.
  const theirs = text(
    await consoleConsume(broker, new RegExp(`${prefix}-.*`), count, [
      ...["--isolation-level", "read_committed"],
    ]),
  );
  assert.deepEqual(ours.split("\n").sort(), theirs.split("\n").sort());
  // In one topic of one partition the order is the same too.
  const zstd = await consoleConsume(broker, `${prefix}-zstd`, lines.length);
  assert.equal(await read(broker, `${prefix}-zstd`), text(zstd));
});

Deno.test("read_uncommitted shows aborted records; an open transaction holds readers back", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("isolation");
  await createTopic(broker, topic);
  const producer = kafkajs(broker).producer({
    transactionalId: topic,
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  const aborted = await producer.transaction();
  await aborted.send({ topic, messages: [{ value: "aborted" }] });
  await aborted.abort();
  await produce(broker, topic, [{ value: "before" }]);
  const open = await producer.transaction();
  await open.send({ topic, messages: [{ value: "open" }] });
  await produce(broker, topic, [{ value: "after" }]);
  assert.equal(await read(broker, topic), "before\n");
  const all = await read(broker, topic, "--isolation", "read_uncommitted");
  assert.equal(all, "aborted\nbefore\nopen\nafter\n");
  const args = ["-b", broker.bootstrap, "-t", topic, "-g", topic];
  assert.equal(text((await consumer(args)).stdout), "before\n");
  await open.commit();
  await producer.disconnect();
  let more = "";
  for (let tries = 0; tries < 20 && more === ""; tries++) {
    more = text((await consumer(args)).stdout);
  }
  assert.equal(more, "open\nafter\n");
  assert.equal(text((await consumer(args)).stdout), "");
});

Deno.test("a compacted topic is read to its end, over its gaps", async () => {
  await using broker = await startBroker({
    properties: { "log.cleaner.backoff.ms": "200", "log.retention.check.interval.ms": "500" },
  });
  const topic = uniqueName("compacted");
  await createTopic(broker, topic, {
    configs: {
      "cleanup.policy": "compact",
      "segment.ms": "100",
      "min.cleanable.dirty.ratio": "0.001",
      "delete.retention.ms": "1",
    },
  });
  const written: TestRecord[] = [];
  for (let round = 0; round < 6; round++) {
    const batch = ["a", "b", "c"].map((key) => ({ key, value: `${key}${round}` }));
    written.push(...batch);
    await produce(broker, topic, batch);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  await produce(broker, topic, [{ key: "b", value: null }]);
  await new Promise((resolve) => setTimeout(resolve, 150));
  await produce(broker, topic, [{ key: "z", value: "last" }]);
  const deadline = Date.now() + 30_000;
  let rows: string;
  do {
    await new Promise((resolve) => setTimeout(resolve, 300));
    rows = await read(broker, topic);
  } while (rows.split("\n").length - 1 > 4 && Date.now() < deadline);
  assert.ok(rows.split("\n").length - 1 < written.length, `the cleaner did not run: ${rows}`);
  assert.equal(rows, "a5\nc5\nlast\n");
  const run = await consumer(["-b", broker.bootstrap, "-t", topic, "-g", topic, "--stats"]);
  const [{ to, end }] = JSON.parse(run.stderr).partitions;
  assert.deepEqual([to, end], [20, 20]);
});

Deno.test("tombstones are skipped and counted, or written as empty rows", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("tombstones");
  await createTopic(broker, topic);
  await produce(broker, topic, [{ value: "a" }, { key: "k", value: null }, { value: "b" }]);
  assert.equal(await read(broker, topic), "a\nb\n");
  assert.equal(await read(broker, topic, "--tombstones", "empty"), "a\n\nb\n");
});

Deno.test("columns and values as fields: quoted, null apart from empty, times in ISO 8601", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("columns");
  await createTopic(broker, topic, { partitions: 2 });
  await produce(broker, topic, [
    { key: null, value: '{"a": "b"}', timestamp: 1767268799123 },
    { key: 'k "1", x', value: "two\nlines", headers: { h: "ü" }, timestamp: 951782400000 },
    { key: "", value: "", headers: { g: "other" }, timestamp: 1 },
    { key: "k", value: null, timestamp: 2 },
  ], 1);
  const columns = ["--columns", "partition,offset,timestamp,key,header:h"];
  assert.equal(
    await read(broker, topic, ...columns, "--value", "field", "--tombstones", "empty"),
    '1,0,2026-01-01T11:59:59.123Z,,,"{""a"": ""b""}"\n' +
      '1,1,2000-02-29T00:00:00.000Z,"k ""1"", x","ü","two\nlines"\n' +
      '1,2,1970-01-01T00:00:00.001Z,"",,""\n' +
      '1,3,1970-01-01T00:00:00.002Z,"k",,\n',
  );
  assert.equal(
    await read(broker, topic, "--columns", "offset", "--value", "hex"),
    "0,\\x7b2261223a202262227d\n1,\\x74776f0a6c696e6573\n2,\\x\n",
  );
});
