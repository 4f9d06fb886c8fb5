import assert from "node:assert/strict";
import { largeBatch, measure } from "../support/large_batch.ts";
import { makeBatch, type PartitionLog, scriptedBroker } from "../support/scripted_broker/mod.ts";

const MB = 1024 * 1024;
/** What the programs take before they read anything, MB, with room for what is not collected yet. */
const RUNTIME = 110;

const utf8 = new TextEncoder();

/** A value of `size` bytes that begins with its number: the bytes are the same ones each time. */
function values(size: number): (index: number) => Uint8Array {
  const bytes = new Uint8Array(size).fill(0x78);
  return (index) => {
    bytes.set(utf8.encode(`${index},`.padEnd(12, "x")));
    return bytes;
  };
}

/** Adds a batch as it is, at the log's end: store() would sum it bit by bit. */
function push(log: PartitionLog, batch: Uint8Array<ArrayBuffer>, count: number): void {
  const bytes = batch.slice();
  new DataView(bytes.buffer).setBigInt64(0, BigInt(log.end));
  log.batches.push({ first: log.end, last: log.end + count - 1, leaderEpoch: 0, time: 0, bytes });
  log.end = log.highWatermark = log.lastStable = log.end + count;
}

Deno.test("a gzip batch that inflates 300 : 1 and more is read in bounded memory", async () => {
  const [count, size] = [8_000, 50_000];
  const batch = await largeBatch("gzip", count, values(size));
  assert.ok(count * size > 300 * batch.length, `${batch.length} bytes`);
  await using kafka = await scriptedBroker({ topics: { t: 1 } });
  push(kafka.log("t"), batch, count);
  kafka.log("t").append(["after"]);
  const args = ["-b", kafka.bootstrap, "-t", "t", "-g", "g"];
  const plain = await measure("consumer", args);
  assert.equal(plain.code, 0, plain.stderr);
  assert.deepEqual([plain.rows, plain.bytes], [count + 1, count * (size + 1) + 6]);
  assert.equal(kafka.group("g").get("t/0")?.offset, count + 1);
  assert.ok(plain.peak < RUNTIME + 64, `${plain.peak} MB`);
  const fields = await measure("consumer", [
    ...[...args, "-o", "earliest", "--commit", "no"],
    ...["--columns", "partition,offset,timestamp,key", "--value", "field"],
  ]);
  assert.equal(fields.code, 0, fields.stderr);
  assert.equal(fields.rows, count + 1);
  assert.ok(fields.peak < RUNTIME + 64, `${fields.peak} MB`);
});

Deno.test("the bound is for all leaders together: they wait for their share", async () => {
  const [leaders, count, size] = [12, 120, 100_000];
  const batch = await largeBatch("none", count, values(size));
  assert.ok(leaders * batch.length > 2 * 64 * MB);
  await using kafka = await scriptedBroker({ brokers: leaders, topics: { t: leaders } });
  for (let p = 0; p < leaders; p++) {
    push(kafka.log("t", p), batch, count);
    kafka.log("t", p).append(["after"]);
  }
  const run = await measure("consumer", [
    ...["-b", kafka.bootstrap, "-t", "t", "-g", "g", "-X", "gpdb.kafka.memory.max=64m"],
  ]);
  assert.equal(run.code, 0, run.stderr);
  assert.equal(run.rows, leaders * (count + 1));
  assert.ok(run.peak < RUNTIME + 64, `${run.peak} MB`);
});

Deno.test("what is too large for the bound is named, with what it needs and what to do", async () => {
  const batch = await largeBatch("none", 1, values(40 * MB));
  await using kafka = await scriptedBroker({ topics: { t: 1 } });
  kafka.log("t").append(["before"]);
  push(kafka.log("t"), batch, 1);
  const args = ["-b", kafka.bootstrap, "-t", "t", "-g", "g"];
  const run = await measure("consumer", [...args, "-X", "gpdb.kafka.memory.max=64m"]);
  assert.equal(run.code, 65, run.stderr);
  assert.match(
    run.stderr,
    /topic "t" partition 0 offset 1: the answer needs 4\d{7} bytes of memory at once, but one answer gets at most half of gpdb\.kafka\.memory\.max=67108864 — set gpdb\.kafka\.memory\.max \(-X or --config\) to 8\d{7} or more/,
  );
  assert.equal(kafka.group("g").size, 0);
  assert.ok(run.peak < RUNTIME + 64, `${run.peak} MB`);
  const more = await measure("consumer", args);
  assert.equal(more.code, 0, more.stderr);
  assert.deepEqual([more.rows, more.bytes], [2, 7 + 40 * MB + 1]);
  // A bound that can't be is the user's mistake.
  for (const value of ["1m", "x", "-5"]) {
    const wrong = await measure("consumer", [...args, "-X", `gpdb.kafka.memory.max=${value}`]);
    assert.equal(wrong.code, 64);
    assert.match(wrong.stderr, /gpdb\.kafka\.memory\.max: "[^"]*" is not a number of bytes/);
  }
});

Deno.test("one large batch after another takes no more than one", async () => {
  const large = await largeBatch("none", 10, values(2 * MB));
  await using kafka = await scriptedBroker({ topics: { t: 1 } });
  for (let i = 0; i < 8; i++) {
    push(kafka.log("t"), large, 10);
    push(kafka.log("t"), makeBatch(["1,small"]), 1);
  }
  const run = await measure("consumer", ["-b", kafka.bootstrap, "-t", "t", "-g", "g"]);
  assert.equal(run.code, 0, run.stderr);
  assert.equal(run.rows, 8 * 11);
  assert.ok(run.peak < RUNTIME + 80, `${run.peak} MB`);
});
