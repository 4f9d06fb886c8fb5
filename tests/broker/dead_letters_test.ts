import assert from "node:assert/strict";
import { type Broker, startBroker } from "../../scripts/servers/broker.ts";
import { consumer, text } from "../support/cli.ts";
import { createTopic, groupOffsets, kafkajs, produce, uniqueName } from "../support/kafka.ts";
import { largeBatch, putBatch } from "../support/large_batch.ts";
import { Random } from "../support/random.ts";

interface Letter {
  key: string | null;
  value: Uint8Array | null;
  headers: Record<string, string>;
}

/** The first records of a topic, as kafkajs reads them. */
async function readLetters(broker: Broker, topic: string, count: number): Promise<Letter[]> {
  const found: Letter[] = [];
  const reader = kafkajs(broker).consumer({ groupId: uniqueName("letters") });
  await reader.connect();
  try {
    await reader.subscribe({ topics: [topic], fromBeginning: true });
    const all = Promise.withResolvers<void>();
    const timer = setTimeout(() => all.reject(new Error(`${found.length} letters came`)), 30_000);
    await reader.run({
      eachMessage: ({ message: { key, value, headers } }) => {
        const entries = Object.entries(headers ?? {}).map(([name, v]) => [name, `${v}`]);
        found.push({ key: key && `${key}`, value, headers: Object.fromEntries(entries) });
        if (found.length === count) all.resolve();
        return Promise.resolve();
      },
    });
    await all.promise.finally(() => clearTimeout(timer));
    return found;
  } finally {
    await reader.disconnect();
  }
}

/** Text that no codec makes much smaller. */
function noise(size: number): string {
  const random = new Random(7);
  return Array.from({ length: size }, () => random.int(0, 35).toString(36)).join("");
}

Deno.test("a dead letter is compressed as its record was: as large as that may be", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("large");
  const letters = `${topic}-letters`;
  await createTopic(broker, topic);
  await createTopic(broker, letters);
  // Three times what a topic takes by default: only compressed it fits into one.
  const value = new TextEncoder().encode(`1,"${"x".repeat(3 << 20)}`);
  for (const codec of ["gzip", "snappy", "lz4", "zstd"] as const) {
    await putBatch(broker, topic, await largeBatch(codec, 1, () => value));
  }
  await produce(broker, topic, [{ value: "2,good" }]);
  const run = await consumer([
    ...["-b", broker.bootstrap, "-t", topic, "-g", topic, "--timeout", "10s"],
    ...["--bad-record", `dead-letter=${letters}`],
  ]);
  assert.equal(run.code, 0, run.stderr);
  assert.equal(text(run.stdout), "2,good\n");
  assert.equal((await groupOffsets(broker, topic, topic)).get(0), 5n);
  // kafkajs reads no codec but gzip; the broker has inflated each, or it would have refused it.
  const read = await consumer([
    ...["-b", broker.bootstrap, "-t", letters, "-o", "earliest", "--value", "field"],
    ...["--columns", "header:dead-letter.offset,header:dead-letter.truncated"],
  ]);
  assert.equal(read.code, 0, read.stderr);
  const field = `"1,""${"x".repeat(3 << 20)}"`;
  const rows = text(read.stdout).trimEnd().split("\n");
  assert.equal(rows.length, 4);
  for (const [i, row] of rows.entries()) assert.ok(row === `"${i}",,${field}`, `letter ${i}`);
});

Deno.test("a dead letter that is too large for its topic goes there without its value or key", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("large");
  const letters = `${topic}-letters`;
  await createTopic(broker, topic);
  await createTopic(broker, letters, { configs: { "max.message.bytes": "1500" } });
  const large = noise(4000);
  await produce(broker, topic, [
    { key: "k0", value: '0,"open', headers: { own: "kept" } },
    { key: "k1", value: `1,"${large}`, headers: { own: "kept" } },
    { key: large, value: `2,"${large}`, headers: { own: "kept" } },
    { value: "3,good" },
    { key: "k4", value: '4,"open', headers: { own: "kept" } },
  ]);
  const run = await consumer([
    ...["-b", broker.bootstrap, "-t", topic, "-g", topic, "--timeout", "10s"],
    ...["--bad-record", `dead-letter=${letters}`],
  ]);
  assert.equal(run.code, 0, run.stderr);
  assert.equal(text(run.stdout), "3,good\n");
  assert.equal((await groupOffsets(broker, topic, topic)).get(0), 5n);
  const found = await readLetters(broker, letters, 4);
  const told = (offset: number) => ({
    "dead-letter.topic": topic,
    "dead-letter.partition": "0",
    "dead-letter.offset": `${offset}`,
    "dead-letter.reason": "the value has an odd number of quotes",
  });
  const shown = found.map(({ value, ...rest }) => ({ ...rest, value: value && `${value}` }));
  const limit = "larger than this topic's max.message.bytes";
  assert.deepEqual(shown, [
    { key: "k0", headers: { own: "kept", ...told(0) }, value: '0,"open' },
    {
      key: "k1",
      headers: {
        own: "kept",
        "dead-letter.truncated": `the value of 4003 bytes: ${limit}`,
        ...told(1),
      },
      value: null,
    },
    {
      key: null,
      headers: {
        "dead-letter.truncated":
          `the key of 4000 bytes, the value of 4003 bytes and 1 headers: ${limit}`,
        ...told(2),
      },
      value: null,
    },
    { key: "k4", headers: { own: "kept", ...told(4) }, value: '4,"open' },
  ]);
});
