import assert from "node:assert/strict";
import { type Broker, startBroker } from "../../scripts/servers/broker.ts";
import { producer, start, text } from "../support/cli.ts";
import { consoleConsume, consoleProduce, createTopic, uniqueName } from "../support/kafka.ts";

interface Read {
  partition: number;
  offset: number;
  key: string;
  value: string;
}

/** What the Java console consumer finds in a topic whose values hold no newline. */
async function read(broker: Broker, topic: string, count?: number): Promise<Read[]> {
  const properties = ["partition", "offset", "key"].flatMap((what) => [
    "--property",
    `print.${what}=true`,
  ]);
  const printed = await consoleConsume(broker, topic, count, properties, { timeoutMs: 120_000 });
  return text(printed).split("\n").slice(0, -1).map((line) => {
    const [, partition, offset, key, value] =
      /^Partition:(\d+)\tOffset:(\d+)\t(.*?)\t(.*)$/.exec(line) ?? [];
    return { partition: Number(partition), offset: Number(offset), key, value };
  });
}

/** Rows that start with their number, from 0. */
function numbered(count: number, from = 0): string {
  let rows = "";
  for (let i = from; i < from + count; i++) rows += `${i},${"row ".repeat(i % 40)}\n`;
  return rows;
}

/** Every row once, the numbers rising in each partition, all of the offsets in use. */
function assertOnceInOrder(found: readonly Read[], count: number): void {
  const partitions = Map.groupBy(found, (record) => record.partition);
  for (const [partition, records] of partitions) {
    for (const [i, { value, offset }] of records.entries()) {
      assert.equal(offset, i, `partition ${partition}`);
      if (i > 0) {
        assert.ok(parseInt(records[i - 1].value) < parseInt(value), `partition ${partition}`);
      }
    }
  }
  const values = found.map(({ value }) => value).sort();
  assert.deepEqual(values, numbered(count).split("\n").slice(0, -1).sort());
}

for (const codec of ["none", "gzip", "snappy", "lz4", "zstd"]) {
  Deno.test(`produce: ${codec}: the Java client reads every row once, in order`, async () => {
    await using broker = await startBroker();
    const topic = uniqueName(`produce-${codec}`);
    await createTopic(broker, topic, { partitions: 3 });
    const args = ["-b", broker.bootstrap, "-t", topic, "-z", codec, "--stats"];
    const run = await producer(args, { stdin: numbered(40_000) });
    assert.equal(run.code, 0, run.stderr);
    const stats = JSON.parse(run.stderr);
    assert.equal(stats.rows, 40_000);
    assert.equal(stats.bytes, numbered(40_000).length - 40_000);
    const found = await read(broker, topic, 40_000);
    assertOnceInOrder(found, 40_000);
    for (const { partition, rows, from, to } of stats.partitions) {
      assert.equal(found.filter((record) => record.partition === partition).length, rows);
      if (rows > 0) assert.deepEqual([from, to], [0, rows]);
    }
  });
}

Deno.test("produce: what two threads compress the Java client reads once, in order", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("produce-beside");
  await createTopic(broker, topic, { partitions: 3 });
  const count = 250_000;
  const args = ["-b", broker.bootstrap, "-t", topic, "-z", "gzip", "-v"];
  const run = await producer(args, { stdin: numbered(count) });
  assert.equal(run.code, 0, run.stderr);
  assert.match(run.stderr, /^a worker compresses batches, too\n/m);
  assertOnceInOrder(await read(broker, topic, count), count);
});

for (const args of [["--acks", "1"], ["--acks", "0"], ["--no-idempotence"], ["-p", "1"]]) {
  Deno.test(`produce: ${args.join(" ")}: every row arrives once, in order`, async () => {
    await using broker = await startBroker();
    const topic = uniqueName("produce-acks");
    await createTopic(broker, topic, { partitions: 2 });
    const run = await producer(["-b", broker.bootstrap, "-t", topic, ...args], {
      stdin: numbered(20_000),
    });
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stderr, /^20000 rows, \d+ bytes (delivered|sent) in [\d.]+ s\n$/);
    const found = await read(broker, topic, 20_000);
    assertOnceInOrder(found, 20_000);
    if (args[0] === "-p") assert.ok(found.every((record) => record.partition === 1));
  });
}

Deno.test("produce: keys go to the partitions that the Java producer sends them to", async () => {
  await using broker = await startBroker();
  const [ours, theirs] = [uniqueName("keys"), uniqueName("keys-java")];
  await createTopic(broker, ours, { partitions: 7 });
  await createTopic(broker, theirs, { partitions: 7 });
  const rows = Array.from({ length: 300 }, (_, i) => `${"k".repeat(i % 9)}${i}ü:${i}\n`).join("");
  const run = await producer(["-b", broker.bootstrap, "-t", ours, "-K", ":"], { stdin: rows });
  assert.equal(run.code, 0, run.stderr);
  const properties = ["parse.key=true", "key.separator=:"].flatMap((p) => ["--property", p]);
  await consoleProduce(broker, theirs, rows, properties);
  const places = async (topic: string) =>
    (await read(broker, topic, 300)).map(({ partition, key, value }) =>
      `${partition} ${key}:${value}`
    )
      .sort();
  assert.deepEqual(await places(ours), await places(theirs));
});

Deno.test("produce: batches too large for the topic are halved; a row too large is named", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("small");
  await createTopic(broker, topic, { partitions: 2, configs: { "max.message.bytes": "20000" } });
  const args = ["-b", broker.bootstrap, "-t", topic];
  const run = await producer(args, { stdin: numbered(30_000) });
  assert.equal(run.code, 0, run.stderr);
  assertOnceInOrder(await read(broker, topic, 30_000), 30_000);

  const large = uniqueName("large");
  await createTopic(broker, large, { partitions: 1, configs: { "max.message.bytes": "20000" } });
  const [first, second] = [numbered(3_000), numbered(3_000, 3_000)];
  const stdin = `${first}${"x".repeat(30_000)}\n\n${second}`;
  const why = `stdin line 3001 is too large for topic "${large}" partition 0: ` +
    "a batch of 300\\d\\d bytes, MESSAGE_TOO_LARGE \\(10\\): the topic's max.message.bytes";
  const failed = await producer(["-b", broker.bootstrap, "-t", large], { stdin });
  assert.equal(failed.code, 65);
  assert.match(
    failed.stderr,
    new RegExp(
      `^kafka_producer: ${why}.*; 3000 rows are known to be delivered, rows from stdin line 3001 on are in doubt\n$`,
    ),
  );
  assert.equal((await read(broker, large, 3_000)).length, 3_000);

  const skipping = uniqueName("skipping");
  await createTopic(broker, skipping, { partitions: 1, configs: { "max.message.bytes": "20000" } });
  const skipped = await producer(
    ["-b", broker.bootstrap, "-t", skipping, "--bad-record", "skip"],
    { stdin },
  );
  assert.equal(skipped.code, 0, skipped.stderr);
  const [named, summary] = skipped.stderr.split("\n");
  assert.match(named, new RegExp(`^${why.replace(large, skipping)}.*; left out$`));
  assert.match(summary, /^6000 rows, .*; 1 empty lines and 1 bad rows left out$/);
  assertOnceInOrder(await read(broker, skipping, 6_000), 6_000);
});

Deno.test("produce: rows around 1 MB and far above arrive as they are", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("long");
  const configs = { "max.message.bytes": "20000000" };
  await createTopic(broker, topic, { partitions: 1, configs });
  const MiB = 1024 * 1024;
  const sizes = [1, 999_999, 1_000_000, 1_000_001, MiB - 1, 5, MiB + 1, 8 * MiB, 7];
  const stdin = sizes.map((size, i) => String.fromCharCode(97 + i).repeat(size)).join("\n");
  const run = await producer(["-b", broker.bootstrap, "-t", topic, "-z", "lz4"], { stdin });
  assert.equal(run.code, 0, run.stderr);
  const values = text(await consoleConsume(broker, topic, sizes.length)).split("\n").slice(0, -1);
  assert.deepEqual(values.map((value) => value.length), sizes);
  assert.ok(values.join("\n") === stdin);
});

Deno.test("produce: a row is delivered soon, even if its pipe stays open", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("trickle");
  await createTopic(broker, topic, { partitions: 4 });
  const child = start("producer", ["-b", broker.bootstrap, "-t", topic]);
  const writer = child.stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode("1\n2\n3"));
    const found = await consoleConsume(broker, topic, 2);
    assert.deepEqual(text(found), "1\n2\n");
  } finally {
    await writer.close();
    const { code, stderr } = await child.output();
    assert.equal(code, 0, text(stderr));
  }
  assert.equal((await read(broker, topic, 3)).length, 3);
});

/** Feeds 180,000 rows at some 20 MB/s, and runs each of the steps while rows keep coming. */
async function produceThrough(
  broker: Broker,
  args: string[],
  steps: (() => Promise<void>)[],
): Promise<number> {
  const child = start("producer", ["-b", broker.bootstrap, "--timeout", "2m", ...args]);
  const output = child.output();
  const writer = child.stdin.getWriter();
  const encoder = new TextEncoder();
  const total = 180_000;
  const share = total / (steps.length + 1);
  const feed = async (from: number) => {
    for (let i = 0; i < share; i += 1_000) {
      await writer.write(encoder.encode(numbered(1_000, from + i)));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  // Where the producer ends early, writing to it fails; its status and its words say why.
  for (const [turn, step] of steps.entries()) {
    const feeding = feed(turn * share);
    feeding.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 150));
    await step();
    await feeding.catch(() => {});
  }
  await feed(steps.length * share).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stderr } = await output;
  assert.equal(code, 0, text(stderr));
  return total;
}

for (const codec of ["none", "gzip", "zstd"]) {
  Deno.test(`produce: ${codec}: each row once, in order, even if the broker is killed twice`, async () => {
    await using broker = await startBroker({ own: true });
    const [node] = broker.nodes;
    const topic = uniqueName("killed");
    await createTopic(broker, topic, { partitions: 4 });
    const killed = async () => {
      await node.kill();
      await node.start();
    };
    const count = await produceThrough(broker, ["-t", topic, "-z", codec], [killed, killed]);
    assertOnceInOrder(await read(broker, topic, count), count);
  });
}

Deno.test("produce: each row once, in order, even if leaders change", async () => {
  await using broker = await startBroker({ nodes: 3 });
  const topic = uniqueName("moved");
  await createTopic(broker, topic, {
    partitions: 6,
    replication: 3,
    configs: { "min.insync.replicas": "2" },
  });
  const [first, second] = broker.nodes;
  const count = await produceThrough(broker, ["-t", topic], [
    () => first.kill(),
    () => first.start(),
    () => second.stop(),
  ]);
  assertOnceInOrder(await read(broker, topic, count), count);
});
