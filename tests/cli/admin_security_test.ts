import assert from "node:assert/strict";
import { consumer, gpdbKafka, text } from "../support/cli.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import { reserve, secrets, startSecureBroker } from "../support/secure_broker.ts";

Deno.test("topics, offsets, lag: through TLS and a login; a denied right is 77", async () => {
  await using secure = await startSecureBroker();
  const { broker, at, file } = secure;
  const login = async (password: string) => {
    const path = file(`login-${password.length}`);
    const lines = [
      ...["security.protocol=SASL_SSL", `ssl.ca.location=${file("ca")}`],
      ...["sasl.mechanism=SCRAM-SHA-256", "sasl.username=alice", `sasl.password=${password}`],
    ];
    await Deno.writeTextFile(path, lines.map((line) => line + "\n").join(""));
    return ["-b", at.SASL, "-F", path, "--timeout", "10s"];
  };
  const right = await login(secrets.scram256);
  const topic = uniqueName("secure");
  const does = async (...args: string[]) => {
    const run = await gpdbKafka([...args, ...right]);
    assert.deepEqual([run.code, run.stderr], [0, ""], args.join(" "));
    return text(run.stdout);
  };
  assert.match(await does("topics", "create", topic, "--partitions", "2"), /partitions 2/);
  assert.match(await does("topics", "describe", topic), /cleanup\.policy +delete/);
  await produce(broker, topic, [{ value: "1" }, { value: "2" }]);
  assert.equal((await consumer(["-t", topic, "-g", topic, ...right])).code, 0);
  assert.match(await does("offsets", "show", "-g", topic), /: Empty, no members\n/);
  assert.match(await does("offsets", "reset", "-g", topic, "--to", "earliest"), /2 to be read/);
  assert.match(await does("lag", "-g", topic), /^total +2$/m);
  assert.match(await does("topics", "delete", topic, "--yes"), /2 offsets: deleted/);

  const reserved = uniqueName("carol");
  await createTopic(broker, reserved);
  await reserve(broker, "topic", reserved, "carol");
  await reserve(broker, "group", reserved, "carol");
  const wrong = await login("wrong");
  const refused: [string[], RegExp][] = [
    [["topics", "list", ...wrong], /rejects user "alice" with SCRAM-SHA-256/],
    [["topics", "create", "x", ...wrong], /rejects user "alice"/],
    [["lag", "-g", "x", ...wrong], /rejects user "alice"/],
    [["topics", "describe", reserved, ...right], /TOPIC_AUTHORIZATION_FAILED \(29\)/],
    [["topics", "delete", reserved, "--yes", ...right], /TOPIC_AUTHORIZATION_FAILED \(29\)/],
    [["offsets", "show", "-g", reserved, ...right], /GROUP_AUTHORIZATION_FAILED \(30\)/],
    [["lag", "-g", reserved, ...right], /GROUP_AUTHORIZATION_FAILED \(30\)/],
  ];
  for (const [args, message] of refused) {
    const run = await gpdbKafka(args);
    assert.equal(run.code, 77, run.stderr);
    assert.match(run.stderr, message);
    assert.match(run.stderr, /^gpdb-kafka [a-z]+: [^\n]+\n$/);
    for (const secret of Object.values(secrets)) assert.ok(!run.stderr.includes(secret));
  }
});
