import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { consumer, producer, text } from "../support/cli.ts";
import { createTopic, kafkajs, produce, type TestRecord, uniqueName } from "../support/kafka.ts";

/** A record's parts as hex; null is Kafka's null, or no such header. */
interface Found {
  key: string | null;
  value: string | null;
  trace: string | null;
}

const hex = (bytes: Uint8Array | null | undefined) =>
  bytes ? Buffer.from(bytes).toString("hex") : null;

/** What kafkajs, which shares nothing with the code under test, finds in a topic of one partition. */
async function found(
  broker: Awaited<ReturnType<typeof startBroker>>,
  topic: string,
  count: number,
): Promise<Found[]> {
  const records: Found[] = [];
  const reader = kafkajs(broker).consumer({ groupId: `${topic}-reader` });
  await reader.connect();
  try {
    await reader.subscribe({ topics: [topic], fromBeginning: true });
    const all = Promise.withResolvers<void>();
    await reader.run({
      eachMessage: ({ message: { key, value, headers } }) => {
        const trace = headers?.trace;
        records.push({
          key: hex(key),
          value: hex(value),
          trace: trace === undefined ? null : hex(Buffer.from(trace as Uint8Array)),
        });
        if (records.length === count) all.resolve();
        return Promise.resolve();
      },
    });
    await all.promise;
  } finally {
    await reader.disconnect();
  }
  return records;
}

/** Every code point that text can have, but NUL, 64 in a text. */
function* allOfUnicode(): Generator<string> {
  for (let first = 0; first < 0x110000; first += 64) {
    if (first >= 0xd800 && first < 0xe000) continue;
    yield Array.from({ length: 64 }, (_, i) => String.fromCodePoint(Math.max(first + i, 1))).join(
      "",
    );
  }
}

/** Texts of what CSV, PostgreSQL and line ends give a meaning to. */
const special = [
  ...[
    '"',
    '""',
    ",",
    ",,",
    "\n",
    "\r",
    "\r\n",
    "\\",
    "\\N",
    "\\x",
    "\t",
    " ",
    "'",
    "\ufeff",
    "NULL",
  ],
  ...['a"b', '"a"', ',"\n",', "\n\n", "\r\n\r\n", " a ", "é", "😀", "x".repeat(5_000)],
];

const csv = (field: string) => `"${field.replaceAll('"', '""')}"`;

Deno.test("round trip: out and in again, keys, values, headers and tombstones are the same bytes", async () => {
  await using broker = await startBroker();
  const texts = [...special, ...allOfUnicode()];
  // A value is a CSV row; a key and a header are any text.
  const records = texts.flatMap((text, i): TestRecord[] => [
    { key: text, value: `${i},${csv(text)}`, headers: { trace: text } },
    ...(i < special.length
      ? [
        { key: "", value: csv(text), headers: { trace: "" } },
        { key: null, value: `,${csv(text)},`, headers: {} },
        { key: text, value: null, headers: { trace: text } },
        { key: "", value: null, headers: {} },
      ]
      : []),
  ]);
  const [from, to] = [uniqueName("round"), uniqueName("trip")];
  for (const topic of [from, to]) await createTopic(broker, topic);
  for (let at = 0; at < records.length; at += 1000) {
    await produce(broker, from, records.slice(at, at + 1000), 0);
  }
  const at = ["-b", broker.bootstrap];
  const out = await consumer([
    ...[...at, "-t", from, "-o", "earliest", "--columns", "key,header:trace"],
    ...["--tombstones", "empty", "--stats"],
  ]);
  assert.equal(out.code, 0, out.stderr);
  assert.equal(JSON.parse(out.stderr).records, records.length);
  const back = await producer([
    ...[...at, "-t", to, "--key-column", "1", "--key-cut", "--header-column", "trace=2"],
    ...["--tombstone", "-z", "gzip"],
  ], { stdin: out.stdout });
  assert.equal(back.code, 0, back.stderr);
  assert.match(back.stderr, new RegExp(`^${records.length} rows, `));
  const [sent, arrived] = await Promise.all(
    [from, to].map((topic) => found(broker, topic, records.length)),
  );
  assert.equal(sent.filter(({ value }) => value === null).length, 2 * special.length);
  assert.deepEqual(arrived, sent);
});

Deno.test("round trip: any text, and any bytes, as one field", async () => {
  await using broker = await startBroker();
  const texts = [...special, "", "1,a\n2,b", "{}\n", ...allOfUnicode()].filter((text) =>
    !text.split(/[\r\n]/).includes("\\.")
  );
  const records = texts.flatMap((text, i) => [
    { key: text, value: text },
    ...(i < special.length ? [{ key: text, value: null }] : []),
  ]);
  const [from, to] = [uniqueName("round"), uniqueName("trip")];
  for (const topic of [from, to]) await createTopic(broker, topic);
  for (let at = 0; at < records.length; at += 1000) {
    await produce(broker, from, records.slice(at, at + 1000), 0);
  }
  const at = ["-b", broker.bootstrap];
  const sent = await found(broker, from, records.length);
  for (const form of ["field", "hex"]) {
    const out = await consumer([
      ...[...at, "-t", from, "-o", "earliest", "--columns", "key", "--value", form],
      ...["--tombstones", "empty"],
    ]);
    assert.equal(out.code, 0, out.stderr);
    const topic = form === "hex" ? uniqueName("hex") : to;
    if (form === "hex") await createTopic(broker, topic);
    const back = await producer([
      ...[...at, "-t", topic, "--key-column", "1", "--key-cut", "--value", form, "--tombstone"],
    ], { stdin: out.stdout });
    assert.equal(back.code, 0, back.stderr);
    assert.deepEqual(await found(broker, topic, records.length), sent);
  }
});

Deno.test("round trip: rows become JSON objects that a reader of JSON finds", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("json");
  await createTopic(broker, topic);
  const texts = [...special, ...allOfUnicode()];
  const stdin = texts.map((one, i) =>
    `${i},${csv(one)},${i % 3 === 0 ? "" : i / 4},${["t", "f", ""][i % 3]},${
      csv(JSON.stringify([one]))
    }\n`
  ).join("");
  const run = await producer([
    ...["-b", broker.bootstrap, "-t", topic, "--value", "json", "--key-column", "1", "--key-cut"],
    ...["--columns", 'id,"a ""text""",n:number,ok:boolean,doc:json'],
  ], { stdin });
  assert.equal(run.code, 0, run.stderr);
  const records = await found(broker, topic, texts.length);
  for (const [i, one] of texts.entries()) {
    const value = text(Buffer.from(records[i].value!, "hex"));
    assert.deepEqual(JSON.parse(value), {
      'a "text"': one,
      n: i % 3 === 0 ? null : i / 4,
      ok: [true, false, null][i % 3],
      doc: [one],
    });
    assert.equal(text(Buffer.from(records[i].key!, "hex")), `${i}`);
  }
});
