import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { freePorts } from "../../scripts/servers/broker/ports.ts";
import { start, text } from "../support/cli.ts";
import { groupOffsets, produce } from "../support/kafka.ts";
import { search } from "../support/planted_secrets.ts";
import { framed, json, ScriptedRegistry, subjectsOf } from "../support/registry.ts";
import { long } from "../unit/records/avro_encode.ts";
import { rowsOf, world } from "../support/avro_world.ts";

Deno.test("a registry that goes down during a run ends it with 69; one that comes back does not", async () => {
  await using broker = await startBroker();
  const { topic, run } = await world(broker);
  await produce(broker, topic, [{ value: framed(1, long(1)) }, { value: framed(2, long(2)) }]);
  let until = Infinity;
  const known = subjectsOf({ [`${topic}-value`]: [{ id: 1, schema: '"long"' }] });
  await using registry = new ScriptedRegistry((asked, count) => {
    if (!asked.path.includes("ids/2")) return known(asked, count);
    return Date.now() < until ? new Response("", { status: 503 }) : json({ schema: '"long"' });
  });
  const args = ["--registry", registry.url, "--fields", ".", "--timeout", "1s"];
  const down = await run(args);
  assert.equal(down.code, 69);
  assert.match(down.stderr, /cannot get schema 2: http:.* answers HTTP 503 \(tried for 1 s\)/);
  assert.equal((await groupOffsets(broker, topic, topic)).get(0), -1n);
  until = Date.now() + 500;
  const back = await run([...args.slice(0, -1), "20s"]);
  assert.equal(back.code, 0, back.stderr);
  assert.deepEqual(rowsOf(back), ["1", "2"]);
});

Deno.test("a registry that is down, rejects the login or is not one, before the first row", async () => {
  await using broker = await startBroker();
  const { topic, run } = await world(broker);
  await produce(broker, topic, [{ value: framed(1, long(1)) }]);
  const fields = ["--fields", ".", "--timeout", "1s"];
  const [port] = freePorts(1);
  const down = await run(["--registry", `http://127.0.0.1:${port}`, ...fields]);
  assert.equal(down.code, 69, down.stderr);
  assert.match(down.stderr, /does not answer: Connection refused \(tried for 1 s\)/);
  await using denies = new ScriptedRegistry(() => new Response("", { status: 401 }));
  const secret = denies.url.replace("//", "//loader:z-Pa55-9@");
  const denied = await run(["--registry", secret, ...fields, "-v"]);
  assert.equal(denied.code, 77, denied.stderr);
  assert.match(denied.stderr, /rejects the login \(HTTP 401\)/);
  search("stderr", denied.stderr);
  await using page = new ScriptedRegistry(() => new Response("<html>"));
  const html = await run(["--registry", page.url, ...fields]);
  assert.equal(html.code, 69, html.stderr);
  assert.match(html.stderr, /is not a schema registry/);
  for (const { stdout } of [down, denied, html]) assert.equal(stdout.length, 0);
});

Deno.test("the registry's login comes from the file of properties, and through a proxy", async () => {
  await using broker = await startBroker();
  const { topic, run } = await world(broker);
  const known = subjectsOf({ [`${topic}-value`]: [{ id: 1, schema: '"long"' }] });
  await using proxy = new ScriptedRegistry(known);
  await produce(broker, topic, [{ value: framed(1, long(8)) }]);
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(
    file,
    "schema.registry.url=http://registry.invalid:8081\n" +
      "schema.registry.basic.auth.user.info=loader:z-Pa55-9\n",
  );
  const finished = await run(["-F", file, "--fields", ".", "-v"], {
    env: { HTTP_PROXY: proxy.url },
  });
  await Deno.remove(file);
  assert.equal(finished.code, 0, finished.stderr);
  assert.deepEqual(rowsOf(finished), ["8"]);
  const [asked] = proxy.asked;
  assert.equal(asked.headers.get("host"), "registry.invalid:8081");
  assert.equal(asked.headers.get("authorization"), `Basic ${btoa("loader:z-Pa55-9")}`);
  search("stderr", finished.stderr);
});

Deno.test("a signal ends a run that waits for the registry, alone or in a group", async () => {
  await using broker = await startBroker();
  for (const assign of ["all", "group"]) {
    const { topic } = await world(broker);
    await produce(broker, topic, [{ value: framed(1, long(1)) }, { value: framed(2, long(2)) }]);
    const known = subjectsOf({ [`${topic}-value`]: [{ id: 1, schema: '"long"' }] });
    const asked = Promise.withResolvers<void>();
    await using registry = new ScriptedRegistry((request, count) => {
      if (!request.path.includes("ids/2")) return known(request, count);
      asked.resolve();
      return new Response(new ReadableStream());
    });
    const child = start("consumer", [
      ...["-b", broker.bootstrap, "-t", topic, "-g", topic, "--assign", assign],
      ...["--value", "avro", "--registry", registry.url, "--fields", ".", "--timeout", "60s"],
    ]);
    await child.stdin.close();
    const output = child.output();
    await asked.promise;
    const began = performance.now();
    child.kill("SIGTERM");
    const { code, stdout } = await output;
    assert.equal(code, 143);
    assert.ok(performance.now() - began < 5_000, assign);
    assert.ok(["", "1\n"].includes(text(stdout)), text(stdout));
    // What was committed is what was written.
    const stored = Number((await groupOffsets(broker, topic, topic)).get(0));
    assert.ok(stored <= text(stdout).length / 2, `${stored}`);
  }
});
