import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { gpdbKafka, text } from "../support/cli.ts";
import {
  createTopic,
  deleteTopic,
  kafkajs,
  produce,
  uniqueName,
  withAdmin,
} from "../support/kafka.ts";
import { closedPort, silentPort } from "../support/silence.ts";
import { hasScript, startOnTerminal } from "../support/terminal.ts";
import { stepBeside } from "../support/steps.ts";

Deno.test("topics: create, list, describe, delete", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("topics");
  const topics = (...args: string[]) => gpdbKafka(["topics", ...args, "-b", broker.bootstrap]);

  const config = [
    "--topic-config",
    "retention.ms=3600000",
    "--topic-config=cleanup.policy=compact",
  ];
  const created = await topics(
    "create",
    topic,
    "--partitions",
    "3",
    "--replication",
    "1",
    ...config,
  );
  assert.deepEqual([created.code, created.stderr], [0, ""]);
  assert.equal(
    text(created.stdout),
    `topic "${topic}" created: partitions 3, replication 1, ` +
      "retention.ms=3600000, cleanup.policy=compact\n",
  );
  const [found] = await withAdmin(
    broker,
    async (admin) => (await admin.fetchTopicMetadata({ topics: [topic] })).topics,
  );
  assert.equal(found.partitions.length, 3);

  const list = text((await topics("list")).stdout).split("\n");
  assert.match(list[0], /^TOPIC +PARTITIONS +REPLICATION$/);
  assert.ok(list.some((line) => new RegExp(`^${topic} +3 +1$`).test(line)));

  await produce(broker, topic, [{ key: "k", value: "1" }, { key: "k", value: "2" }], 1);
  const described = text((await topics("describe", topic)).stdout);
  assert.match(
    described,
    new RegExp(`^${topic}: 3 partitions, replication 1\n\nPARTITION +LEADER`),
  );
  assert.match(described, /^ +1 +\d+ +(\d+) +\1 +0 +2$/m);
  const settings = described.split("\n\n")[2].split("\n");
  assert.match(settings[0], /^CONFIG +VALUE +SET BY$/);
  assert.match(settings[1], /^cleanup.policy +compact +topic$/);
  assert.match(settings[2], /^retention.ms +3600000 +topic$/);
  assert.match(settings[3], / default$/);

  const unasked = await topics("delete", topic);
  assert.equal(unasked.code, 64);
  assert.match(
    unasked.stderr,
    /^gpdb-kafka topics: cannot delete "topics-.*": no terminal to ask on — use --yes\n$/,
  );
  const deleted = await topics("delete", topic, "--yes");
  assert.deepEqual([deleted.code, deleted.stderr], [0, ""]);
  assert.equal(text(deleted.stdout), `topic "${topic}": 3 partitions, 2 offsets: deleted\n`);
  const gone = await topics("describe", topic);
  assert.equal(gone.code, 69);
  assert.match(gone.stderr, /cannot read topic "topics-.*": UNKNOWN_TOPIC_OR_PARTITION \(3\)/);
});

Deno.test("topics: create without numbers uses the brokers' defaults", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("default");
  const created = await gpdbKafka(["topics", "create", topic, "-b", broker.bootstrap]);
  assert.equal(created.code, 0, created.stderr);
  assert.match(text(created.stdout), /created: partitions \d+, replication 1\n$/);
  await deleteTopic(broker, topic);
});

Deno.test({
  name: "topics: delete asks on a terminal, and accepts only yes",
  ignore: !hasScript,
  async fn() {
    await using broker = await startBroker();
    const topic = uniqueName("asked");
    await createTopic(broker, topic);
    const answered = async (answer: string) => {
      const args = ["topics", "delete", topic, "-b", broker.bootstrap];
      const child = startOnTerminal("main", args);
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(`${answer}\n`));
      const { code, stdout } = await child.output();
      await writer.close().catch(() => {});
      assert.equal(code, 0);
      assert.match(text(stdout), /1 partition, 0 offsets\. Delete it for good\? \[y\/N\] /);
      return text(stdout);
    };
    assert.match(await answered(""), /nothing was deleted/);
    assert.match(await answered("no"), /nothing was deleted/);
    assert.match(await answered("y"), /: deleted/);
    const topics = await withAdmin(broker, (admin) => admin.listTopics());
    assert.ok(!topics.includes(topic));
  },
});

Deno.test("topics: what can't be done is one line that says why", async (t) => {
  await using broker = await startBroker();
  const topic = uniqueName("refused");
  await createTopic(broker, topic);
  await createTopic(broker, `${topic}_a`); // Of dots and underscores metrics make the same.
  const cases: [string[], number, RegExp][] = [
    [["frob"], 64, /unknown verb "frob": use list, create, delete, describe; see --help/],
    [["--yes"], 64, /no verb: use list/],
    [["list", "crimes"], 64, /"crimes" is one argument too many/],
    [["create"], 64, /create requires a topic/],
    [["create", "a b"], 64, /"a b" cannot be the name of a topic/],
    [["create", topic, "more"], 64, /"more" is one argument too many/],
    [
      ["create", topic, "--partitions", "0"],
      64,
      /--partitions: "0" is not a whole number from 1 up/,
    ],
    [["create", topic, "--topic-config", "x"], 64, /--topic-config: "x" is not KEY=VALUE/],
    [["create", topic, "--yes"], 64, /--yes is a flag of delete, not of create/],
    [
      ["describe", topic, "--partitions", "3"],
      64,
      /--partitions is a flag of create, not of describe/,
    ],
    [["create", topic, "--frob"], 64, /unknown flag --frob/],
    [["create", topic], 64, /cannot create topic "refused-.*": it exists already/],
    [
      ["create", `${topic}-2`, "--replication", "3"],
      64,
      /INVALID_REPLICATION_FACTOR \(38\): .*eplica.*; --replication is 3, the number of live brokers is \d+$/m,
    ],
    [
      ["create", `${topic}-2`, "--topic-config", "retention.sm=5"],
      64,
      /INVALID_CONFIG \(40\): Unknown topic config .*; check --topic-config retention.sm=5$/m,
    ],
    [
      ["create", `${topic}.a`],
      64,
      /INVALID_TOPIC_EXCEPTION \(17\): .* collides with existing topic: refused-.*_a$/m,
    ],
    [["delete", "no-such-topic", "--yes"], 69, /topic "no-such-topic": UNKNOWN_TOPIC_OR_PARTITION/],
  ];
  await Promise.all(cases.map(async ([args, code, message]) => {
    const run = await gpdbKafka(["topics", ...args, "-b", broker.bootstrap]);
    await stepBeside(t, args.join(" "), () => {
      assert.equal(run.code, code, run.stderr);
      assert.match(run.stderr, message);
      assert.match(run.stderr, /^gpdb-kafka topics: [^\n]+\n$/);
      assert.equal(run.stdout.length, 0);
    });
  }));
});

Deno.test("topics: a closed port and one that never answers end within --timeout", async () => {
  await using silent = silentPort();
  const verbs = [["list"], ["create", "x"], ["describe", "x"], ["delete", "x", "--yes"]];
  await Promise.all(verbs.flatMap((args) =>
    [closedPort(), silent.port].map(async (port) => {
      const where = ["-b", `127.0.0.1:${port}`, "--timeout", "1s"];
      const run = await gpdbKafka(["topics", ...args, ...where]);
      assert.equal(run.code, 69, run.stderr);
      assert.match(run.stderr, /^gpdb-kafka topics: .*(refused|did not answer|no connection).*\n$/);
      assert.ok(run.ms < 4_000, `${args} ${run.ms} ms`);
    })
  ));
});

Deno.test("topics, offsets, lag: while a transaction is open all show the same end", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("open");
  await createTopic(broker, topic, { partitions: 2 });
  await produce(broker, topic, [{ value: "1" }, { value: "2" }], 0);
  const at = ["-b", broker.bootstrap];
  const group = ["-g", topic];
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await gpdbKafka([...args, ...at]);
    assert.deepEqual([code, stderr], [0, ""]);
    return text(stdout);
  };
  await run("offsets", "reset", ...group, "-t", topic, "--to", "earliest");
  const producer = kafkajs(broker).producer({ transactionalId: topic, maxInFlightRequests: 1 });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.send({ topic, messages: [{ value: "3", partition: 0 }] });
  try {
    const described = await run("topics", "describe", topic);
    assert.match(described, /^PARTITION +LEADER +REPLICAS +IN-SYNC +START +END +HIGH WATERMARK$/m);
    assert.match(described, /^ +0 +\d+ +\d+ +\d+ +0 +2 +3$/m);
    assert.match(described, /^ +1 +\d+ +\d+ +\d+ +0 +0 +0$/m);
    const shown = await run("offsets", "show", ...group);
    assert.match(shown, /^TOPIC +PARTITION +STORED +START +END +HIGH WATERMARK +LAG$/m);
    assert.match(shown, / 0 +0 +0 +2 +3 +2$/m);
    const lag = JSON.parse(await run("lag", ...group, "--json"));
    assert.deepEqual([lag.partitions[0].end, lag.partitions[0].lag], [2, 2]);
    const latest = await run("offsets", "reset", ...group, "-t", topic, "--to", "latest");
    assert.match(latest, / 0 +0 +→ +2 {2}2 skipped$/m);
    // Nobody can read there yet, but the offset exists.
    const past = await run("offsets", "reset", ...group, "-t", topic, "--partition=0", "--to=3");
    assert.match(past, / 0 +2 +→ +3 {2}1 skipped$/m);
  } finally {
    await transaction.abort();
    await producer.disconnect();
  }
  // The marker of its end may be written after the answer.
  let described = "";
  for (const end = Date.now() + 30_000; Date.now() < end;) {
    described = await run("topics", "describe", topic);
    if (!described.includes("HIGH WATERMARK")) break;
  }
  assert.match(described, /^PARTITION +LEADER +REPLICAS +IN-SYNC +START +END$/m);
  assert.match(described, /^ +0 +\d+ +\d+ +\d+ +0 +4$/m); // with the marker of the transaction's end
  assert.match(await run("offsets", "show", ...group), / 0 +3 +0 +4 +1$/m);
});
