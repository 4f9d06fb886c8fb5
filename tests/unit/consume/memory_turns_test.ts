/** Leaders share the memory for answers: none is kept from its own by what the others need. */
import assert from "node:assert/strict";
import { consumeRun, rows } from "../../support/consume_run.ts";
import { largeBatch } from "../../support/large_batch.ts";
import { scriptedBroker } from "../../support/scripted_broker/mod.ts";

const MB = 1024 * 1024;

Deno.test("a large answer gets its memory beside a leader that sends a little again and again", {
  permissions: { net: ["127.0.0.1"], read: true },
}, async () => {
  await using kafka = await scriptedBroker({ brokers: 2, topics: { t: 2 } });
  let inVain = -1;
  kafka.on.fetch = ({ broker, reply }) => {
    if (broker === 1 && reply.topics[0].partitions[0].records.length > 0) inVain++;
  };
  const value = new Uint8Array(MB).fill(0x61);
  const batch = await largeBatch("none", 17, () => value);
  kafka.log("t").store(batch);
  const timer = setInterval(() => kafka.log("t", 1).append(rows(0, 1)), 20);
  setTimeout(() => clearInterval(timer), 2000);
  // A quarter, 20 MiB, has room for an answer of usual size of both, but not beside that batch.
  const run = await consumeRun(kafka, { until: { idle: 1000 }, memoryMax: 80 * MB });
  assert.equal(run.failure, null);
  assert.equal(run.rows.filter((row) => row.length === MB).length, 17);
  assert.ok(inVain <= 1, `the large batch was sent ${inVain} times in vain`);
});

Deno.test("batches that are larger than usual are not sent in vain where memory is short", async () => {
  await using kafka = await scriptedBroker({ topics: { t: 1 } });
  let fetches = 0;
  kafka.on.fetch = () => void fetches++;
  const value = new Uint8Array(MB - 100).fill(0x61);
  const batch = await largeBatch("none", 8, () => value);
  const batches = 12;
  for (let i = 0; i < batches; i++) {
    new DataView(batch.buffer).setBigInt64(0, BigInt(8 * i));
    kafka.log("t").store(batch.slice());
  }
  const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 8));
  const run = await consumeRun(
    kafka,
    { memoryMax: 64 * MB, start: { at: "earliest" } },
    { beforeRows: pause },
  );
  assert.equal(run.failure, null);
  assert.equal(run.rows.length, 8 * batches);
  // One may be asked for before it is known how large they are.
  assert.ok(fetches <= batches + 2, `${fetches} answers`);
});
