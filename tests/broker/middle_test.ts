/** A run may begin in the middle of a batch, and a log too, where records were deleted. */
import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { consumer, text } from "../support/cli.ts";
import { createTopic, deleteRecords, produce, uniqueName } from "../support/kafka.ts";
Deno.test("a run, or a log, that begins in the middle of a batch: each row once", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("middle");
  await createTopic(broker, topic);
  for (const first of [0, 10, 20]) {
    const values = Array.from({ length: 10 }, (_, i) => ({ value: `${first + i}` }));
    await produce(broker, topic, values);
  }
  const args = ["-b", broker.bootstrap, "-t", topic];
  const all = (from: number) =>
    Array.from({ length: 30 - from }, (_, i) => `${from + i}\n`).join("");
  for (const from of [4, 10, 15]) {
    const run = await consumer([...args, "-o", `${from}`]);
    assert.equal(text(run.stdout), all(from), run.stderr);
  }
  assert.equal(
    text((await consumer([...args, "--ranges", "0:7-13"])).stdout),
    "7\n8\n9\n10\n11\n12\n",
  );
  await deleteRecords(broker, topic, { 0: 6 });
  assert.equal(text((await consumer([...args, "-o", "earliest"])).stdout), all(6));
  assert.equal(text((await consumer([...args, "-o", "8"])).stdout), all(8));
  let got = "";
  for (let i = 0; i < 4; i++) {
    got += text((await consumer([...args, "-g", topic, "-c", "7"])).stdout);
  }
  assert.equal(got, all(6));
});
