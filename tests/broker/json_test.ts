import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { consumer, text } from "../support/cli.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";

const utf8 = new TextEncoder();
const order = (id: number, name: string) =>
  `{"id": ${id}, "customer": {"name": ${JSON.stringify(name)}}, "amount": ${id}.50, ` +
  `"items": [{"sku": "s${id}"}, {"sku": "t"}], "note": null}`;
const fields = "id, customer.name, amount, items[0].sku, items, note, missing";
const rowOf = (id: number, name: string) =>
  `${id},${name},${id}.50,s${id},"[{""sku"": ""s${id}""}, {""sku"": ""t""}]",,\n`;

/** A value in the frame of a schema registry. */
const framed = (id: number, value: string) => Uint8Array.of(0, 0, 0, 0, id, ...utf8.encode(value));

Deno.test("fields of JSON values and keys are columns, after those of the record", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("json");
  await createTopic(broker, topic, { partitions: 2 });
  await produce(broker, topic, [
    { key: '{"id": 7}', value: order(1, "Ada"), headers: { trace: 'a"b', source: "web" } },
    { key: '{"id": "x"}', value: null },
    { key: "", value: framed(7, order(2, 'Bob, "jr"')) },
  ], 1);
  const args = ["-b", broker.bootstrap, "-t", topic, "-o", "earliest", "--value", "json"];
  const plain = await consumer([...args, "--fields", fields]);
  assert.equal(plain.code, 0, plain.stderr);
  assert.equal(text(plain.stdout), rowOf(1, "Ada") + rowOf(2, '"Bob, ""jr"""'));
  const whole = await consumer([
    ...[...args, "--fields", "customer.name,amount", "--tombstones", "row"],
    ...["--columns", "topic,partition,offset,tombstone,schema,key:hex,headers"],
  ]);
  assert.equal(whole.code, 0, whole.stderr);
  const hex = (key: string) => `\\x${[...utf8.encode(key)].map((b) => b.toString(16)).join("")}`;
  assert.equal(
    text(whole.stdout),
    `${topic},1,0,f,,${hex('{"id": 7}')},` +
      `"{""trace"": ""a\\""b"", ""source"": ""web""}",Ada,1.50\n` +
      `${topic},1,1,t,,${hex('{"id": "x"}')},"{}",,\n` +
      `${topic},1,2,f,7,\\x,"{}","Bob, ""jr""",2.50\n`,
  );
  const keyed = await consumer([
    ...[...args, "--fields", "id", "--key", "json", "--key-fields", "id, .", "--columns", "offset"],
    ...["--tombstones", "empty", "--bad-record", "skip", "-v"],
  ]);
  assert.equal(keyed.code, 0, keyed.stderr);
  assert.equal(text(keyed.stdout), '0,7,"{""id"": 7}",1\n1,x,"{""id"": ""x""}",\n');
  assert.match(
    keyed.stderr,
    /partition 1 offset 2: the key is not valid JSON: it ends too early \(byte 0\)/,
  );
  // The fields of a key before a value that stays as it is.
  const kept = await consumer([
    ...["-b", broker.bootstrap, "-t", topic, "-o", "earliest", "--max-records", "1"],
    ...["--key", "json", "--key-fields", "id", "--value", "field"],
  ]);
  assert.equal(kept.code, 0, kept.stderr);
  assert.equal(text(kept.stdout), `7,"${order(1, "Ada").replaceAll('"', '""')}"\n`);
});

Deno.test("a record that is not JSON is named with its reason, byte and path", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("json");
  const letters = uniqueName("letters");
  for (const name of [topic, letters]) await createTopic(broker, name, { partitions: 1 });
  const bad = [
    [
      '{"id": 1, "items": [{}, {"sku" 7}]}',
      /is not valid JSON: a colon is expected \(byte 31, in items\[1\]\.sku\)/,
    ],
    ['{"id": 1}x', /is not valid JSON: something comes after its end \(byte 9\)/],
    ['{"id": "\\u0000"}', /holds \\u0000, which no text can hold \(byte 8, in id\)/],
    [
      '{"x": "\\ud800"}',
      /holds one half of a surrogate pair, which no text can hold \(byte 7, in x\)/,
    ],
    ['{"x": 1', /is not valid JSON: it ends too early \(byte 7/],
    ["", /is not valid JSON: it ends too early \(byte 0\)/],
    ['{"id": "a\\n\\\\.\\nb"}', /: the field id holds a line that is just \\\./],
  ] as const;
  await produce(broker, topic, [
    { value: '{"id": "first"}' },
    ...bad.map(([value]) => ({ value })),
    { value: '{"id": "last"}' },
  ]);
  const args = ["-b", broker.bootstrap, "-t", topic, "-o", "earliest", "--value", "json"];
  args.push("--fields", "id");
  const failed = await consumer(args);
  assert.equal(failed.code, 65, failed.stderr);
  assert.match(
    failed.stderr,
    new RegExp(`topic "${topic}" partition 0 offset 1: the value is not`),
  );
  assert.match(failed.stderr, /--bad-record skip leaves such records out/);
  for (const how of ["skip", `dead-letter=${letters}`]) {
    const left = await consumer([...args, "--bad-record", how]);
    assert.equal(left.code, 0, left.stderr);
    assert.equal(text(left.stdout), "first\nlast\n");
    for (const [index, [, why]] of bad.entries()) {
      const line = left.stderr.split("\n").find((line) => line.includes(`offset ${index + 1}:`));
      assert.match(line ?? "", why, left.stderr);
    }
  }
  const kept = await consumer([
    ...["-b", broker.bootstrap, "-t", letters, "-o", "earliest", "--value", "field"],
    ...["--columns", "header:dead-letter.offset"],
  ]);
  const expected = bad.map(([value], i) => `"${i + 1}","${value.replaceAll('"', '""')}"\n`);
  assert.equal(text(kept.stdout), expected.join(""));
});

Deno.test("a framed value that is read as a row or a field says what reads it", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("framed");
  await createTopic(broker, topic, { partitions: 1 });
  await produce(broker, topic, [{ value: framed(7, '{"id":1}') }]);
  const args = ["-b", broker.bootstrap, "-t", topic, "-o", "earliest"];
  for (const value of ["row", "field"]) {
    for (const columns of [[], ["--columns", "offset"]]) {
      const run = await consumer([...args, "--value", value, ...columns]);
      assert.equal(run.code, 65, run.stderr);
      assert.match(
        run.stderr,
        /the value is in a Confluent frame, schema 7: --value json, avro or protobuf reads it/,
      );
    }
  }
  const hex = await consumer([...args, "--value", "hex", "--columns", "schema"]);
  assert.equal(text(hex.stdout), "7,\\x00000000077b226964223a317d\n");
});

Deno.test("paths that no record has are named with -v", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("json");
  await createTopic(broker, topic, { partitions: 1 });
  await produce(broker, topic, [{ value: order(1, "Ada") }, { value: order(2, "Bob") }]);
  const run = await consumer([
    ...["-b", broker.bootstrap, "-t", topic, "-o", "earliest", "--value", "json", "-v"],
    ...["--fields", "id, custmer.name, note, items[5].sku"],
  ]);
  assert.equal(run.code, 0, run.stderr);
  assert.match(run.stderr, /paths never met: custmer\.name, items\[5\]\.sku$/m);
});

Deno.test("flags of structured values that do not go together are rejected", async () => {
  const cases: [string[], RegExp][] = [
    [["--value", "json"], /--value json requires --fields PATHS/],
    [["--fields", "id"], /--fields requires --value json, avro or protobuf/],
    [["--key", "json"], /--key json requires --key-fields PATHS/],
    [["--key-fields", "id"], /--key-fields requires --key json, avro or protobuf/],
    [["--value", "json", "--fields", "a..b"], /--fields: cannot read "a\.\.b" at character 3/],
    [
      ["--value", "json", "--fields", "a", "--bad-record", "pass"],
      /--bad-record pass: with --value json/,
    ],
    [
      ["--value", "xml", "--fields", "a"],
      /--value: "xml" is not one of row, rows, field, hex, json/,
    ],
    [
      ["--columns", "topics"],
      /--columns: "topics" is not one of topic, partition, .*, header:NAME/,
    ],
  ];
  for (const [args, message] of cases) {
    const run = await consumer(["-b", "127.0.0.1:1", "-t", "t", ...args]);
    assert.equal(run.code, 64, run.stderr);
    assert.match(run.stderr, message);
  }
});
