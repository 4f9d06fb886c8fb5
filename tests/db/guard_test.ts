import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { startPostgres } from "../../scripts/servers/postgres.ts";
import { consumer, text } from "../support/cli.ts";
import { createTopic, groupOffsets, kafkajs, produce, uniqueName } from "../support/kafka.ts";

const utf8 = new TextEncoder();

/** Values that are not a row of two columns, and what the guard says of them. */
const bad: [string | Uint8Array, RegExp][] = [
  ["1,a\n2,b", /holds a newline outside quotes/],
  ["1,a\n\n", /holds a newline outside quotes/],
  ["1,a\r", /holds a carriage return outside quotes/],
  ["1,\r\n\r\n", /holds a carriage return outside quotes/],
  ["\n", /is empty/],
  ['1,"open', /has an odd number of quotes/],
  ['1,"a\nb', /has an odd number of quotes/],
  ["\\.", /a line that is just \\\./],
  ['1,"a\n\\.\nb"', /a line that is just \\\./],
  ["", /is empty/],
  ["1,\0", /holds a NUL byte/],
  [Uint8Array.of(0x31, 0x2c, 0xff), /is not UTF-8/],
  [Uint8Array.of(0x31, 0x2c, 0xc3), /is not UTF-8/],
  [Uint8Array.of(0x31, 0x2c, 0xed, 0xa0, 0x80), /is not UTF-8/],
];

const good = ["1,plain", '2,"two\nlines"', '3,"a ""quoted"" word"', "4,ü€😀", '5,"\r\n"', "6,\\.x"];

Deno.test("each value that would break a row is caught: 65 and where it is", async () => {
  await using broker = await startBroker();
  for (const [value, why] of bad) {
    const topic = uniqueName("bad");
    await createTopic(broker, topic, { partitions: 2 });
    await produce(broker, topic, [{ value: good[0] }, { value }, { value: good[1] }], 1);
    const run = await consumer(["-b", broker.bootstrap, "-t", topic, "-g", topic]);
    assert.equal(run.code, 65, run.stderr);
    assert.match(run.stderr, new RegExp(`topic "${topic}" partition 1 offset 1: the value `));
    assert.match(run.stderr, why);
    assert.equal((await groupOffsets(broker, topic, topic)).get(1), -1n);
  }
});

Deno.test("bad records are skipped and counted, passed, or put into a dead letter topic", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("bad");
  const letters = `${topic}-letters`;
  await createTopic(broker, topic);
  await createTopic(broker, letters);
  const values = [good[0], ...bad.map(([value]) => value), good[1]];
  await produce(
    broker,
    topic,
    values.map((value, i) => ({ key: `k${i}`, value, headers: { own: "kept" } })),
  );
  const args = ["-b", broker.bootstrap, "-t", topic, "-o", "earliest"];
  const skipped = await consumer([...args, "--bad-record", "skip", "--stats", "-q"]);
  assert.equal(text(skipped.stdout), `${good[0]}\n${good[1]}\n`);
  assert.equal(JSON.parse(skipped.stderr.trim().split("\n").at(-1)!).skipped, bad.length);
  const passed = await consumer([...args, "--bad-record", "pass"]);
  const whole = values.map((value) => typeof value === "string" ? utf8.encode(value) : value);
  assert.deepEqual([...passed.stdout], whole.flatMap((bytes) => [...bytes, 10]));

  const dead = await consumer([
    ...args,
    "--bad-record",
    `dead-letter=${letters}`,
    "--commit",
    "yes",
  ]);
  assert.equal(dead.code, 0, dead.stderr);
  assert.equal(text(dead.stdout), `${good[0]}\n${good[1]}\n`);
  const found: { key: string; value: Uint8Array; headers: Record<string, string> }[] = [];
  const reader = kafkajs(broker).consumer({ groupId: letters });
  await reader.connect();
  await reader.subscribe({ topics: [letters], fromBeginning: true });
  const all = Promise.withResolvers<void>();
  await reader.run({
    eachMessage: ({ message: { key, value, headers } }) => {
      const entries = Object.entries(headers ?? {}).map(([name, v]) => [name, `${v}`]);
      found.push({ key: `${key}`, value: value!, headers: Object.fromEntries(entries) });
      if (found.length === bad.length) all.resolve();
      return Promise.resolve();
    },
  });
  await all.promise;
  await reader.disconnect();
  for (const [i, [, why]] of bad.entries()) {
    assert.equal(found[i].key, `k${i + 1}`);
    assert.deepEqual([...found[i].value], [...whole[i + 1]]);
    const { own, ...told } = found[i].headers;
    assert.equal(own, "kept");
    assert.deepEqual([told["dead-letter.topic"], told["dead-letter.partition"]], [topic, "0"]);
    assert.equal(told["dead-letter.offset"], `${i + 1}`);
    assert.match(told["dead-letter.reason"], why);
  }
});

Deno.test("a missing dead letter topic is an error before anything is read", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("nowhere");
  await createTopic(broker, topic);
  const run = await consumer([
    ...["-b", broker.bootstrap, "-t", topic, "--bad-record", "dead-letter=not-there"],
  ]);
  assert.equal(run.code, 69);
  assert.match(run.stderr, /topic "not-there": UNKNOWN_TOPIC_OR_PARTITION/);
});

Deno.test("PostgreSQL gets exactly the good rows, however bad ones lie between", async () => {
  await using broker = await startBroker();
  await using pg = await startPostgres();
  const topic = uniqueName("between");
  await createTopic(broker, topic, { partitions: 3 });
  // The same numbers each time: what fails once fails again.
  let seed = 42;
  const random = (below: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
  const expected: string[] = [];
  for (let p = 0; p < 3; p++) {
    const records = Array.from({ length: 40 }, (_, i) => {
      if (random(6) === 0) return { value: bad[random(bad.length)][0] };
      const name = `${p}-${i}`;
      expected.push(name);
      return { value: `${i},"${name}${["", "\n", ' "" ', "\r\n", " ü"][random(5)]}"` };
    });
    await produce(broker, topic, records, p);
  }
  await pg.installProgram({
    name: "kafka_consumer",
    entry: new URL("../../consumer.ts", import.meta.url),
  });
  await pg.sql`CREATE TABLE rows (number int, name text)`;
  await pg.sql.unsafe(
    `COPY rows FROM PROGRAM '$HOME/kafka_consumer -b ${broker.bootstrap} -t ${topic} ` +
      `-g ${topic} --bad-record skip -q' (FORMAT csv)`,
  );
  const rows = await pg.sql<{ name: string }[]>`SELECT name FROM rows`;
  assert.deepEqual(rows.map(({ name }) => name.split(/[\s]/)[0]).sort(), expected.sort());
});
