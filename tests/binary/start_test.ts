/** What a start costs: a segment pays for it in every statement, new records or not. */
import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { binaries, compileForTest, consumerPath } from "../support/binaries.ts";
import { createTopic, uniqueName } from "../support/kafka.ts";

const ignore = !binaries;

/** Milliseconds; the quickest of these runs counts, for what else the machine does is no cost. */
const MOST = 250;
const MOST_OVER_NOTHING = 100;
const RUNS = 15;

Deno.test({ name: "binary: an empty topic ends at once", ignore }, async () => {
  await using broker = await startBroker();
  const topic = uniqueName("empty");
  await createTopic(broker, topic, { partitions: 8 });
  const folder = await Deno.makeTempDir();
  try {
    const noop = await compileForTest("noop", "tests/binary/noop.ts", folder);
    const args = ["-b", broker.bootstrap, "-t", topic, "--commit", "no"];
    let [nothing, consumer] = [Infinity, Infinity];
    for (let run = 0; run < RUNS; run++) {
      nothing = Math.min(nothing, await time(noop, []));
      consumer = Math.min(consumer, await time(consumerPath, args));
    }
    console.log(`empty topic: ${consumer.toFixed(0)} ms; a no-op: ${nothing.toFixed(0)} ms`);
    assert.ok(consumer < MOST, `${consumer} ms`);
    assert.ok(consumer - nothing < MOST_OVER_NOTHING, `${consumer} ms, a no-op ${nothing} ms`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function time(program: string, args: string[]): Promise<number> {
  const started = performance.now();
  const { code } = await new Deno.Command(program, { args }).output();
  assert.equal(code, 0);
  return performance.now() - started;
}

/** KiB. */
const MOST_MEMORY = 80 * 1024;

Deno.test({
  name: "binary: an empty topic needs at most 80 MB",
  ignore: ignore || Deno.build.os !== "linux",
  fn: async () => {
    await using broker = await startBroker();
    const topic = uniqueName("empty");
    await createTopic(broker, topic, { partitions: 8 });
    // It stays a while after its end, so that the kernel can be asked what it has used at most.
    const args = ["-b", broker.bootstrap, "-t", topic, "--commit", "no", "--until", "idle=2s"];
    const child = new Deno.Command(consumerPath, { args, stdout: "null", stderr: "null" }).spawn();
    const ended = child.status;
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const status = await Deno.readTextFile(`/proc/${child.pid}/status`);
    const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]);
    console.log(`empty topic: ${(peak / 1024).toFixed(0)} MB at most`);
    assert.equal((await ended).code, 0);
    assert.ok(peak <= MOST_MEMORY, `${peak} KiB`);
  },
});
