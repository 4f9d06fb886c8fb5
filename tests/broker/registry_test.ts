import assert from "node:assert/strict";
import { Registry } from "../../lib/registry/registry.ts";
import { subjectOf, versionsOf } from "../../lib/registry/subject.ts";
import { startRegistry } from "../../scripts/servers/registry.ts";
import { uniqueName } from "../support/kafka.ts";
import { closing, registryConfigOf } from "../support/registry.ts";

function record(name: string, ...fields: string[]): string {
  const all = fields.map((field) => ({ name: field, type: ["null", "long"], default: null }));
  return JSON.stringify({ type: "record", name, fields: all });
}

Deno.test("a real registry: Avro, Protobuf, references, versions, and what it does not have", async () => {
  await using server = await startRegistry();
  using registry = closing(new Registry(registryConfigOf([server.url])));
  const topic = uniqueName("orders");
  const subject = subjectOf(topic, "value");

  const texts = [record("O", "a"), record("O", "a", "b"), record("O", "a", "b", "c")];
  const ids: number[] = [];
  for (const text of texts) ids.push(await registry.register(subject, { kind: "avro", text }));
  assert.equal(new Set(ids).size, 3);
  assert.equal(await registry.register(subject, { kind: "avro", text: texts[0] }), ids[0]);
  assert.deepEqual(await registry.lookUp(subject, { kind: "avro", text: texts[1] }), {
    id: ids[1],
    version: 2,
  });
  assert.equal(await registry.lookUp(subject, { kind: "avro", text: record("O", "z") }), null);
  assert.equal(await registry.lookUp("no-such", { kind: "avro", text: texts[0] }), null);
  assert.deepEqual(await registry.schema(ids[2]), {
    id: ids[2],
    kind: "avro",
    text: texts[2],
    references: [],
  });
  assert.deepEqual(await registry.versions(subject), [1, 2, 3]);
  assert.equal(await registry.versions(uniqueName("none")), null);
  const versions = await Array.fromAsync(versionsOf(registry, subject));
  assert.deepEqual(versions.map(({ text }) => text), texts.toReversed());

  const money = uniqueName("money");
  const moneyText = 'syntax = "proto3"; package m; message Money { int64 units = 1; }';
  await registry.register(money, { kind: "protobuf", text: moneyText });
  const order = {
    kind: "protobuf",
    text: 'syntax = "proto3"; import "m/money.proto"; message Order { m.Money price = 1; }',
    references: [{ name: "m/money.proto", subject: money, version: 1 }],
  };
  const id = await registry.register(subjectOf(`${topic}-p`, "value"), order);
  assert.deepEqual(await registry.schema(id), {
    id,
    kind: "protobuf",
    text: order.text,
    references: [{ name: "m/money.proto", text: moneyText }],
  });

  const unknown = 2_000_000_000;
  assert.deepEqual(await registry.schema(unknown), {
    missing: `the registry has no schema ${unknown}`,
  });
  assert.deepEqual(await registry.version(subject, 9), {
    missing: `the registry has no version 9 of subject "${subject}"`,
  });
  await assert.rejects(registry.register(subject, { kind: "avro", text: '{"type":"recor' }), {
    kind: "usage",
    message: /^cannot register the schema under subject .*\(422\d\d\)$/,
  });

  // The server's own page, not its API.
  const wrong = server.url.replace(/\/apis.*/, "");
  using other = closing(new Registry(registryConfigOf([wrong])));
  await assert.rejects(other.schema(ids[0]), {
    kind: "broker",
    message: /not a schema registry: HTTP 404 .*\/apis\/ccompat\/v7/,
  });
});

Deno.test("a real registry that goes away is waited for, until the deadline", async () => {
  await using server = await startRegistry({ own: true });
  using registry = closing(new Registry(registryConfigOf([server.url], { timeout: 2_000 })));
  const id = await registry.register("s", { kind: "avro", text: '"long"' });
  assert.ok("text" in await registry.schema(id));
  await server.kill();
  assert.ok("text" in await registry.schema(id));
  await assert.rejects(registry.schema(id + 1), {
    kind: "broker",
    message: /^cannot get schema \d+: http:.* does not answer: .* \(tried for 2 s\)$/,
  });
});
