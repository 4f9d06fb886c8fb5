import assert from "node:assert/strict";
import { Failure, type FailureKind } from "../../../lib/failure.ts";
import type { RegistryConfig } from "../../../lib/registry/config.ts";
import { Registry } from "../../../lib/registry/registry.ts";
import { Secret } from "../../../lib/secret.ts";
import { freePorts } from "../../../scripts/servers/broker/ports.ts";
import {
  type Answering,
  apiError,
  closing,
  json,
  registryConfigOf,
  ScriptedRegistry,
} from "../../support/registry.ts";

const SCHEMA = { schema: '"long"' };

/** A registry that answers so, and a client of it. */
async function ask<T>(
  answer: Answering,
  work: (registry: Registry, server: ScriptedRegistry) => Promise<T>,
  more: Partial<RegistryConfig> = {},
): Promise<T> {
  await using server = new ScriptedRegistry(answer);
  using registry = closing(new Registry(registryConfigOf([server.url], more)));
  return await work(registry, server);
}

async function fails(kind: FailureKind, message: RegExp, work: Promise<unknown>): Promise<Failure> {
  const error = await work.then(() => assert.fail("it did not fail"), (error) => error);
  assert.ok(error instanceof Failure, String(error.stack));
  assert.equal(error.kind, kind, error.message);
  assert.match(error.message, message);
  return error;
}

Deno.test("a closed port is tried until the deadline", async () => {
  const [port] = freePorts(1);
  const config = registryConfigOf([`http://127.0.0.1:${port}`], { timeout: 400 });
  using registry = closing(new Registry(config));
  const started = performance.now();
  await fails(
    "broker",
    /^cannot get schema 7: http:\/\/127\.0\.0\.1:\d+ does not answer: Connection refused \(tried for 0\.4 s\)$/,
    registry.schema(7),
  );
  const took = performance.now() - started;
  assert.ok(took > 200 && took < 2_000, `${took} ms`);
});

Deno.test("a host that does not exist is named", async () => {
  const config = registryConfigOf(["http://registry.invalid:8081"], { timeout: 300 });
  using registry = closing(new Registry(config));
  await fails(
    "broker",
    /registry\.invalid:8081 does not answer: its host name/,
    registry.schema(7),
  );
});

Deno.test("401 and 403 end a run at once, as denied", async () => {
  await ask(() => new Response("no", { status: 401 }), async (registry, server) => {
    await fails("denied", /requires a login \(HTTP 401\) — set schema/, registry.schema(7));
    assert.equal(server.asked.length, 1);
  });
  await ask(() => apiError(40301), async (registry) => {
    await fails("denied", /does not authorize this user \(HTTP 403\)/, registry.schema(7));
  });
});

Deno.test("a login is sent, and is in no message", async () => {
  const password = "Pa55-word/9";
  const authorization = new Secret(`Basic ${btoa(`loader:${password}`)}`);
  await using server = new ScriptedRegistry(() => new Response("", { status: 401 }));
  const urls = [{ base: server.url, authorization }];
  using registry = closing(new Registry(registryConfigOf([], { urls })));
  const error = await fails("denied", /rejects the login \(HTTP 401\)/, registry.schema(7));
  assert.equal(server.asked[0].headers.get("authorization"), authorization.reveal());
  assert.ok(!`${error.message} ${error.stack} ${Deno.inspect(error)}`.includes("Pa55"));
});

Deno.test("an unknown id is a result, and is asked for once", async () => {
  await ask(() => apiError(40403, "Schema 7 not found"), async (registry, server) => {
    assert.deepEqual(await registry.schema(7), { missing: "the registry has no schema 7" });
    assert.deepEqual(await registry.schema(7), { missing: "the registry has no schema 7" });
    assert.equal(server.asked.length, 1);
  });
});

Deno.test("a 404 that is not the registry's own is not an unknown id", async () => {
  for (
    const answer of [
      () => new Response("<h1>Not Found</h1>", { status: 404 }),
      () => json({ error_code: 404, message: "HTTP 404 Not Found" }, 404),
      () => json({ error_code: 0, message: "no resource" }, 404),
      () => json({}, 404),
    ]
  ) {
    await ask(answer, async (registry) => {
      await fails("broker", /not a schema registry: HTTP 404.*ccompat/, registry.schema(7));
    });
  }
});

Deno.test("500 and then an answer is an answer; 503 for ever ends at the deadline", async () => {
  const twice = (_: unknown, count: number) => count < 3 ? apiError(50001) : json(SCHEMA);
  await ask(twice, async (registry, server) => {
    const schema = await registry.schema(7);
    assert.deepEqual(schema, { id: 7, kind: "avro", text: '"long"', references: [] });
    assert.equal(server.asked.length, 3);
  });
  await ask(
    () => new Response("<b>busy</b>", { status: 503 }),
    (registry) => fails("broker", /answers HTTP 503 \(tried for 0\.5 s\)$/, registry.schema(7)),
    { timeout: 500 },
  );
});

Deno.test("429 says when to come again", async () => {
  const times: number[] = [];
  const answer = () => {
    times.push(performance.now());
    return times.length > 1
      ? json(SCHEMA)
      : new Response("", { status: 429, headers: { "retry-after": "1" } });
  };
  await ask(answer, (registry) => registry.schema(7));
  assert.ok(times[1] - times[0] > 950, `${times[1] - times[0]} ms`);
  const wild = () => new Response("", { status: 429, headers: { "retry-after": "1e99" } });
  await ask(
    wild,
    (registry) => fails("broker", /answers HTTP 429 \(tried/, registry.schema(7)),
    { timeout: 300 },
  );
});

Deno.test("a web page, broken JSON and bytes that are not UTF-8 are named", async () => {
  const html = { headers: { "content-type": "text/html\u0080" } };
  for (
    const body of [
      "<!doctype html><title>Sign in</title>",
      '{"schema": "\\"long\\""',
      new Uint8Array([0x22, 0xff, 0x22]),
      "",
    ]
  ) {
    await ask(() => new Response(body, html), async (registry, server) => {
      await fails(
        "broker",
        /not a schema registry: it answers with text\/html.*not with JSON/,
        registry.schema(7),
      );
      assert.equal(server.asked.length, 1);
    });
  }
});

Deno.test("an answer of another form is an error, whatever its parts are", async () => {
  const reference = { name: "a.B", subject: "b", version: 1 };
  const broken: [unknown, RegExp][] = [
    [null, /not a JSON object/],
    [7, /not a JSON object/],
    [[], /"schema" is not a text/],
    [{}, /"schema" is not a text/],
    [{ schema: 7 }, /"schema" is not a text/],
    [{ schema: "x", schemaType: {} }, /"schemaType" is not a text/],
    [{ schema: "x", references: {} }, /"references" is not a list/],
    [{ schema: "x", references: [7] }, /not a JSON object/],
    [{ schema: "x", references: [{ ...reference, name: null }] }, /"name" is not a text/],
    [{ schema: "x", references: [{ ...reference, subject: 1 }] }, /"subject" is not a text/],
    [{ schema: "x", references: [{ ...reference, version: "1" }] }, /"version" is not a whole/],
    [{ schema: "x", references: [{ ...reference, version: 1e10 }] }, /"version" is not a whole/],
    [{ schema: "x", references: Array(1001).fill(reference) }, /"references" is not a list/],
  ];
  for (const [body, why] of broken) {
    await ask(() => json(body), (registry) => fails("broker", why, registry.schema(7)));
  }
  for (const id of ["7", -1, 1.5, 2 ** 31, null]) {
    await ask(
      () => json({ id, version: 1, schema: "x" }),
      async (registry) => {
        await fails("broker", /"id" is not a whole number/, registry.version("s", 1));
        await fails("broker", /"id" is not/, registry.register("s", { kind: "avro", text: "" }));
      },
    );
  }
  for (const body of [{}, "x", [1, "2"], [1.5]]) {
    await ask(
      () => json(body),
      (registry) => fails("broker", /"versions?" is not/, registry.versions("s")),
    );
  }
});

Deno.test("a body that never ends is left at the deadline; one too large at 16 MiB", async () => {
  let timer: ReturnType<typeof setInterval> | undefined;
  const slow = () =>
    new Response(
      new ReadableStream({
        start: (out) => {
          timer = setInterval(() => out.enqueue(new Uint8Array([0x20])), 20);
        },
        cancel: () => clearInterval(timer),
      }),
    );
  const started = performance.now();
  await ask(
    slow,
    (registry) => fails("broker", /no answer within 0\.5 s \(tried/, registry.schema(7)),
    { timeout: 500 },
  );
  clearInterval(timer);
  assert.ok(performance.now() - started < 3_000);

  let sent = 0;
  const huge = () =>
    new Response(
      new ReadableStream({
        pull: (out) => {
          sent += 1 << 20;
          if (sent > 64 << 20) out.close();
          else out.enqueue(new Uint8Array(1 << 20).fill(0x20));
        },
      }),
    );
  await ask(huge, (registry) => fails("broker", /answers with over 16 MiB/, registry.schema(7)));
  assert.ok(sent < 64 << 20, `${sent} bytes were sent`);
});

Deno.test("a redirection is not followed, and its address shown without what is secret", async () => {
  await using other = new ScriptedRegistry(() => json(SCHEMA));
  const location = `${other.url.replace("//", "//user:Pa55word@")}/login?token=Pa55`;
  await ask(
    () => new Response(null, { status: 307, headers: { location } }),
    async (registry) => {
      const error = await fails("broker", /redirects to http:.*\/login — give/, registry.schema(7));
      assert.ok(!error.message.includes("Pa55"), error.message);
    },
  );
  assert.equal(other.asked.length, 0);
  await ask(
    () => new Response(null, { status: 302, headers: { location: "javascript:1" } }),
    (registry) => fails("broker", /redirects to another address/, registry.schema(7)),
  );
});

Deno.test("a server that is not one of HTTP, or ends in the middle, is named", async () => {
  const answers: [string, RegExp][] = [
    ["SSH-2.0-OpenSSH_9.6\r\n", /does not answer as an HTTP server does — if it uses TLS/],
    [
      "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{",
      /closes the connection before it has answered/,
    ],
    ["", /closes the connection before it has answered/],
  ];
  for (const [text, why] of answers) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const serving = (async () => {
      for await (const conn of listener) {
        await conn.read(new Uint8Array(4096)).catch(() => {});
        await conn.write(new TextEncoder().encode(text)).catch(() => {});
        conn.close();
      }
    })();
    const url = `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`;
    using registry = closing(new Registry(registryConfigOf([url], { timeout: 300 })));
    await fails("broker", why, registry.schema(7));
    listener.close();
    await serving.catch(() => {});
  }
});

Deno.test("text of the registry in a message is one line, and short", async () => {
  const message = `no\r\n\u001b[31mred ${"x".repeat(5000)}`;
  await ask(() => json({ error_code: 42201, message }, 422), async (registry) => {
    const schema = { kind: "avro", text: "{" };
    const error = await fails(
      "usage",
      /^cannot register.*: no \[31mred x+… \(42201\)$/,
      registry.register("s", schema),
    );
    assert.ok(error.message.length < 400);
  });
});
