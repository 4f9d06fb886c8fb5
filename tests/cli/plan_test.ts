import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { consumer, gpdbKafka, text } from "../support/cli.ts";
import { createTopic, deleteRecords, groupOffsets, produce, uniqueName } from "../support/kafka.ts";

Deno.test("plan: where a topic starts and ends, and the offset of a time", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("plan");
  await createTopic(broker, topic, { partitions: 2 });
  const records = [1, 2, 3].map((n) => ({ value: `${n}`, timestamp: n * 1000 }));
  await produce(broker, topic, records, 1);
  await deleteRecords(broker, topic, { 1: 1 });
  const args = ["plan", "-b", broker.bootstrap, "-t", topic];
  // By either program: a cluster has kafka_consumer alone.
  for (const program of [gpdbKafka, consumer]) {
    const plain = await program(args);
    assert.equal(plain.stderr, "");
    assert.equal(text(plain.stdout), `${topic},0,0,0,\n${topic},1,1,3,\n`);
  }
  const at = await gpdbKafka([...args, "--at", "3000"]);
  assert.equal(text(at.stdout), `${topic},0,0,0,\n${topic},1,1,3,2\n`);
  const late = await gpdbKafka([...args, "--at", "1970-01-01T00:00:04Z"]);
  assert.equal(text(late.stdout), `${topic},0,0,0,\n${topic},1,1,3,\n`);
});

Deno.test("plan: commits the database's offsets to the group, and only warns if it cannot", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("mirror");
  await createTopic(broker, topic, { partitions: 2 });
  const args = ["plan", "-b", broker.bootstrap, "-t", topic, "-g", topic];
  const told = await gpdbKafka([...args, "--commit-offsets", "0:5,1:0"]);
  assert.deepEqual([told.code, told.stderr], [0, ""]);
  assert.deepEqual(await groupOffsets(broker, topic, topic), new Map([[0, 5n], [1, 0n]]));

  const front = `/* kafka-plan topic=${topic} at=0 commit=0:7 */ SELECT * FROM x`;
  const asked = await gpdbKafka([...args, "--from-query"], { env: { GP_QUERY_STRING: front } });
  assert.equal(text(asked.stdout), `${topic},0,0,0,\n${topic},1,0,0,\n`);
  assert.deepEqual(await groupOffsets(broker, topic, topic), new Map([[0, 7n], [1, 0n]]));

  // No such partition.
  const warned = await gpdbKafka([...args, "--commit-offsets", "9:1"]);
  assert.equal(warned.code, 0);
  assert.match(
    warned.stderr,
    /^cannot commit the offsets of the database for group "mirror-.*": .*\n$/,
  );
  assert.equal(text(warned.stdout).split("\n").length, 3);
});

Deno.test("plan: invalid arguments are a usage error; a missing topic is 69", async () => {
  await using broker = await startBroker();
  const cases: [string[], RegExp, number?][] = [
    [["-b", broker.bootstrap], /no topic: use --topic/],
    [["-t", "a b"], /"a b" cannot be the name of a topic/],
    [["-t", "x", "--at", "noon"], /--at: "noon" is not a time/],
    [["-t", "x", "--commit-offsets", "0-1"], /--commit-offsets: "0-1" is not PARTITION:OFFSET/],
    [["-t", "x", "--from-query", "--at", "1"], /--at and --from-query exclude each other/],
    [["-t", "no-such-topic", "-b", broker.bootstrap], /UNKNOWN_TOPIC_OR_PARTITION/, 69],
  ];
  await Promise.all(cases.map(async ([args, message, code = 64]) => {
    const run = await gpdbKafka(["plan", ...args]);
    assert.equal(run.code, code, run.stderr);
    assert.match(run.stderr, message);
    assert.equal(run.stdout.length, 0);
  }));
});

Deno.test("consumer: --ranges-from-query reads a segment's part of them, or nothing", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("query");
  await createTopic(broker, topic, { partitions: 3 });
  for (let p = 0; p < 3; p++) {
    await produce(broker, topic, [0, 1, 2].map((n) => ({ value: `p${p}o${n}` })), p);
  }
  const read = (query: string, segment: string) =>
    consumer(["-b", broker.bootstrap, "-t", topic, "-g", topic, "--ranges-from-query"], {
      env: { GP_QUERY_STRING: query, GP_SEGMENT_ID: segment, GP_SEGMENT_COUNT: "2" },
    });
  const query = `/* kafka-ranges topic=${topic} 0:1-3,1:0-1,2:2-3 */ INSERT INTO "x" SELECT`;
  // Of two partitions either may be first; each is in its order.
  assert.match(text((await read(query, "0")).stdout), /^(p0o1\np0o2\np2o2|p2o2\np0o1\np0o2)\n$/);
  assert.equal(text((await read(query, "1")).stdout), "p1o0\n");
  const none = await read(`/* kafka-ranges topic=${topic} 0:1-3 */ INSERT`, "1");
  assert.deepEqual([none.code, none.stdout.length], [0, 0]);
  const refused = await read("SELECT * FROM crimes_reader LIMIT 10", "0");
  assert.deepEqual([refused.code, refused.stdout.length], [64, 0]);
  assert.match(
    refused.stderr,
    /^kafka_consumer: --ranges-from-query: .*does not begin with a kafka-ranges comment/,
  );
  assert.deepEqual([...(await groupOffsets(broker, topic, topic)).values()], [-1n, -1n, -1n]);
});
