import assert from "node:assert/strict";
import { HttpServer } from "../../../lib/load/http.ts";

/** A server that answers with the path, and what it sends to who sends this. */
function startServer() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const server = new HttpServer(listener, (request) => {
    const status = request.method === "POST" ? 405 : 200;
    return Promise.resolve(new Response(`${new URL(request.url).pathname}\n`, { status }));
  });
  return {
    server,
    port,
    async ask(text: string): Promise<string> {
      using client = await Deno.connect({ port });
      await client.write(new TextEncoder().encode(text));
      let answer = "";
      const buffer = new Uint8Array(1024);
      for (let n; (n = await client.read(buffer)) !== null;) {
        answer += new TextDecoder().decode(buffer.subarray(0, n));
      }
      return answer;
    },
  };
}

Deno.test("http: GET and HEAD are answered, what is not a request is not", async () => {
  const { server, port, ask } = startServer();
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics?x=1`);
    assert.deepEqual([answer.status, await answer.text()], [200, "/metrics\n"]);
    const head = await ask("HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.match(head, /^HTTP\/1.1 200 OK\r\n/);
    assert.match(head, /content-length: 9\r\n/);
    assert.ok(head.endsWith("\r\n\r\n"), head);
    const first = async (text: string) => (await ask(text)).split("\r\n")[0];
    assert.equal(await first("GET /x HTTP/1.0\r\n\r\n"), "HTTP/1.1 200 OK");
    assert.equal(await first("POST / HTTP/1.1\r\n\r\nx"), "HTTP/1.1 405 Method Not Allowed");
    for (const text of ["GET http://[/ HTTP/1.1", "CONNECT a:1 HTTP/1.1", "PRI * HTTP/2.0", "x"]) {
      assert.equal(await first(`${text}\r\n\r\n`), "HTTP/1.1 400 Bad Request", text);
    }
    assert.equal(await ask("x".repeat(20_000)).catch(() => ""), "");
  } finally {
    await server.close();
  }
});

Deno.test("http: many open connections keep no client out, and their number is limited", async () => {
  const { server, port } = startServer();
  const clients: Deno.Conn[] = [];
  try {
    for (let i = 0; i < 100; i++) {
      const client = await Deno.connect({ port });
      clients.push(client);
      await client.write(new TextEncoder().encode("GET / HTTP/1.1\r\n"));
    }
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`);
    assert.deepEqual([answer.status, await answer.text()], [200, "/healthz\n"]);
    const ended = clients.slice(0, 60).map((client) =>
      client.read(new Uint8Array(1)).then((count) => count === null, () => true)
    );
    assert.ok((await Promise.all(ended)).every(Boolean));
  } finally {
    await server.close();
    for (const client of clients) client.close();
  }
});
