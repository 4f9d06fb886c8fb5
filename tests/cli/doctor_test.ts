import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { gpdbKafka, start, text } from "../support/cli.ts";
import { assertLine, examine } from "../support/doctor.ts";
import {
  createTopic,
  deleteRecords,
  kafkajs,
  produce,
  uniqueName,
  withAdmin,
} from "../support/kafka.ts";
import { stepBeside } from "../support/steps.ts";

const values = (count: number) => Array.from({ length: count }, (_, i) => ({ value: `${i},x` }));

Deno.test("doctor: a healthy cluster, topic and group: exit 0", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("healthy");
  await createTopic(broker, topic, { partitions: 3 });
  await produce(broker, topic, values(5), 1);
  const { lines } = await examine(["-b", broker.bootstrap, "-t", topic, "-g", topic], 0);
  assert.equal(lines.filter((line) => !line.startsWith("ok")).join("\n"), "");
  assertLine(lines, /^ok {4}brokers: 127\.0\.0\.1:\d+ answers in /);
  assertLine(lines, /^ok {4}versions: all 9 requests .*\(Fetch 10 of \d+ to \d+, Produce 7 of/);
  assertLine(lines, /^ok {4}listeners: 1 of 1 answer/);
  assertLine(lines, /^ok {4}topic: topic "healthy-.*" has 3 partitions, replication 1/);
  assertLine(lines, /^ok {4}leaders: all 3 partitions have a leader/);
  assertLine(lines, /^ok {4}format: .* format 2, codec none, the largest \d+ bytes/);
  assertLine(lines, /^ok {4}group: group ".*" has no live members, and no stored offsets/);
  assertLine(lines, /^ok {4}offsets: .* has no stored offset for partitions 0, 1, 2: .*--fallback/);
  assertLine(lines, /^ok {4}rows: each of the last 5 is one row/);
});

Deno.test("doctor: -q says only what is wrong", async () => {
  await using broker = await startBroker();
  const run = await gpdbKafka(["doctor", "-q", "-b", broker.bootstrap]);
  assert.deepEqual([run.code, text(run.stdout), run.stderr], [0, "", ""]);
});

Deno.test("doctor: it needs no arguments, and a reader that goes away is not a bug", async () => {
  await using broker = await startBroker();
  const env = { KAFKA_BROKERS: broker.bootstrap };
  const run = await gpdbKafka(["doctor"], { env });
  assert.equal(run.code, 0, run.stderr);
  assert.match(text(run.stdout), /^ok {4}listeners: /m);
  const child = start("main", ["doctor"], { env });
  await child.stdout.cancel();
  child.stdin.close();
  const [{ code }, stderr] = await Promise.all([child.status, new Response(child.stderr).text()]);
  assert.deepEqual([code, stderr.split("\n").length], [74, 2], stderr);
});

Deno.test("doctor: invalid arguments are a usage error", async (t) => {
  const cases: [string[], RegExp][] = [
    [["-b", "a b"], /--brokers: broker 1 is not HOST:PORT/],
    [["-t", "a b"], /"a b" cannot be the name of a topic/],
    [["--timeout", "soon"], /--timeout: "soon" is not a duration/],
    [["--table", "x"], /--table: no database: use --dsn/],
    [["--dsn", "postgres://x", "--source", "x", "-t", "y"], /--topic: --source gives it already/],
    [["--rows", "0", "-t", "x"], /--rows: "0" is not a whole number/],
    [["--columns", "x", "-t", "x"], /--columns: "x" is not one of/],
    [["-X", "no.such=1"], /no\.such/],
    [["extra"], /"extra" is not a flag/],
  ];
  await Promise.all(cases.map(async ([args, message]) => {
    const run = await gpdbKafka(["doctor", ...args]);
    await stepBeside(t, args.join(" "), () => {
      assert.equal(run.code, 64, run.stderr);
      assert.match(run.stderr, message);
      assert.equal(text(run.stdout), "");
    });
  }));
});

Deno.test("doctor: a closed port beside a broker is named, and the other checks continue", async () => {
  await using broker = await startBroker();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const both = `127.0.0.1:${port},${broker.bootstrap}`;
  const { lines } = await examine(["-b", both], 1);
  assertLine(lines, new RegExp(`^fail  brokers: .*127.0.0.1:${port}: .*refused — nothing listens`));
  assertLine(lines, /^ok {4}listeners: 1 of 1/);
  assertLine(lines, /^skip {2}topic: needs --topic/);
});

Deno.test("doctor: a port that accepts and never answers ends within --timeout", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const conns: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const conn of listener) conns.push(conn);
  })();
  const at = `127.0.0.1:${port}`;
  const dsn = `postgres://user@${at}/x`;
  const args = ["-b", at, "-t", "x", "--dsn", dsn, "--table", "y", "--timeout", "1s"];
  const { lines, ms } = await examine(args, 1);
  assert.ok(ms < 4500, `${ms} ms`);
  assertLine(lines, /^fail {2}database: not finished within 1 s/);
  assertLine(
    lines,
    /^fail {2}brokers: .* did not answer ApiVersions within 0\.9 s — check for a firewall/,
  );
  assertLine(lines, /^skip {2}versions: needs brokers/);
  assertLine(lines, /^skip {2}program: needs rights/);
  for (const conn of conns) conn.close();
  listener.close();
  await accepting.catch(() => {});
});

Deno.test("doctor: an unknown topic, with the one that is like it", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("crimes");
  await createTopic(broker, topic);
  const { lines } = await examine(["-b", broker.bootstrap, "-t", topic.toUpperCase()], 1);
  assertLine(
    lines,
    new RegExp(`^fail  topic: .*UNKNOWN_TOPIC_OR_PARTITION.* such as ${topic}.* — check its name`),
  );
  assertLine(lines, /^skip {2}rows: needs log/);
});

Deno.test("doctor: offsets that expired, will soon, or are beyond the end", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("expired");
  await createTopic(broker, topic, { partitions: 4, configs: { "retention.ms": "86400000" } });
  for (const partition of [0, 1, 2]) await produce(broker, topic, values(20), partition);
  const old = { value: "1,x", timestamp: Date.now() - 0.9 * 86_400_000 };
  await produce(broker, topic, [old], 3);
  await withAdmin(broker, (admin) =>
    admin.setOffsets({
      groupId: topic,
      topic,
      partitions: ["3", "5", "25", "0"].map((offset, partition) => ({ partition, offset })),
    }));
  await deleteRecords(broker, topic, { 0: 10, 1: 5 });
  const { lines } = await examine(["-b", broker.bootstrap, "-t", topic, "-g", topic], 1);
  assertLine(lines, /^fail {2}offsets: .*, partition 0: expired: 7 offsets .* at 3, .* at 10\) — /);
  assertLine(
    lines,
    /^fail {2}offsets: .*, partition 2: the stored offset is past the end of the log .* at 25, /,
  );
  assertLine(
    lines,
    /^warn {2}offsets: .*, partition 3: .* 21\.6 h old, and the topic keeps 1 days/,
  );
  assertLine(lines, /^ok {4}offsets: .* behind the end of partitions 1, 3/);
  // As the broker has it.
  assertLine(
    lines,
    /^ok {4}group: .* no live members — .* after 7 days \(offsets.retention.minutes/,
  );
});

Deno.test("doctor: live members of the group are counted", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("members");
  await createTopic(broker, topic);
  const consumer = kafkajs(broker).consumer({ groupId: topic });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic] });
  const joined = new Promise((resolve) => consumer.on("consumer.group_join", resolve));
  await consumer.run({ eachMessage: () => Promise.resolve() });
  await joined;
  try {
    const { lines } = await examine(["-b", broker.bootstrap, "-t", topic, "-g", topic], 0);
    assertLine(
      lines,
      /^warn {2}group: .* has 1 live members: client "gpdb-kafka-tests" at .*; kafka_consumer cannot commit/,
    );
  } finally {
    await consumer.disconnect();
  }
});

Deno.test("doctor: records that are not valid rows are named", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("bad");
  await createTopic(broker, topic);
  const bad = ["1,a", "2,\nb", "\\.", '3,"c', null].map((value) => ({ value }));
  await produce(broker, topic, bad);
  const args = ["-b", broker.bootstrap, "-t", topic];
  const { lines } = await examine(args, 1);
  assertLine(
    lines,
    /^fail {2}rows: 3 of the last 4 records are not valid rows: .* partition 0 offset 1: .*newline.*, and 2 more; 1 null.* — --bad-record/,
  );
  const field = await examine([...args, "--value", "field"], 0);
  assertLine(field.lines, /^ok {4}rows: each of the last 4 is one row/);
});

Deno.test("doctor: a topic whose newest record is from the future, and a half-written transaction", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("future");
  await createTopic(broker, topic);
  await produce(broker, topic, [{ value: "1", timestamp: Date.now() + 1_800_000 }]);
  const producer = kafkajs(broker).producer({ transactionalId: topic, maxInFlightRequests: 1 });
  await producer.connect();
  const transaction = await producer.transaction();
  const before = await examine(["-b", broker.bootstrap, "-t", topic], 0);
  assertLine(
    before.lines,
    /^warn {2}format: partition 0: .* 30 min ahead of this host's clock — set/,
  );
  await transaction.send({ topic, messages: [{ value: "2" }] });
  try {
    const { lines } = await examine(["-b", broker.bootstrap, "-t", topic], 0);
    assertLine(lines, /^warn {2}log: partition 0: an open transaction hides 1 offsets/);
  } finally {
    await transaction.abort();
    await producer.disconnect();
  }
  const { lines } = await examine(["-b", broker.bootstrap, "-t", topic], 0);
  assert.ok(!lines.some((line) => line.includes("transaction")));
});

Deno.test("doctor: a dead broker is an unreachable listener, and partitions without leader", async () => {
  // Long enough for doctor to find the dead one still listed, however busy this machine is.
  const properties = { "broker.session.timeout.ms": "15000" };
  await using broker = await startBroker({ nodes: 3, properties });
  const [topic, safe] = [uniqueName("lone"), uniqueName("safe")];
  await createTopic(broker, topic, { partitions: 3 });
  await createTopic(broker, safe, { replication: 3 });
  await produce(broker, safe, values(3));
  await broker.nodes[2].kill();
  const at = broker.bootstrap.split(",").slice(0, 2).join(",");
  const now = await gpdbKafka(["doctor", "-b", at, "--timeout", "5s"]);
  assertLine(
    text(now.stdout).split("\n"),
    /^fail {2}listeners: broker 3 advertises 127\.0\.0\.1:\d+, .*refused — start the broker, or set/,
  );
  const deadline = Date.now() + 60_000;
  let lines: string[] = [];
  // The controller takes some seconds to believe it.
  while (Date.now() < deadline && !lines.some((line) => /^fail {2}leaders/.test(line))) {
    const run = await gpdbKafka(["doctor", "-b", at, "-t", topic, "--timeout", "5s"]);
    lines = text(run.stdout).split("\n");
  }
  assertLine(lines, /^fail {2}leaders: partition \d: no leader, .* — start the brokers .*: 3$/);
  const { lines: under } = await examine(["-b", at, "-t", safe], 0);
  // Of a partition without a leader, of another topic, the group's coordinator says nothing.
  assertLine(under, /^ok {4}group: group "GPDB_Consumer_Group" has no live members/);
  assertLine(under, /^warn {2}leaders: partition 0: fewer replicas in sync .* brokers 3/);
});
