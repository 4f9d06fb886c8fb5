import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { startBroker } from "../../scripts/servers/broker.ts";
import { consumer, text } from "../support/cli.ts";
import { createTopic, kafkajs, uniqueName } from "../support/kafka.ts";

Deno.test("of several headers with one name, header:NAME is the last one; headers has them all", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("headers");
  await createTopic(broker, topic);
  const producer = kafkajs(broker).producer();
  await producer.connect();
  const headers = { trace: ["a", "b"], other: "x" };
  await producer.send({ topic, messages: [{ value: "1", headers }, { value: "2" }] });
  await producer.disconnect();
  const run = await consumer([
    ...["-b", broker.bootstrap, "-t", topic, "--columns", "header:trace,headers"],
  ]);
  assert.equal(run.code, 0, run.stderr);
  assert.equal(
    text(run.stdout),
    '"b","{""trace"": ""a"", ""trace"": ""b"", ""other"": ""x""}",1\n,"{}",2\n',
  );
});

Deno.test("a key that is not text is a bad record only if a column has it as text", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("keys");
  await createTopic(broker, topic);
  const producer = kafkajs(broker).producer();
  await producer.connect();
  const keys = [[0xff, 0], [0x61, 0], [], [0x61]].map((bytes) => Buffer.from(bytes));
  await producer.send({ topic, messages: keys.map((key, n) => ({ key, value: `${n}` })) });
  await producer.disconnect();
  const args = ["-b", broker.bootstrap, "-t", topic, "-o", "earliest"];
  const run = async (...more: string[]) => {
    const finished = await consumer([...args, ...more]);
    return [finished.code, text(finished.stdout), finished.stderr] as const;
  };
  assert.deepEqual(await run(), [0, "0\n1\n2\n3\n", ""]);
  assert.deepEqual(await run("--columns", "key:hex"), [
    ...[0, "\\xff00,0\n\\x6100,1\n\\x,2\n\\x61,3\n", ""],
  ]);
  const [code, rows, stderr] = await run("--columns", "key", "--bad-record", "skip");
  assert.deepEqual([code, rows], [0, '"",2\n"a",3\n']);
  assert.match(stderr, /offset 0: the key (is not UTF-8|holds a NUL byte); left out/);
  assert.match(stderr, /offset 1: the key holds a NUL byte; left out/);
  const [failed, , why] = await run("--columns", "key");
  assert.equal(failed, 65);
  assert.match(why, /offset 0: the key .* \(--bad-record skip leaves such records out\)/);
});
