import assert from "node:assert/strict";
import { ConnectionError } from "../../../../lib/kafka/connection_error.ts";
import { fetchAzureToken } from "../../../../lib/kafka/tokens/azure.ts";

Deno.test("tokens: Azure's instance metadata gives one for a query, and says what is wrong", async () => {
  const asked: string[] = [];
  let answer = () =>
    Response.json({ access_token: "opaque", expires_in: "60", token_type: "Bearer" });
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const { pathname, search } = new URL(request.url);
      asked.push(`${request.method} ${pathname}${search} ${request.headers.get("metadata")}`);
      return answer();
    },
  );
  const url = `http://127.0.0.1:${server.addr.port}/token`;
  const query = "api-version=2018-02-01&resource=https%3A%2F%2Fns.example&client_id=x";
  const fetch = (limit = 10_000) => fetchAzureToken(query, limit, url);
  const before = Date.now();
  const token = await fetch();
  assert.deepEqual(asked, [`GET /token?${query} true`]);
  assert.equal(token.secret.reveal(), "opaque");
  assert.ok(token.expires >= before + 60_000);
  answer = () => Response.json({ error: "invalid_resource" }, { status: 400 });
  await assert.rejects(fetch(), {
    kind: "denied",
    message: /Azure's instance metadata rejects the client \(HTTP 400\): invalid_resource/,
  });
  answer = () => new Response("x".repeat(2 * 1024 * 1024));
  await assert.rejects(fetch(), (error) => {
    assert.ok(error instanceof ConnectionError, String(error));
    assert.match(error.message, /^cannot get a token: http:.*\/token answers with over 1 MiB$/);
    return true;
  });
  answer = () => new Response("", { status: 500 });
  await assert.rejects(fetch(), /cannot get a token: .* answers HTTP 500$/);
  await server.shutdown();
  await assert.rejects(fetch(), /cannot get a token: .* does not answer: .*refused/i);
});

Deno.test("tokens: a machine's service that is silent is not waited for longer than said", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const conn of listener) accepted.push(conn);
  })();
  const url = `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}/token`;
  const message = /\/token does not answer: no answer within 0\.2 s$/;
  await assert.rejects(fetchAzureToken("a=b", 200, url), { message });
  listener.close();
  await accepting.catch(() => {});
  for (const conn of accepted) conn.close();
});
