import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { consumer, start, text } from "../support/cli.ts";
import { createTopic, groupOffsets, produce, uniqueName } from "../support/kafka.ts";

Deno.test("--until idle=DUR continues while records come, and ends when none came for that time", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("idle");
  await createTopic(broker, topic, { partitions: 2 });
  await produce(broker, topic, [{ value: "first" }], 0);
  const args = ["-b", broker.bootstrap, "-t", topic, "-g", topic, "--until", "idle=1500ms"];
  const running = consumer(args);
  for (const value of ["second", "third"]) {
    await new Promise((resolve) => setTimeout(resolve, 800));
    await produce(broker, topic, [{ value }], 1);
  }
  const run = await running;
  assert.equal(run.code, 0, run.stderr);
  assert.equal(text(run.stdout), "first\nsecond\nthird\n");
  assert.deepEqual(await groupOffsets(broker, topic, topic), new Map([[0, 1n], [1, 2n]]));
});

Deno.test("--until forever writes records as they come, and commits in between", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("forever");
  await createTopic(broker, topic);
  const child = start("consumer", [
    ...["-b", broker.bootstrap, "-t", topic, "-g", topic, "--until", "forever"],
  ]);
  child.stdin.close();
  const rows = child.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  const sent = performance.now();
  for (let i = 0; i < 3; i++) {
    await produce(broker, topic, [{ value: `row ${i}` }]);
    assert.equal((await rows.next()).value, `row ${i}\n`);
  }
  assert.ok(performance.now() - sent < 5000);
  const deadline = Date.now() + 15_000;
  // It commits when records come and the last commit is some seconds old.
  for (let i = 3; (await groupOffsets(broker, topic, topic)).get(0) === -1n; i++) {
    assert.ok(Date.now() < deadline, "nothing was committed");
    await new Promise((resolve) => setTimeout(resolve, 500));
    await produce(broker, topic, [{ value: `row ${i}` }]);
    await rows.next();
  }
  child.kill("SIGTERM");
  assert.equal((await child.status).code, 143);
  await child.stderr.cancel();
  await rows.return?.();
});

Deno.test("--max-records ends a run in the middle of a batch, and the next run continues there", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("most");
  await createTopic(broker, topic, { partitions: 2 });
  for (const p of [0, 1]) {
    await produce(broker, topic, [1, 2, 3, 4, 5].map((n) => ({ value: `${p}.${n}` })), p);
  }
  const found: string[] = [];
  for (const count of [3, 4, 3, 0]) {
    const run = await consumer(["-b", broker.bootstrap, "-t", topic, "-g", topic, "-c", "4"]);
    const rows = text(run.stdout).split("\n").slice(0, -1);
    assert.ok(rows.length <= 4 && (count === 0 || rows.length > 0), `${rows}`);
    found.push(...rows);
  }
  assert.deepEqual(found.sort(), [1, 2, 3, 4, 5].flatMap((n) => [`0.${n}`, `1.${n}`]).sort());
});
