import assert from "node:assert/strict";
import { largeBatch, measure } from "../support/large_batch.ts";
import { type PartitionLog, scriptedBroker } from "../support/scripted_broker/mod.ts";

const MB = 1024 * 1024;
const utf8 = new TextEncoder();

/** Adds a batch of one record as it is, at the log's end. */
function push(log: PartitionLog, batch: Uint8Array<ArrayBuffer>): void {
  const bytes = batch.slice();
  new DataView(bytes.buffer).setBigInt64(0, BigInt(log.end));
  log.batches.push({ first: log.end, last: log.end, leaderEpoch: 0, time: 0, bytes });
  log.end = log.highWatermark = log.lastStable = log.end + 1;
}

/** A document of 20 MB: a text with quotes, an array, and a number at its end. */
function document(): Uint8Array {
  const text = 'say \\"x\\" '.repeat(MB);
  return utf8.encode(`{"text":"${text}","list":[${"17,".repeat(3 * MB)}0],"id":7}`);
}

Deno.test("documents of 20 MB: thirty take no more memory than ten", async () => {
  const value = document();
  assert.ok(value.length > 19 * MB);
  const batch = await largeBatch("none", 1, () => value);
  const peaks: number[] = [];
  for (const count of [10, 30]) {
    await using kafka = await scriptedBroker({ topics: { t: 1 } });
    for (let i = 0; i < count; i++) push(kafka.log("t"), batch);
    const run = await measure("consumer", [
      ...["-b", kafka.bootstrap, "-t", "t", "-o", "earliest", "--value", "json"],
      ...["--fields", "id, list, text, ."],
    ]);
    assert.equal(run.code, 0, run.stderr);
    assert.equal(run.rows, count);
    assert.ok(run.bytes > count * 2 * value.length, `${run.bytes}`);
    peaks.push(run.peak);
  }
  const [few, many] = peaks;
  assert.ok(many < few + 50 && many < 300, `${peaks.join(", ")} MB`);
  const all = await largeBatch("none", 1, () => utf8.encode(`{"a":[${"[".repeat(70_000)}`));
  await using kafka = await scriptedBroker({ topics: { t: 1 } });
  push(kafka.log("t"), all);
  const run = await measure("consumer", [
    ...["-b", kafka.bootstrap, "-t", "t", "-o", "earliest", "--value", "json", "--fields", "id"],
  ]);
  assert.equal(run.code, 65, run.stderr);
  assert.match(run.stderr, /is nested more than 65,536 levels deep \(byte 65540, in …(\[0\])+\)/);
});
