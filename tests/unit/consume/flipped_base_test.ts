/** A batch's base offset is not in its CRC: one that is wrong where a run begins loses no row either. */
import assert from "node:assert/strict";
import { consumeRun, rows, stored } from "../../support/consume_run.ts";
import {
  makeBatch,
  type ScriptedBroker,
  scriptedBroker,
} from "../../support/scripted_broker/mod.ts";

const permissions = { net: ["127.0.0.1"], read: true };

/** Offsets 0 to 39 in three batches, of which the one from 16 on says that it begins at `base`. */
async function scene(base: number): Promise<ScriptedBroker> {
  const kafka = await scriptedBroker({ topics: { t: 1 } });
  const log = kafka.log("t").append(rows(0, 16));
  const bytes = makeBatch(rows(16, 37), { base });
  log.batches.push({ first: 16, last: 36, leaderEpoch: 0, time: 0, bytes });
  log.end = 37;
  log.append(rows(37, 40));
  return kafka;
}

const store = (kafka: ScriptedBroker, offset: number) =>
  kafka.group("g").set("t/0", { offset, leaderEpoch: 0, metadata: null });

for (const bit of [1, 2, 4, 8, 16, 32, 1 << 10, 1 << 20]) {
  Deno.test(
    `a base offset of ${16 ^ bit} in place of 16 loses no row`,
    { permissions },
    async () => {
      await using kafka = await scene(16 ^ bit);
      store(kafka, 16);
      const { failure, rows: read } = await consumeRun(kafka);
      assert.ok(failure !== null, `${read}`);
      assert.deepEqual(stored(kafka), { "t/0": 16 });
    },
  );
}

Deno.test("a run begins in the middle of a batch, asked for again from its start", {
  permissions,
}, async () => {
  await using kafka = await scene(16);
  for (const offset of [3, 15, 16, 20, 36, 38]) {
    store(kafka, offset);
    const { failure, rows: read } = await consumeRun(kafka);
    assert.deepEqual([failure, read], [null, rows(offset, 40)]);
  }
});

Deno.test("a log that begins in the middle of a batch is read from there", {
  permissions,
}, async () => {
  await using kafka = await scene(16);
  kafka.log("t").logStart = 20;
  const { failure, rows: read } = await consumeRun(kafka);
  assert.deepEqual([failure, read], [null, rows(20, 40)]);
});

Deno.test("a batch that is cut after one that is asked for again is only cut", {
  permissions,
}, async () => {
  await using kafka = await scriptedBroker({ topics: { t: 2 } });
  kafka.log("t").append(rows(0, 8));
  kafka.log("t", 1).append(rows(8, 16));
  store(kafka, 4);
  kafka.on.fetch = ({ nth, reply }) => {
    const of1 = reply.topics[0].partitions.find((p: { partition: number }) => p.partition === 1);
    if (nth === 0) of1.records = of1.records.subarray(0, 80);
  };
  const { failure, rows: read } = await consumeRun(kafka);
  assert.equal(failure, null);
  assert.deepEqual(read.sort(), rows(4, 16).sort());
});
