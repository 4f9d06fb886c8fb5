import assert from "node:assert/strict";
import { Registry } from "../../../lib/registry/registry.ts";
import { subjectOf, versionsOf } from "../../../lib/registry/subject.ts";
import { freePorts } from "../../../scripts/servers/broker/ports.ts";
import {
  apiError,
  type Asked,
  closing,
  json,
  registryConfigOf,
  ScriptedRegistry,
} from "../../support/registry.ts";

const paths = (server: ScriptedRegistry) => server.asked.map(({ path }) => path);

Deno.test("a schema is fetched once, however many ask for it at the same time", async () => {
  await using server = new ScriptedRegistry(async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return json({ schema: '"long"' });
  });
  using registry = closing(new Registry(registryConfigOf([server.url])));
  const all = await Promise.all(Array.from({ length: 50 }, () => registry.schema(7)));
  assert.deepEqual(new Set(all).size, 1);
  await registry.schema(7);
  assert.deepEqual(paths(server), ["/schemas/ids/7"]);
});

Deno.test("a schema that could not be fetched is asked for again", async () => {
  let down = true;
  await using server = new ScriptedRegistry(() =>
    down ? new Response("", { status: 503 }) : json({ schema: '"long"' })
  );
  using registry = closing(new Registry(registryConfigOf([server.url], { timeout: 1000 })));
  await assert.rejects(registry.schema(7), /503/);
  down = false;
  assert.equal((await registry.schema(7) as { text: string }).text, '"long"');
});

Deno.test("of two URLs the one that answers is used, and asked first from then on", async () => {
  await using good = new ScriptedRegistry(() => json({ schema: '"long"' }));
  await using busy = new ScriptedRegistry(() => new Response("", { status: 502 }));
  const [port] = freePorts(1);
  const urls = [`http://127.0.0.1:${port}`, busy.url, good.url];
  using registry = closing(new Registry(registryConfigOf(urls)));
  await registry.schema(1);
  await registry.schema(2);
  assert.deepEqual(paths(good), ["/schemas/ids/1", "/schemas/ids/2"]);
  assert.deepEqual(paths(busy), ["/schemas/ids/1"]);
});

Deno.test("a URL that is silent leaves time for the next one", async () => {
  await using good = new ScriptedRegistry(() => json({ schema: '"long"' }));
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${(silent.addr as Deno.NetAddr).port}`;
  using registry = closing(new Registry(registryConfigOf([url, good.url], { timeout: 1500 })));
  const started = performance.now();
  assert.ok("text" in await registry.schema(1));
  assert.ok(performance.now() - started < 1450);
});

Deno.test("where no URL answers, each is named", async () => {
  await using busy = new ScriptedRegistry(() => new Response("", { status: 502 }));
  const [port] = freePorts(1);
  const urls = [`http://127.0.0.1:${port}`, busy.url];
  using registry = closing(new Registry(registryConfigOf(urls, { timeout: 200 })));
  await assert.rejects(
    registry.schema(1),
    new RegExp(
      `${port} does not answer: Connection refused; ${busy.url} answers HTTP 502 \\(tried`,
    ),
  );
});

/** A registry of these subjects: name to version to [text, references], ids counted up. */
function withSubjects(subjects: Record<string, [string, [string, string, number][]][]>) {
  return ({ path }: Asked) => {
    const [, name, , version] = /^\/subjects\/([^/]+)(\/versions)?\/?([^?]*)/.exec(path) ?? [];
    const versions = subjects[decodeURIComponent(name)];
    if (versions === undefined) return apiError(40401);
    if (version === "") return json(versions.map((_, i) => i + 1));
    const found = versions[Number(version) - 1];
    if (found === undefined) return apiError(40402);
    const [schema, uses] = found;
    const references = uses.map(([name, subject, version]) => ({ name, subject, version }));
    return json({ id: 100 + Number(version), version: Number(version), schema, references });
  };
}

Deno.test("references are fetched in any depth, each once, each after what it uses", async () => {
  const subjects = withSubjects({
    "a": [["A", [["b", "b/é", 1], ["c", "c", 2]]]],
    "b/é": [["B", [["c", "c", 2]]]],
    "c": [["old", []], ["C", [["d", "d", 1]]]],
    "d": [["D", []]],
  });
  await using server = new ScriptedRegistry(subjects);
  using registry = closing(new Registry(registryConfigOf([server.url])));
  const schema = await registry.version("a", 1);
  assert.deepEqual(schema, {
    id: 101,
    kind: "avro",
    text: "A",
    references: [["d", "D"], ["c", "C"], ["b", "B"]].map(([name, text]) => ({ name, text })),
  });
  assert.deepEqual(paths(server).slice(1), [
    "/subjects/b%2F%C3%A9/versions/1?deleted=true",
    "/subjects/c/versions/2?deleted=true",
    "/subjects/d/versions/1?deleted=true",
  ]);
});

Deno.test("references in a circle end, and a missing one is a result", async () => {
  await using server = new ScriptedRegistry(withSubjects({
    "a": [["A", [["b", "b", 1]]]],
    "b": [["B", [["a", "a", 1], ["b", "b", 1]]]],
    "c": [["C", [["x.Y", "x", 4]]]],
  }));
  using registry = closing(new Registry(registryConfigOf([server.url])));
  const schema = await registry.version("a", 1);
  assert.deepEqual("text" in schema && schema.references.map(({ name }) => name), ["a", "b"]);
  assert.deepEqual(await registry.version("c", 1), {
    missing: 'schema 101 refers to "x.Y", and the registry has no version 4 of subject "x"',
  });
});

Deno.test("references without an end, or too large together, are an error", async () => {
  const endless = ({ path }: Asked) => {
    const n = Number(/\d+/.exec(path)![0]);
    const references = [{ name: `r${n + 1}`, subject: `s${n + 1}`, version: 1 }];
    return json({ id: 1, version: 1, schema: "x", references });
  };
  await using server = new ScriptedRegistry(endless);
  using registry = closing(new Registry(registryConfigOf([server.url])));
  await assert.rejects(registry.version("s0", 1), /too many or too large/);
  assert.ok(server.asked.length < 1100, `${server.asked.length} requests`);
});

Deno.test("a subject's versions come newest first, and only those that are asked for", async () => {
  const versions = Array.from({ length: 120 }, (_, i): [string, []] => [`v${i + 1}`, []]);
  await using server = new ScriptedRegistry(withSubjects({ "t-value": versions }));
  using registry = closing(new Registry(registryConfigOf([server.url])));
  for await (const { text, version } of versionsOf(registry, subjectOf("t", "value"))) {
    assert.deepEqual([text, version], ["v120", 120]);
    break;
  }
  assert.deepEqual(paths(server), [
    "/subjects/t-value/versions",
    "/subjects/t-value/versions/120",
  ]);
  const all = await Array.fromAsync(versionsOf(registry, "t-value"));
  assert.deepEqual(all.map(({ version }) => version).slice(-2), [22, 21]);
  assert.equal(all.length, 100);
  assert.deepEqual(await Array.fromAsync(versionsOf(registry, "t-key")), []);
});

Deno.test("what is registered and looked up is sent as the API has it", async () => {
  await using server = new ScriptedRegistry(({ path }) =>
    path.endsWith("/versions") ? json({ id: 3 }) : json({ id: 3, version: 2 })
  );
  using registry = closing(new Registry(registryConfigOf([server.url])));
  const references = [{ name: "m.proto", subject: "m", version: 1 }];
  const proto = { kind: "protobuf", text: 'syntax = "proto3";', references };
  assert.equal(await registry.register("t-value", proto), 3);
  assert.deepEqual(await registry.lookUp("t-value", { kind: "avro", text: '"long"' }), {
    id: 3,
    version: 2,
  });
  const [registered, lookedUp] = server.asked;
  assert.equal(`${registered.method} ${registered.path}`, "POST /subjects/t-value/versions");
  assert.equal(
    registered.headers.get("content-type"),
    "application/vnd.schemaregistry.v1+json",
  );
  assert.deepEqual(JSON.parse(registered.body), {
    schemaType: "PROTOBUF",
    schema: 'syntax = "proto3";',
    references,
  });
  assert.equal(`${lookedUp.method} ${lookedUp.path}`, "POST /subjects/t-value");
  assert.deepEqual(JSON.parse(lookedUp.body), { schema: '"long"' });
});

Deno.test("a schema that the registry rejects is an error of use, with its reason", async () => {
  await using server = new ScriptedRegistry(({ path }) =>
    path.includes("/versions") ? apiError(40901, "incompatible: field x") : apiError(40403)
  );
  using registry = closing(new Registry(registryConfigOf([server.url])));
  const schema = { kind: "avro", text: '"long"' };
  await assert.rejects(registry.register("t-value", schema), {
    kind: "usage",
    message: 'cannot register the schema under subject "t-value": incompatible: field x (40901)',
  });
  assert.equal(await registry.lookUp("t-value", schema), null);
});
