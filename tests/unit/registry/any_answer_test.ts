import assert from "node:assert/strict";
import { Failure } from "../../../lib/failure.ts";
import { Registry } from "../../../lib/registry/registry.ts";
import { closing, registryConfigOf, ScriptedRegistry } from "../../support/registry.ts";

/** Numbers from 0 to below 1, the same in each run. */
function numbers(seed: number): () => number {
  return () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}

Deno.test("whatever a registry answers, it is a result or a failure in words, and in time", async () => {
  const next = numbers(7);
  const good = JSON.stringify({
    id: 3,
    version: 2,
    schemaType: "AVRO",
    schema: '{"type":"record","name":"é"}',
    references: [{ name: "a", subject: "b", version: 1 }],
    error_code: 40403,
  });
  /** Good bytes with some changed, left out or repeated; and any status. */
  const answer = () => {
    let bytes = Array.from(new TextEncoder().encode(good));
    for (let changes = next() * 3 - 1.5; changes > 0; changes--) {
      const at = Math.floor(next() * bytes.length);
      const kind = next();
      if (kind < 0.4) bytes[at] = Math.floor(next() * 256);
      else if (kind < 0.7) bytes.splice(at, Math.floor(next() * 20));
      else if (kind < 0.9) bytes.splice(at, 0, ...bytes.slice(at, at + 9));
      else bytes = bytes.slice(0, at);
    }
    const statuses = [
      200,
      200,
      200,
      200,
      200,
      200,
      200,
      201,
      204,
      300,
      400,
      404,
      409,
      422,
      418,
      500,
    ];
    const status = statuses[Math.floor(next() * statuses.length)];
    return new Response(status === 204 ? null : Uint8Array.from(bytes), { status });
  };
  await using server = new ScriptedRegistry(answer);
  const counts = { results: 0, failures: 0 };
  for (let round = 0; round < 300; round++) {
    using registry = closing(new Registry(registryConfigOf([server.url], { timeout: 40 })));
    const schema = { kind: "avro", text: '"long"' };
    const calls: (() => Promise<unknown>)[] = [
      () => registry.schema(round),
      () => registry.versions("s"),
      () => registry.version("s", "latest"),
      () => registry.register("s", schema),
      () => registry.lookUp("s", schema),
    ];
    try {
      await calls[round % calls.length]();
      counts.results++;
    } catch (error) {
      assert.ok(error instanceof Failure, (error as Error).stack);
      assert.match(error.message, /^cannot [^\n]+$/);
      counts.failures++;
    }
  }
  assert.ok(counts.results > 20 && counts.failures > 100, JSON.stringify(counts));
});
