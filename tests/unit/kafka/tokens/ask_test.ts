import assert from "node:assert/strict";
import { ask } from "../../../../lib/kafka/tokens/ask.ts";
import { silentPort } from "../../../support/silence.ts";

const network = { permissions: { net: ["127.0.0.1"] } };

function question(port: number, limit = 5000) {
  return ask({
    failed: "cannot get a token",
    url: `http://127.0.0.1:${port}/token?secret=in-the-query`,
    method: "POST",
    headers: { authorization: "Basic c2VjcmV0" },
    body: "client_secret=secret",
    authorities: [],
    authoritiesName: "https.ca.location",
    limit,
  });
}

/** A server of one handler, and how often it was asked. */
function endpoint(handler: () => Response) {
  let asked = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    asked++;
    return handler();
  });
  return {
    port: server.addr.port,
    get asked() {
      return asked;
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A body of pieces without an end, one every `pause` milliseconds. */
function endless(piece: Uint8Array<ArrayBuffer>, pause: number): ReadableStream<Uint8Array> {
  let timer: ReturnType<typeof setInterval>;
  return new ReadableStream({
    start(controller) {
      timer = setInterval(() => controller.enqueue(piece), pause);
    },
    cancel() {
      clearInterval(timer);
    },
  });
}

Deno.test(
  "tokens: an endpoint that is silent, or whose answer never ends, is left at the limit",
  network,
  async () => {
    await using silent = silentPort();
    await assert.rejects(question(silent.port, 200), {
      message:
        /^cannot get a token: http:\/\/127\.0\.0\.1:\d+\/token does not answer: no answer within 0\.2 s$/,
    });
    await using slow = endpoint(() => new Response(endless(Uint8Array.of(32), 50)));
    const started = performance.now();
    await assert.rejects(question(slow.port, 500), /no answer within 0\.5 s$/);
    assert.ok(performance.now() - started < 3000);
  },
);

Deno.test("tokens: of an endpoint's answer at most 1 MiB is read", network, async () => {
  await using large = endpoint(() => new Response(endless(new Uint8Array(256 * 1024), 10)));
  await assert.rejects(question(large.port), /over 1 MiB/);
});

Deno.test("tokens: a redirection is not followed", network, async () => {
  await using other = endpoint(() => new Response("{}"));
  for (const status of [301, 302, 303, 307, 308]) {
    const location = `http://127.0.0.1:${other.port}/taken?secret=x`;
    await using first = endpoint(() => new Response(null, { status, headers: { location } }));
    await assert.rejects(question(first.port), {
      kind: "broker",
      message: /\/token redirects to http:\/\/127\.0\.0\.1:\d+\/taken — give its own URL$/,
    });
  }
  assert.equal(other.asked, 0);
});
