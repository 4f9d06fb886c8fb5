import assert from "node:assert/strict";
import { type Broker, startBroker } from "../../scripts/servers/broker.ts";
import { generateRows } from "../../scripts/generate_rows.ts";
import { consumer, start, text } from "../support/cli.ts";
import { createTopic, groupOffsets, produce, uniqueName } from "../support/kafka.ts";
import { RowSum } from "../support/rows.ts";

/** Fills a topic through kafka_producer; returns the checksum of the rows. */
async function fill(broker: Broker, topic: string, rows: number): Promise<RowSum> {
  const child = start("producer", ["-b", broker.bootstrap, "-t", topic, "-q"]);
  const sum = new RowSum();
  const writer = child.stdin.getWriter();
  for (const chunk of generateRows({ rows })) {
    sum.add(chunk);
    await writer.write(chunk);
  }
  await writer.close();
  const { code, stderr } = await child.output();
  assert.equal(code, 0, text(stderr));
  return sum;
}

/** Runs the segments' readers at once; returns each one's rows and their common checksum. */
async function readSegments(broker: Broker, topic: string, count: number) {
  const sum = new RowSum();
  const rows = await Promise.all(Array.from({ length: count }, async (_, id) => {
    const env = { GP_SEGMENT_ID: `${id}`, GP_SEGMENT_COUNT: `${count}` };
    const args = ["-b", broker.bootstrap, "-t", topic, "-g", topic];
    const child = start("consumer", args, { env });
    child.stdin.close();
    const own = new RowSum();
    for await (const chunk of child.stdout) own.add(chunk);
    const said = await new Response(child.stderr).text();
    assert.equal((await child.status).code, 0, said);
    sum.merge(own);
    return own.rows;
  }));
  return { rows, sum };
}

Deno.test("four segments read 2,000,000 rows of 8 partitions exactly once", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("segments");
  await createTopic(broker, topic, { partitions: 8 });
  const written = await fill(broker, topic, 2_000_000);
  const first = await readSegments(broker, topic, 4);
  assert.equal(first.sum.toString(), written.toString());
  assert.ok(first.rows.every((rows) => rows > 0), `${first.rows}`);
  const second = await readSegments(broker, topic, 4);
  assert.equal(second.sum.rows, 0);
  await produce(broker, topic, [{ value: "one more" }], 6);
  assert.deepEqual((await readSegments(broker, topic, 4)).rows, [0, 0, 1, 0]);
  assert.deepEqual((await readSegments(broker, topic, 4)).rows, [0, 0, 0, 0]);
});

/** Starts a reader, does `disturb` when a part was read, and returns what came of it. */
async function readDisturbed(broker: Broker, topic: string, disturb: () => Promise<void>) {
  const args = ["-b", broker.bootstrap, "-t", topic, "-g", topic, "--timeout", "30s"];
  const child = start("consumer", args);
  child.stdin.close();
  const said = new Response(child.stderr).text();
  const sum = new RowSum();
  let disturbed: Promise<void> | undefined;
  for await (const chunk of child.stdout) {
    sum.add(chunk);
    if (disturbed === undefined && sum.bytes > 20_000_000) {
      disturbed = disturb();
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  await disturbed;
  assert.ok(disturbed, "the read was over before anything happened to it");
  return { code: (await child.status).code, sum, said: await said };
}

/** Either all rows came, once, and their offsets are committed; or it failed, committing nothing. */
async function assertExact(
  broker: Broker,
  topic: string,
  written: RowSum,
  { code, sum, said }: { code: number; sum: RowSum; said: string },
): Promise<void> {
  const stored = [...(await groupOffsets(broker, topic, topic)).values()];
  if (code === 0) {
    assert.equal(sum.toString(), written.toString());
    assert.equal(stored.reduce((a, b) => a + b, 0n), BigInt(written.rows));
  } else {
    assert.ok(code === 69 || code === 75, `exit ${code}: ${said}`);
    assert.ok(stored.every((offset) => offset === -1n), `${stored}`);
  }
}

Deno.test("a broker killed and restarted in the middle of a read loses and doubles nothing", async () => {
  await using broker = await startBroker({ own: true });
  const topic = uniqueName("killed");
  await createTopic(broker, topic, { partitions: 4 });
  const written = await fill(broker, topic, 400_000);
  const [node] = broker.nodes;
  const read = await readDisturbed(broker, topic, async () => {
    await node.kill();
    await node.start();
  });
  await assertExact(broker, topic, written, read);
  assert.equal(read.code, 0, read.said);
});

Deno.test("partitions whose leader dies are read from the next leader", async () => {
  await using broker = await startBroker({ nodes: 3 });
  const topic = uniqueName("moved");
  await createTopic(broker, topic, { partitions: 6, replication: 3 });
  const written = await fill(broker, topic, 400_000);
  const read = await readDisturbed(broker, topic, () => broker.nodes[1].kill());
  await assertExact(broker, topic, written, read);
  assert.equal(read.code, 0, read.said);
});

Deno.test("a record larger than the fetch size is read, one byte and 5 MB alike", async () => {
  await using broker = await startBroker({ properties: { "message.max.bytes": "20000000" } });
  const topic = uniqueName("large");
  await createTopic(broker, topic, { partitions: 2, configs: { "max.message.bytes": "20000000" } });
  const values = ["x", "y".repeat(5_000_000), "z", "w".repeat(12_000_000), "v"];
  for (const value of values) await produce(broker, topic, [{ value }], 1);
  const run = await consumer(["-b", broker.bootstrap, "-t", topic, "-o", "earliest"]);
  assert.equal(run.code, 0, run.stderr);
  assert.ok(text(run.stdout) === values.join("\n") + "\n");
});

Deno.test("many partitions and topics at once", async () => {
  await using broker = await startBroker();
  const topics = [uniqueName("many-a"), uniqueName("many-b")];
  for (const topic of topics) await createTopic(broker, topic, { partitions: 60 });
  for (const topic of topics) {
    for (const p of [0, 7, 59]) await produce(broker, topic, [{ value: `${topic} ${p}` }], p);
  }
  const args = ["-b", broker.bootstrap, "-topics", topics.join(","), "-g", topics[0]];
  const run = await consumer(args);
  assert.equal(run.code, 0, run.stderr);
  const expected = topics.flatMap((topic) => [0, 7, 59].map((p) => `${topic} ${p}`));
  assert.deepEqual(text(run.stdout).trim().split("\n").sort(), expected.sort());
  assert.equal(text((await consumer(args)).stdout), "");
});
