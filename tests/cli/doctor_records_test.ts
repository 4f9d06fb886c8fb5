/** Doctor about structured records: their paths, frames, and the schema registry. */
import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { closedPort } from "../support/silence.ts";
import { gpdbKafka } from "../support/cli.ts";
import { assertLine, examine } from "../support/doctor.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import { apiError, framed, ScriptedRegistry, subjectsOf } from "../support/registry.ts";
import { long, of, record, string } from "../unit/records/avro_encode.ts";

const schema = JSON.stringify(record("Order", { id: "long", name: "string" }));

Deno.test("doctor: fields of JSON, with the paths that no record has", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("json");
  await createTopic(broker, topic);
  await produce(broker, topic, [
    { key: '{"k": 1}', value: '{"id": 1, "customer": {"name": "Ada"}}' },
    { key: '{"k": 2}', value: '{"id": 2, "items": [{"sku": "s"}]}' },
  ]);
  const args = ["-b", broker.bootstrap, "-t", topic, "--value", "json"];
  const keys = ["--key", "json", "--key-fields", "k"];
  const { lines } = await examine(
    [...args, ...keys, "--fields", "id, customer.name, items[0].sku"],
    0,
  );
  assertLine(lines, /^ok {4}rows: each of the last 2 is one row/);
  assertLine(lines, /^ok {4}paths: each of the 4 paths is in a record of the last 2/);
  assert.ok(!lines.some((line) => line.includes("registry")), lines.join("\n"));
  const wrong = await examine([...args, ...keys, "--fields", "id, costumer.name, items[1]"], 0);
  assertLine(
    wrong.lines,
    /^warn {2}paths: 2 of the 4 paths are in none of the last 2 records: costumer\.name, items\[1\] — check/,
  );
  await produce(broker, topic, [{ value: '{"id": }' }]);
  const bad = await examine([...args, "--fields", "id"], 1);
  assertLine(
    bad.lines,
    /^fail {2}rows: 1 of the last 3 .* offset 2: the value is not valid JSON: .*\(byte 7, in id\) — --bad-record skip or dead-letter=TOPIC leaves such records out$/,
  );
});

Deno.test("doctor: framed values without a --value that reads them", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("framed");
  await createTopic(broker, topic);
  await produce(broker, topic, [{ value: framed(7, of(long(5), string("a"))) }]);
  for (const value of ["row", "field"]) {
    const { lines } = await examine(["-b", broker.bootstrap, "-t", topic, "--value", value], 1);
    assertLine(
      lines,
      /^fail {2}rows: .* is in a Confluent frame, schema 7: .*; --value avro or protobuf with --registry URL and --fields reads framed values$/,
    );
  }
});

Deno.test("doctor: the schema registry, its subject, and the paths in its schemas", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("avro");
  await createTopic(broker, topic);
  await produce(broker, topic, [{ value: framed(7, of(long(5), string("a"))) }]);
  await using registry = new ScriptedRegistry(
    subjectsOf({ [`${topic}-value`]: [{ id: 7, schema }] }),
  );
  const args = ["-b", broker.bootstrap, "-t", topic, "--value", "avro", "--timeout", "5s"];
  const url = ["--registry", registry.url];
  const good = await examine([...args, ...url, "--fields", "id,name"], 0);
  assertLine(
    good.lines,
    /^ok {4}registry: http:\S+ answers; subject "avro-.*-value" has 1 versions, the newest is avro schema 7$/,
  );
  assertLine(good.lines, /^ok {4}registry: all paths are in the registry's schemas$/);
  assertLine(good.lines, /^ok {4}rows: each of the last 1 is one row$/);
  const property = ["-X", `schema.registry.url=${registry.url}`];
  const wrong = await examine([...args, ...property, "--fields", "id,nane"], 1);
  assertLine(wrong.lines, /^fail {2}registry: .* has nane — did you mean "?name"?\?$/);
  assertLine(wrong.lines, /^skip {2}rows: needs registry$/);
  assertLine(wrong.lines, /^skip {2}paths: needs rows$/);

  const other = uniqueName("other");
  await createTopic(broker, other);
  const unknown = await examine(
    ["-b", broker.bootstrap, "-t", other, "--value", "avro", ...url, "--fields", "id"],
    0,
  );
  assertLine(unknown.lines, /^warn {2}registry: .* has no subject "other-.*-value": paths are not/);
});

Deno.test("doctor: a registry that is not named, down, rejects the login or is not one", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("down");
  await createTopic(broker, topic);
  const args = ["-b", broker.bootstrap, "-t", topic, "--value", "avro", "--fields", "id"];
  const failing = async (url: string | null, expected: RegExp) => {
    const named = url === null ? [] : ["--registry", url];
    const { lines } = await examine([...args, ...named, "--timeout", "3s"], 1);
    assertLine(lines, expected);
    assertLine(lines, /^skip {2}rows: needs registry$/);
  };
  await failing(
    null,
    /^fail {2}registry: .* none is named — use --registry URL, or schema\.registry/,
  );
  await failing(
    `http://127.0.0.1:${closedPort()}`,
    /^fail {2}registry: cannot list the versions .*: http\S+ does not answer: Connection refused/,
  );
  await using login = new ScriptedRegistry(() => apiError(401));
  await failing(login.url, /^fail {2}registry: .* requires a login \(HTTP 401\) — set schema\.reg/);
  await using page = new ScriptedRegistry(() =>
    new Response("<html>", { headers: { "content-type": "text/html" } })
  );
  await failing(
    page.url,
    /^fail {2}registry: .* is not a schema registry: it answers with text\/html/,
  );
  await using silent = new ScriptedRegistry(() => new Promise<Response>(() => {}));
  await failing(silent.url, /^fail {2}registry: .* does not answer: no answer within 0\.9 s/);
});

Deno.test("doctor: flags of structured records that mean nothing are a usage error", async () => {
  const wrong: [string[], RegExp][] = [
    [["--fields", "a", "-t", "x"], /--fields requires --value json, avro or protobuf/],
    [["--value", "jsn", "-t", "x"], /--value: "jsn" is not one of .*json/],
    [["--value", "json", "--fields", "a..b", "-t", "x"], /--fields: cannot read "a\.\.b" at char/],
    [["--value", "json", "--fields", "a"], /--value requires --topic or --source/],
    [
      ["--dsn", "postgres://x", "--source", "x", "--fields", "y"],
      /--fields: --source gives it already/,
    ],
  ];
  for (const [args, why] of wrong) {
    const { code, stderr } = await gpdbKafka(["doctor", ...args]);
    assert.equal(code, 64, stderr);
    assert.match(stderr, why);
  }
});
