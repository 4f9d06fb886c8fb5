import assert from "node:assert/strict";
import { securityConfig } from "../../lib/properties/security.ts";
import { parseAddress } from "../../lib/kafka/config.ts";
import { kafkajs } from "../../lib/kafka/kafkajs/client.ts";
import { explainTls } from "../../lib/kafka/tls.ts";
import { consumer, text } from "../support/cli.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import { reserve, secrets, startSecureBroker, unsecuredToken } from "../support/secure_broker.ts";
import { type Case, cases } from "./security_cases.ts";

Deno.test("security: each way in works, and each way not in is one line and a status", async (t) => {
  await using secure = await startSecureBroker();
  const { broker, at, file } = secure;
  const token = unsecuredToken("alice");
  const expired = unsecuredToken("alice", -300);
  await Deno.writeTextFile(file("expired-token"), expired + "\n");
  const topic = uniqueName("secure");
  await createTopic(broker, topic);
  await produce(broker, topic, [{ value: "1,a" }]);
  const hidden = [...Object.values(secrets), token, expired];

  const all = cases(secure, token);
  const check = async (one: Case, verbose: boolean) => {
    const { code = 0, stderr = /^$/, properties = {}, env } = one;
    const config = file(`${crypto.randomUUID()}`);
    const log = `${config}.log`;
    const lines = Object.entries(properties).map(([key, value]) => `${key} = ${value}\n`);
    await Deno.writeTextFile(config, one.file ?? `# ${one.name}\n${lines.join("")}`);
    // Only who is expected to try until the end does so for a short time.
    const timeout = stderr.source.includes("tried for 1 s") ? "1s" : "20s";
    const args = ["-b", at[one.at], "-t", topic, "-o", "0", "-F", config, "--timeout", timeout];
    const more = verbose ? ["-v", "--log-file", log] : [];
    const run = await consumer([...args, ...more], { env });
    assert.equal(run.code, code, `${one.name}: ${run.stderr}`);
    assert.equal(text(run.stdout), code === 0 ? "1,a\n" : "");
    if (!verbose) {
      assert.match(run.stderr, stderr);
      assert.equal(run.stderr.split("\n").length - 1, code === 0 ? 0 : 1, run.stderr);
    }
    assert.ok(code !== 77 || run.ms < 10_000, `${one.name} took ${run.ms} ms`);
    const seen = run.stderr + (verbose ? await Deno.readTextFile(log) : "");
    for (const secret of hidden) assert.ok(!seen.includes(secret), `${one.name}: ${seen}`);
  };
  for (const one of all) await t.step(one.name, () => check(one, false));
  await t.step("no secret is in what -v and --log-file say", async () => {
    const names = /^(PLAIN|SCRAM-SHA-512|OAUTHBEARER), |^(SCRAM-SHA-256|OAUTHBEARER)$/;
    const some = all.filter(({ name, env }) => names.test(name) && !env);
    assert.equal(some.length, 5);
    for (const one of some) await check(one, true);
  });

  await t.step("kafkajs connects the same way, and fails with the same words", async () => {
    const ways =
      /^(TLS|a client certificate|PLAIN|SCRAM-SHA-\d+( without TLS)?|OAUTHBEARER|no client certificate)$/;
    const some = all.filter(({ name }) => ways.test(name));
    assert.equal(some.length, 8);
    for (const { name, at: listener, properties = {}, env = {}, code = 0, stderr } of some) {
      const security = await securityConfig(new Map(Object.entries(properties)), (n) => env[n]);
      const config = { brokers: [at[listener]], clientId: "x", timeout: 20_000, debug: () => {} };
      const admin = kafkajs({ ...config, ...security }).admin({ retry: { retries: 0 } });
      const found = await admin.connect().then(() => admin.listTopics(), String);
      await admin.disconnect();
      if (code === 0) assert.ok(Array.isArray(found) && found.includes(topic), `${name}: ${found}`);
      else assert.match(String(found), stderr!);
    }
  });

  await t.step("a host name with an underscore is rejected by Java, and so named", async () => {
    const { port } = parseAddress(at.TLS)!;
    const tcp = await Deno.connect({ hostname: "127.0.0.1", port });
    // No such name leads here, so the connection is made without it.
    const caCerts = [await Deno.readTextFile(file("ca"))];
    using conn = await Deno.startTls(tcp, { hostname: "kafka_1", caCerts });
    const error = await conn.handshake().then(() => null, (error) => error);
    const why = explainTls(error, { host: "kafka_1", port }, false);
    assert.match(String(why), /^Failure: kafka_1:\d+ rejects "kafka_1" as its name: Java accepts/);
  });

  const login = { KAFKA_SASL_USERNAME: "alice", KAFKA_SASL_PASSWORD: secrets.scram256 };
  const scram = ["-X", "security.protocol=SASL_PLAINTEXT", "-X", "sasl.mechanism=SCRAM-SHA-256"];

  await t.step("a topic and a group of others: 77, naming them", async () => {
    const reserved = uniqueName("reserved");
    await createTopic(broker, reserved);
    await reserve(broker, "topic", reserved, "bob");
    await reserve(broker, "group", reserved, "bob");
    const args = ["-b", at.SCRAM, ...scram];
    const denied = await consumer([...args, "-t", reserved, "-o", "0"], { env: login });
    assert.equal(denied.code, 77, denied.stderr);
    assert.match(denied.stderr, new RegExp(`topic "${reserved}": TOPIC_AUTHORIZATION_FAILED`));
    const group = await consumer([...args, "-t", topic, "-g", reserved], { env: login });
    assert.equal(group.code, 77, group.stderr);
    assert.match(group.stderr, new RegExp(`group "${reserved}".*: GROUP_AUTHORIZATION_FAILED`));
  });

  await t.step("flags beat -X, -X beats the file, the file beats the environment", async () => {
    const config = file("precedence");
    const group = uniqueName("file");
    await Deno.writeTextFile(
      config,
      `metadata.broker.list=${at.SCRAM}\nsecurity.protocol=SASL_PLAINTEXT\n` +
        "sasl.mechanism=SCRAM-SHA-256\nsasl.username=alice\n" +
        `sasl.password=${secrets.scram256}\ngroup.id=${group}\nauto.offset.reset=latest\n`,
    );
    const env = {
      KAFKA_CONFIG: config,
      KAFKA_BROKERS: "127.0.0.1:1",
      KAFKA_SASL_USERNAME: "nobody",
      KAFKA_SASL_PASSWORD: "wrong",
    };
    const read = (...args: string[]) => consumer(["-t", topic, ...args], { env });
    const first = await read();
    assert.deepEqual([text(first.stdout), first.stderr], ["1,a\n", ""]);
    assert.equal(text((await read()).stdout), "");
    assert.equal(text((await read("-X", `group.id=${group}2`)).stdout), "1,a\n");
    assert.equal(text((await read("-X", `group.id=${group}2`, "-g", group)).stdout), "");
    const bob = await read("-X", "sasl.username=bob");
    assert.match(bob.stderr, /rejects user "bob"/);
    const elsewhere = await read("-X", "bootstrap.servers=127.0.0.1:2", "--timeout", "1s");
    assert.match(elsewhere.stderr, /cannot connect to 127\.0\.0\.1:2/);
    const flag = await read("-X", "bootstrap.servers=127.0.0.1:2", "-b", at.SCRAM, "-o", "0");
    assert.equal(text(flag.stdout), "1,a\n", flag.stderr);
    const other = await read("-F", file("ca"));
    assert.match(other.stderr, /ca\.pem line 1: not KEY=VALUE/);
  });
});
