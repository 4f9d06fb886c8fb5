import assert from "node:assert/strict";
import { Registry } from "../../lib/registry/registry.ts";
import { startBroker } from "../../scripts/servers/broker.ts";
import { startRegistry } from "../../scripts/servers/registry.ts";
import { consumer, text } from "../support/cli.ts";
import { createTopic, groupOffsets, produce, uniqueName } from "../support/kafka.ts";
import { largeBatch, putBatch } from "../support/large_batch.ts";
import {
  closing,
  framed,
  registryConfigOf,
  ScriptedRegistry,
  subjectsOf,
  type Version,
} from "../support/registry.ts";
import { long, of, record, string } from "../unit/records/avro_encode.ts";
import { ORDER, order, rowsOf, world } from "../support/avro_world.ts";

Deno.test("Avro of a real registry becomes columns", async () => {
  await using broker = await startBroker();
  await using server = await startRegistry();
  using registry = closing(new Registry(registryConfigOf([server.url])));
  const { topic, run } = await world(broker);
  const id = await registry.register(`${topic}-value`, { kind: "avro", text: ORDER });
  await produce(broker, topic, [
    { value: framed(id, order(1, "a,b")) },
    { value: null, key: "2" },
    { value: framed(id, order(-3, null)) },
  ]);
  const finished = await run([
    ...["--registry", server.url, "--columns", "offset,schema"],
    ...["--fields", "id, name, amount, at, customer.city, customer.score, customer"],
  ]);
  assert.equal(finished.code, 0, finished.stderr);
  assert.deepEqual(rowsOf(finished), [
    `0,${id},1,"a,b",123.45,2023-11-14T22:13:20.123Z,"city ""1""",0.5,` +
    `"{""city"":""city \\""1\\"""",""score"":0.5}"`,
    `2,${id},-3,,123.45,2023-11-14T22:13:20.123Z,"city ""-3""",0.5,` +
    `"{""city"":""city \\""-3\\"""",""score"":0.5}"`,
  ]);
  assert.equal((await groupOffsets(broker, topic, topic)).get(0), 3n);
});

/** 50 versions: each has one field more, and a value has the version's number in each. */
const versions = Array.from({ length: 50 }, (_, i): Version => ({
  id: 100 + i,
  schema: JSON.stringify(record("V", {
    ...Object.fromEntries(Array.from({ length: i + 1 }, (_, n) => [`f${n}`, "int"])),
    text: "string",
  })),
}));
const valueOf = (i: number) =>
  framed(100 + i, [...Array(i + 1).fill(long(i)).flat(), ...string(`v${i}`)]);

Deno.test("50 versions of a schema in one batch, each fetched once, in any number of partitions", async () => {
  await using broker = await startBroker();
  const { topic, run } = await world(broker, 2);
  await using registry = new ScriptedRegistry(subjectsOf({ [`${topic}-value`]: versions }));
  const order = Array.from({ length: 200 }, (_, i) => (i * 37) % 50);
  for (const partition of [0, 1]) {
    await produce(broker, topic, order.map((i) => ({ value: valueOf(i) })), partition);
  }
  const finished = await run(["--registry", registry.url, "--fields", "f0,f49,text,f20"]);
  assert.equal(finished.code, 0, finished.stderr);
  const right = order.map((i) => `${i},${i === 49 ? 49 : ""},v${i},${i >= 20 ? i : ""}`);
  assert.deepEqual(
    rowsOf(finished).sort(),
    [...right, ...right].sort(),
  );
  const asked = registry.asked.map(({ path }) => path);
  assert.equal(new Set(asked).size, asked.length, `${asked}`);
});

Deno.test("an unknown id is a bad record: fail, skip, or dead letter", async () => {
  await using broker = await startBroker();
  const { topic, run } = await world(broker);
  const letters = `${topic}-letters`;
  await createTopic(broker, letters);
  await using registry = new ScriptedRegistry(
    subjectsOf({ [`${topic}-value`]: [{ id: 7, schema: '"long"' }] }),
  );
  const bad = framed(99, long(5));
  await produce(broker, topic, [
    { value: framed(7, long(1)) },
    { value: bad, key: "k" },
    { value: framed(7, long(2)) },
    { value: bad },
    { value: framed(7, [...long(3), 0]) },
    { value: "no frame" },
    { value: Uint8Array.of(0, 0, 0) },
  ]);
  const args = ["--registry", registry.url, "--fields", "."];
  const failed = await run(args);
  assert.equal(failed.code, 65);
  const reason =
    `topic "${topic}" partition 0 offset 1: the value cannot be read: the registry has no schema 99`;
  assert.ok(failed.stderr.includes(reason), failed.stderr);
  assert.equal((await groupOffsets(broker, topic, topic)).get(0), -1n);

  const dead = await run([...args, "--bad-record", `dead-letter=${letters}`]);
  assert.equal(dead.code, 0, dead.stderr);
  assert.deepEqual(rowsOf(dead), ["1", "2"]);
  const read = await consumer([
    ...["-b", broker.bootstrap, "-t", letters, "-o", "earliest", "--value", "hex"],
    ...["--columns", "key,header:dead-letter.offset"],
  ]);
  assert.equal(
    text(read.stdout).split("\n")[0].replaceAll('"', ""),
    "k,1,\\x00000000630a",
  );
  assert.equal(text(read.stdout).trimEnd().split("\n").length, 5);

  const skipped = await run([...args, "--bad-record", "skip", "-o", "earliest", "--commit", "no"]);
  assert.equal(skipped.code, 0, skipped.stderr);
  assert.deepEqual(rowsOf(skipped), ["1", "2"]);
  for (
    const why of ["offset 1: the value cannot", "offset 3: the value cannot", "offset 4: the value"]
  ) {
    assert.ok(skipped.stderr.includes(why), skipped.stderr);
  }
  assert.match(skipped.stderr, /offset 5: the value has no Confluent frame/);
  assert.match(skipped.stderr, /offset 6: the value is shorter than its Confluent frame/);
  assert.match(skipped.stderr, /5 bad records were left out/);
});

Deno.test("a path that no version has is an error before the first row, with the nearest name", async () => {
  await using broker = await startBroker();
  const { topic, run } = await world(broker);
  const subject = `${topic}-value`;
  await using registry = new ScriptedRegistry(subjectsOf({ [subject]: versions.slice(0, 9) }));
  await produce(broker, topic, [{ value: valueOf(0) }]);
  const wrong = await run(["--registry", registry.url, "--fields", "f0,txt"]);
  assert.equal(wrong.code, 64);
  assert.match(
    wrong.stderr,
    new RegExp(`--fields: no version of subject "${subject}" has txt — did you mean "text"\\?`),
  );
  assert.equal(wrong.stdout.length, 0);
  // In the newest version only: the values without it have NULL.
  const right = await run(["--registry", registry.url, "--fields", "f0,f8"]);
  assert.equal(right.code, 0, right.stderr);
  assert.deepEqual(rowsOf(right), ["0,"]);
});

Deno.test("keys with a schema of their own, and deletes", async () => {
  await using broker = await startBroker();
  const { topic, run } = await world(broker);
  const key = JSON.stringify(record("K", { id: "long" }));
  await using registry = new ScriptedRegistry(subjectsOf({
    [`${topic}-key`]: [{ id: 1, schema: key }],
    [`${topic}-value`]: [{ id: 2, schema: ORDER }],
  }));
  await produce(broker, topic, [
    { key: framed(1, long(10)), value: framed(2, order(10, "x")) },
    { key: framed(1, long(11)), value: null },
  ]);
  const finished = await run([
    ...["--registry", registry.url, "--columns", "tombstone", "--tombstones", "row"],
    ...["--key", "avro", "--key-fields", "id", "--fields", "name,amount"],
  ]);
  assert.equal(finished.code, 0, finished.stderr);
  assert.deepEqual(rowsOf(finished), ["f,10,x,123.45", "t,11,,"]);
});

Deno.test("values without a frame are read by a schema file, and no registry is asked", async () => {
  await using broker = await startBroker();
  const { topic, run } = await world(broker);
  const file = await Deno.makeTempFile({ suffix: ".avsc" });
  await Deno.writeTextFile(file, ORDER);
  await produce(broker, topic, [{ value: of(order(5, "é")) }]);
  const finished = await run(["--schema", file, "--fields", "id,name"]);
  assert.equal(finished.code, 0, finished.stderr);
  assert.deepEqual(rowsOf(finished), ["5,é"]);
  const wrong = await run(["--schema", file, "--fields", "id,nam"]);
  assert.equal(wrong.code, 64);
  assert.match(wrong.stderr, /--fields: the schema does not have nam — did you mean "name"\?/);
  await Deno.writeTextFile(file, '{"type": "recor');
  const broken = await run(["--schema", file, "--fields", "id"]);
  assert.equal(broken.code, 64);
  assert.match(broken.stderr, /--schema: .*line 1/);
  await Deno.remove(file);
});

Deno.test("a framed value among rows or text is a bad record that says what reads it", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("avro");
  await createTopic(broker, topic);
  await produce(broker, topic, [{ value: "1,x" }, { value: framed(70_000, long(1)) }]);
  for (const value of ["row", "field"]) {
    for (const columns of [[], ["--columns", "offset"]]) {
      const run = await consumer([
        ...["-b", broker.bootstrap, "-t", topic, "-g", topic, "--value", value, ...columns],
      ]);
      assert.equal(run.code, 65, run.stderr);
      assert.match(
        run.stderr,
        /offset 1: the value is in a Confluent frame, schema 70000: --value json, avro or protobuf reads it/,
      );
    }
  }
});

Deno.test("rows of compressed batches, whose schemas are learned in the middle of them", async () => {
  await using broker = await startBroker();
  const { topic, run } = await world(broker);
  await using registry = new ScriptedRegistry(
    subjectsOf({ [`${topic}-value`]: versions }),
  );
  for (const codec of ["gzip", "snappy", "lz4", "zstd"] as const) {
    await putBatch(broker, topic, await largeBatch(codec, 20_000, (i) => valueOf(i % 50)));
  }
  const finished = await run(["--registry", registry.url, "--fields", "f0,text"]);
  assert.equal(finished.code, 0, finished.stderr);
  const rows = rowsOf(finished);
  assert.equal(rows.length, 80_000);
  const wrong = rows.findIndex((row, i) => row !== `${i % 50},v${i % 50}`);
  assert.equal(wrong, -1, `row ${wrong}: ${rows[wrong]}`);
});
