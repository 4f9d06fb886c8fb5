/** Partitions that a topic gets after a group has begun to read it: nothing of them is left out. */
import assert from "node:assert/strict";
import { type Broker, startBroker } from "../../scripts/servers/broker.ts";
import { consumer, start, text } from "../support/cli.ts";
import { until } from "../support/group.ts";
import {
  createTopic,
  groupOffsets,
  produce,
  topicOffsets,
  uniqueName,
  withAdmin,
} from "../support/kafka.ts";
import { stepBeside } from "../support/steps.ts";

const fifty = Array.from({ length: 50 }, (_, i) => ({ value: `added ${i}` }));

async function addPartitions(broker: Broker, topic: string, count: number): Promise<void> {
  const topicPartitions = [{ topic, count }];
  await withAdmin(broker, (admin) => admin.createPartitions({ topicPartitions }));
  // kafkajs drops records for partitions that the broker it asks has not heard of yet.
  await until("they are there", 30_000, async () => {
    const found = await topicOffsets(broker, topic).catch(() => []);
    return found.length === count;
  });
}

/** Rows of several runs at once, and what the group has stored then. */
async function readAll(broker: Broker, topic: string, ways: readonly string[][]) {
  const at = ["-b", broker.bootstrap, "-t", topic, "-g", topic, "--fallback", "latest"];
  let rows = 0;
  for (const run of await Promise.all(ways.map((way) => consumer([...at, ...way])))) {
    assert.equal(run.code, 0, run.stderr);
    rows += text(run.stdout).split("\n").length - 1;
  }
  return { rows, stored: [...(await groupOffsets(broker, topic, topic)).values()].map(Number) };
}

const ways: Record<string, string[][]> = {
  "alone": [[]],
  "slots": [["--slot", "0/3"], ["--slot", "1/3"], ["--slot", "2/3"]],
  "a group": [["--assign", "group"]],
};

Deno.test("--fallback latest is for a group's first run: a partition added later is read whole", async (t) => {
  await using broker = await startBroker();
  await Promise.all(
    Object.entries(ways).map(async ([name, way]) => {
      const topic = uniqueName("added");
      await createTopic(broker, topic, { partitions: 2 });
      await produce(broker, topic, [{ value: "before the first run" }], 1);
      const first = await readAll(broker, topic, way);
      await addPartitions(broker, topic, 4);
      await produce(broker, topic, fifty, 2);
      await produce(broker, topic, fifty, 3);
      const second = await readAll(broker, topic, way);
      await stepBeside(t, name, () => {
        // However the slots' first runs fall: none takes another's commit for one of an earlier run.
        assert.deepEqual(first, { rows: 0, stored: [0, 1] });
        assert.deepEqual(second, { rows: 100, stored: [0, 1, 50, 50] });
      });
    }),
  );
});

Deno.test("a group with offsets of another program: --fallback does not apply to partitions without one", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("foreign");
  await createTopic(broker, topic, { partitions: 2 });
  await produce(broker, topic, fifty, 1);
  const partitions = [{ partition: 0, offset: "0" }];
  await withAdmin(broker, (admin) => admin.setOffsets({ groupId: topic, topic, partitions }));
  for (const fallback of ["latest", "fail"]) {
    const args = ["-b", broker.bootstrap, "-t", topic, "-g", topic, "--slot", "1/2"];
    const run = await consumer([...args, "--fallback", fallback, "-c", "30"]);
    assert.equal(run.code, 0, run.stderr);
    assert.equal(text(run.stdout).split("\n").length - 1, fallback === "latest" ? 30 : 20);
  }
});

Deno.test("a first run with --fallback latest that fails leaves where it began", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("failed");
  await createTopic(broker, topic);
  await produce(broker, topic, [{ value: "old" }]);
  const args = ["-b", broker.bootstrap, "-t", topic, "-g", topic, "--fallback", "latest"];
  const child = start("consumer", [...args, "--until", "forever"]);
  child.stdin.close();
  const rows = child.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  await until(
    "it began",
    10_000,
    async () => (await groupOffsets(broker, topic, topic).catch(() => null))?.get(0) === 1n,
  );
  await produce(broker, topic, [{ value: '"' }]);
  assert.equal((await child.status).code, 65);
  await rows.return?.();
  await child.stderr.cancel();
  const run = await consumer([...args, "--bad-record", "skip"]);
  assert.match(run.stderr, /offset 1: .*; left out/);
});

Deno.test("--until forever and idle find partitions that a topic gets meanwhile", async (t) => {
  await using broker = await startBroker();
  const cases: Record<string, string[]> = {
    "alone": ["--until", "forever"],
    "a slot": ["--until", "forever", "--slot", "0/2"],
    "a group": ["--until", "forever", "--assign", "group"],
    "from the end on, without commits": ["--until", "forever", "-o", "latest"],
    "idle": ["--until", "idle=1m"],
  };
  await Promise.all(
    Object.entries(cases).map(async ([name, more]) => {
      const topic = uniqueName("grows");
      await createTopic(broker, topic, { partitions: 2 });
      const child = start("consumer", [
        ...["-b", broker.bootstrap, "-t", topic, "-g", topic, ...more],
        ...["-X", "topic.metadata.refresh.interval.ms=500", "-v"],
      ]);
      child.stdin.close();
      const said = new Response(child.stderr).text();
      let rows = "";
      const reading = (async () => {
        for await (const chunk of child.stdout) rows += text(chunk);
      })();
      let isOver = false;
      const ended = child.status.finally(() => isOver = true);
      const read = until("it reads", 60_000, async () => {
        await produce(broker, topic, [{ value: "tick" }], 0);
        return isOver || rows.includes("tick");
      });
      const failed = await read.then(async () => {
        await addPartitions(broker, topic, 3);
        await produce(broker, topic, fifty, 2);
        await until(
          "all of the new partition",
          60_000,
          () => isOver || rows.split("added").length === 51,
        );
        assert.ok(!isOver);
        child.kill("SIGTERM");
        await reading;
        assert.equal((await ended).code, 143);
      }).catch((error) => error);
      await stepBeside(t, name, async () => assert.equal(failed, undefined, await said));
    }),
  );
});
