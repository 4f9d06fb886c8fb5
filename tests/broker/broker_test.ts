import assert from "node:assert/strict";
import { dirname } from "node:path";
import { startBroker } from "../../scripts/servers/broker.ts";
import { Failure } from "../../lib/failure.ts";
import { externalBroker } from "../../scripts/servers/broker/external.ts";
import { exists, firstError } from "../../scripts/servers/broker/jars.ts";
import {
  consoleConsume,
  consoleProduce,
  createTopic,
  deleteRecords,
  hasKcat,
  kcat,
  produce,
  topicOffsets,
  uniqueName,
} from "../support/kafka.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("broker: what the console producer writes, the console consumer and kcat read", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("console");
  await createTopic(broker, topic, { partitions: 1, configs: { "retention.ms": "-1" } });
  await consoleProduce(broker, topic, 'one\n"two, and",2\ndrei ü\n');
  assert.equal(text(await consoleConsume(broker, topic, 3)), 'one\n"two, and",2\ndrei ü\n');
  assert.deepEqual(await topicOffsets(broker, topic), [{ partition: 0, low: 0n, high: 3n }]);

  if (hasKcat) {
    const read = await kcat(["-b", broker.bootstrap, "-C", "-t", topic, "-e", "-q"]);
    assert.deepEqual([read.code, text(read.stdout)], [0, 'one\n"two, and",2\ndrei ü\n']);
  }
});

Deno.test("broker: deleted records move the log start; KAFKA_BROKERS can name it", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("deleted");
  await createTopic(broker, topic, { partitions: 2 });
  await produce(broker, topic, [{ value: "a" }, { value: null }, { key: "k", value: "c" }], 1);
  await deleteRecords(broker, topic, { 1: 2 });
  assert.deepEqual(await topicOffsets(broker, topic), [
    { partition: 0, low: 0n, high: 0n },
    { partition: 1, low: 2n, high: 3n },
  ]);

  const { bootstrap } = broker;
  {
    await using named = await externalBroker(bootstrap);
    assert.equal((await topicOffsets(named, topic)).length, 2);
    assert.throws(() => named.nodes, /^Failure: Cannot start or kill the nodes of a broker/);
  }
  assert.equal((await topicOffsets(broker, topic)).length, 2);
});

Deno.test("broker: a killed node keeps its data, port and log; disposing removes all", async () => {
  let folder = "";
  let pid = 0;
  {
    await using broker = await startBroker({ own: true });
    const [node] = broker.nodes as [typeof broker.nodes[number]];
    folder = broker.folder;
    const topic = uniqueName("killed");
    await createTopic(broker, topic);
    await produce(broker, topic, [{ value: "before" }]);
    await node.kill();
    assert.equal(node.pid, undefined);
    await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port: node.port }));
    await node.start();
    pid = node.pid!;
    await produce(broker, topic, [{ value: "after" }]);
    assert.deepEqual(await topicOffsets(broker, topic), [{ partition: 0, low: 0n, high: 2n }]);
    assert.equal((await Deno.readTextFile(node.log)).match(/Kafka Server started/g)?.length, 2);
  }
  assert.equal(await exists(folder), false);
  assert.throws(() => Deno.kill(pid, "SIGTERM"), Deno.errors.NotFound);
});

Deno.test("broker: a cluster of three replicates, and serves on when a node is killed", async () => {
  await using broker = await startBroker({ nodes: 3 });
  const topic = uniqueName("replicated");
  await createTopic(broker, topic, { replication: 3 });
  await consoleProduce(broker, topic, "one\ntwo\n", ["--producer-property", "acks=all"]);
  await broker.nodes[0].kill();
  const read = await consoleConsume(broker, topic, 2, ["--partition", "0"]);
  assert.equal(text(read), "one\ntwo\n");
});

Deno.test("broker: listeners and users are what the options say", async () => {
  const user = "SCRAM-SHA-256=[name=alice,password=secret]";
  await using broker = await startBroker({
    listeners: { USERS: "SASL_PLAINTEXT" },
    properties: {
      "listener.name.users.sasl.enabled.mechanisms": "SCRAM-SHA-256",
      "listener.name.users.scram-sha-256.sasl.jaas.config":
        "org.apache.kafka.common.security.scram.ScramLoginModule required;",
    },
    storageFormatArgs: ["--add-scram", user],
  });
  const list = async (password: string) => {
    const config = `${broker.folder}/client.properties`;
    const login = "org.apache.kafka.common.security.scram.ScramLoginModule required " +
      `username="alice" password="${password}";`;
    await Deno.writeTextFile(
      config,
      `security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-256\nsasl.jaas.config=${login}\n`,
    );
    const args = ["--bootstrap-server", broker.listeners.USERS, "--command-config", config];
    return await broker.run("org.apache.kafka.tools.TopicCommand", [...args, "--list"]);
  };
  assert.equal((await list("secret")).code, 0);
  const denied = await list("wrong");
  assert.equal(denied.code, 1);
  assert.match(denied.stderr + text(denied.stdout), /SaslAuthenticationException/);
});

Deno.test("broker: one that can't start says why, and where its log is", async () => {
  const bad = { "authorizer.class.name": "no.such.Authorizer" };
  const failure = await startBroker({ properties: bad }).then(() => {}, (error) => error);
  assert.ok(failure instanceof Failure);
  const parts = failure.message.match(/^Cannot start Kafka's node 1: .*; its log is (.*)$/);
  assert.ok(parts, failure.message);
  assert.match(await Deno.readTextFile(parts[1]), /INFO/);
  await Deno.remove(dirname(dirname(parts[1])), { recursive: true });

  const properties = { "num.io.threads": "none" };
  await assert.rejects(startBroker({ properties }), /^Failure: Cannot format .*num\.io\.threads/);
});

Deno.test("broker: of Maven's output the first error is reported", () => {
  const output = "\x1b[0m\n[\x1b[1;31mERROR\x1b[m] \n" +
    "[\x1b[1;31mERROR\x1b[m] Could not transfer artifact x:y:1: refused\n[ERROR] more\n";
  assert.equal(firstError(output), "Could not transfer artifact x:y:1: refused");
});
