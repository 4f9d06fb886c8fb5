import assert from "node:assert/strict";
import { Failure } from "../../../lib/failure.ts";
import { isLoopback, readToken } from "../../../lib/load/access.ts";
import { HttpServer } from "../../../lib/load/http.ts";
import { LoadMetrics } from "../../../lib/load/metrics.ts";
import { LoadSite } from "../../../lib/load/site.ts";
import { SourceStatus } from "../../../lib/load/status.ts";
import { Secret } from "../../../lib/secret.ts";

const TOKEN = "0123456789abcdef+/~";

const load = {
  rows: 1000,
  updated: 0,
  deleted: 0,
  filtered: 0,
  rejected: 3,
  rowsRead: 1003,
  records: 1003,
  lag: 5000,
  lost: 0,
  reason: "end" as const,
  seconds: 0.5,
  loadNo: 7,
};

function makeSite(sources: SourceStatus[], token: string | null = null, localOnly = false) {
  const metrics = new LoadMetrics(5000);
  for (const { source } of sources) metrics.of(source);
  const access = { token: token === null ? null : new Secret(token), localOnly };
  const site = new LoadSite(metrics, sources, access);
  return (path: string, headers: Record<string, string> = {}, method = "GET") =>
    site.answer(new Request(`http://127.0.0.1${path}`, { method, headers }));
}

Deno.test("site: a page, metrics and health; nothing else, and nothing is changed", async () => {
  const get = makeSite([new SourceStatus("crimes")]);
  assert.deepEqual(
    await Promise.all(
      ["/", "/metrics", "/healthz", "/x"].map(async (path) => (await get(path)).status),
    ),
    [200, 200, 200, 404],
  );
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
    assert.equal((await get("/", {}, method)).status, 405, method);
  }
});

Deno.test("site: with a token nothing but the health is answered without it", async () => {
  const get = makeSite([new SourceStatus("crimes")], TOKEN);
  const basic = (login: string) => ({ authorization: `Basic ${btoa(login)}` });
  const wrong: Record<string, string>[] = [
    {},
    { authorization: TOKEN },
    { authorization: "Bearer" },
    { authorization: `Bearer ${TOKEN}x` },
    { authorization: `Bearer ${TOKEN.slice(1)}` },
    { authorization: `Digest ${TOKEN}` },
    { authorization: `Bearer ${TOKEN} ${TOKEN}` },
    basic("x:y"),
    basic(`${TOKEN}:`),
    { authorization: "Basic !!!" },
  ];
  for (const path of ["/", "/metrics", "/x", `/?token=${TOKEN}`]) {
    for (const headers of wrong) {
      const answer = await get(path, headers);
      const text = await answer.text();
      assert.equal(answer.status, 401, `${path} ${JSON.stringify(headers)}`);
      assert.match(answer.headers.get("www-authenticate")!, /^Basic realm=/);
      assert.ok(!text.includes("crimes") && !text.includes(TOKEN), text);
    }
  }
  const right = [
    { authorization: `Bearer ${TOKEN}` },
    { authorization: `bearer  ${TOKEN}` },
    basic(`anyone:${TOKEN}`),
    basic(`:${TOKEN}`),
  ];
  for (const headers of right) {
    assert.equal((await get("/", headers)).status, 200, headers.authorization);
    assert.equal((await get("/metrics", headers)).status, 200);
  }
  const health = await get("/healthz");
  assert.deepEqual([health.status, await health.text()], [200, "ok\n"]);
});

Deno.test("site: without a token the page of a loopback address answers to names of this machine only", async () => {
  const get = makeSite([new SourceStatus("crimes")], null, true);
  for (const host of ["127.0.0.1:9187", "localhost", "LOCALHOST:1", "[::1]:9187", "127.8.0.1"]) {
    assert.equal((await get("/", { host })).status, 200, host);
  }
  for (
    const host of ["evil.example", "127.0.0.1.evil.example:80", "localhost.evil:1", "[::2]:1", ""]
  ) {
    assert.equal((await get("/", { host })).status, 403, host);
  }
  assert.equal((await get("/")).status, 200); // HTTP/1.0 has no Host
  assert.equal((await get("/metrics", { host: "metrics.example" })).status, 200);
});

Deno.test("site: headers come through the server; of two of a name the first counts", async () => {
  const site = new LoadSite(new LoadMetrics(1), [], { token: new Secret(TOKEN), localOnly: false });
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const server = new HttpServer(listener, site.answer);
  const ask = async (head: string) => {
    using client = await Deno.connect({ port });
    await client.write(new TextEncoder().encode(`GET / HTTP/1.1\r\n${head}\r\n\r\n`));
    return (await new Response(client.readable).text()).split("\r\n")[0];
  };
  try {
    assert.equal(await ask(`Authorization:Bearer ${TOKEN}`), "HTTP/1.1 200 OK");
    assert.equal(await ask(`AUTHORIZATION: \t Bearer ${TOKEN} `), "HTTP/1.1 200 OK");
    for (
      const head of [
        `Authorization: x\r\nAuthorization: Bearer ${TOKEN}`,
        ` Authorization: Bearer ${TOKEN}`,
        `X: y\nAuthorization: Bearer ${TOKEN}`,
        `Authorization : Bearer ${TOKEN}`,
        "Authorization: \x00\x01",
        ":",
      ]
    ) assert.match(await ask(head), /^HTTP\/1.1 40[01] /, head);
  } finally {
    await server.close();
  }
});

Deno.test("token file: what is wrong with it is named, never shown", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/token`;
    await Deno.writeTextFile(path, `${TOKEN}\n`);
    assert.equal(readToken(path).reveal(), TOKEN);
    for (
      const text of [
        "",
        "short\n",
        "two words of a sentence",
        "one line 1234567\nline 2",
        "ü".repeat(20),
      ]
    ) {
      await Deno.writeTextFile(path, text);
      assert.throws(() => readToken(path), (error) => {
        assert.ok(error instanceof Failure && error.kind === "usage");
        assert.match(error.message, /^--listen-token-file: the file must have one line/);
        assert.ok(text === "" || !error.message.includes(text));
        return true;
      });
    }
    assert.throws(() => readToken(`${folder}/none`), /cannot read ".*none": No such file/);
    assert.throws(() => readToken(TOKEN), (error) => !(error as Error).message.includes(TOKEN));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("loopback: which addresses are this machine's only", () => {
  for (const name of ["localhost", "127.0.0.1", "127.1.2.3", "::1"]) {
    assert.ok(isLoopback(name), name);
  }
  for (const name of ["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example", "host", "1127.0.0.1"]) {
    assert.ok(!isLoopback(name), name);
  }
});

Deno.test("page: names and errors may hold anything; none of it is HTML, and no secret is shown", async () => {
  const evil = `<script>alert(1)</script>"'&\x1b[2J`;
  new Secret("hunter2-and-more");
  const source = new SourceStatus(evil);
  source.loaded(load);
  source.failed(
    `cannot load ${evil}: password=hunter2-and-more postgres://me:pw1234@db/x — <b>run</b> it`,
  );
  const get = makeSite([source, new SourceStatus("</table></title>")]);
  const answer = await get("/");
  const html = await answer.text();
  assert.equal(html.match(/<script>/g)!.length, 1); // the page's own
  assert.ok(html.includes("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp; [2J"));
  assert.ok(html.includes("What to do: &lt;b&gt;run&lt;/b&gt; it"));
  assert.equal(html.match(/<\/title>/g)!.length, 1);
  assert.ok(!/hunter2|pw1234/.test(html), html);
  assert.ok(
    !/\sstyle=|\son\w+=|https?:|src=|href=/.test(html.replace(/<script>[^]*<\/script>/, "")),
  );
  const policy = answer.headers.get("content-security-policy")!;
  assert.match(
    policy,
    /^default-src 'none'; style-src 'sha256-\S{44}'; script-src 'sha256-\S{44}'; connect-src 'self';/,
  );
  assert.match(policy, /frame-ancestors 'none'/);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
});

Deno.test("page: what a source does, its lag and its course, its speed, loads, errors, rejected rows", async () => {
  let now = Date.parse("2026-01-31T12:00:00Z");
  const source = new SourceStatus("crimes", () => now);
  for (let i = 0; i < 10; i++) {
    now += 20_000;
    source.loading();
    source.loaded({ ...load, lag: 9000 - i * 1000, loadNo: i + 1 });
    source.waiting();
  }
  assert.equal(source.speed, 4000 / 60); // four loads lie in the last minute
  assert.deepEqual(
    source.course.map(({ lag }) => lag),
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0].map((n) => n * 1000),
  );
  const page = async () => (await makeSite([source])("/")).text();
  const html = await page();
  assert.match(html, /1 source, none failing<\/strong> · lag 0 · 67 rows\/s/);
  assert.match(html, /<polyline points="0\.0,1\.0 /);
  assert.match(html, /aria-label="lag since 2026-01-31T12:00:20Z, highest 9,000"/);
  assert.match(html, /<td class="number bad">30<\/td>/); // rejected rows
  assert.match(html, /<td class="number">10<\/td>\n<td class="number">1,000<\/td>/); // the last load
  assert.match(html, /Rejected rows are listed in kafka\.rejected;/);
  assert.doesNotMatch(html, /Last errors/);
  now += 1000;
  source.failed("topic is gone");
  assert.match(await page(), /1 of 1 source failing/);
  assert.match(await page(), /<title>1 failing · gpdb-kafka load<\/title>/);
  now += 1000;
  source.loaded(load);
  source.waiting();
  assert.match(await page(), /none failing.*topic is gone <small>\(a load has succeeded since\)/s);
});

Deno.test("page: the course of an hour is kept, and no more, however often a source loads", () => {
  let now = 0;
  const source = new SourceStatus("crimes", () => now);
  for (let i = 0; i < 30_000; i++) {
    now += 250;
    source.loaded({ ...load, lag: i % 2 === 0 ? i : 0 });
  }
  assert.ok(source.course.length <= 242, String(source.course.length));
  assert.ok(source.course[0].at >= now - 3_600_000);
  assert.ok(source.course.slice(0, -1).every(({ lag }) => lag > 0)); // the highest of each 15 s
  assert.ok(source.recent.length <= 12);
});

Deno.test("site: of a source with several topics the page has each, those furthest behind first", async () => {
  const one = new SourceStatus("crimes");
  one.loaded({ ...load, topics: [{ topic: "crimes", records: 1, lag: 2 }] });
  assert.ok(!(await (await makeSite([one])("/")).text()).includes("<h2>Topics</h2>"));
  const several = new SourceStatus("orders");
  const topics = Array.from({ length: 20 }, (_, i) => ({ topic: `o${i}`, records: 5, lag: i }));
  several.loaded({ ...load, topics });
  several.loaded({ ...load, topics });
  const text = await (await makeSite([one, several])("/")).text();
  const [, section] = /<h2>Topics<\/h2>(.*?)<\/section>(.*?more.*?<\/p>)?/s.exec(text)!;
  const shown = [
    ...section.matchAll(
      /<td>(o\d+)<\/td>\n<td class="number">(\d+)<\/td><td class="number">(\d+)/g,
    ),
  ];
  assert.deepEqual(shown.map(([, topic, lag, records]) => [topic, lag, records]).slice(0, 2), [
    ["o19", "19", "10"],
    ["o18", "18", "10"],
  ]);
  assert.equal(shown.length, 15);
  assert.match(text, /5 topics more, less far behind/);
});
