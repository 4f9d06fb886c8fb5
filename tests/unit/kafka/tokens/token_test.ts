import assert from "node:assert/strict";
import { ConnectionError } from "../../../../lib/kafka/connection_error.ts";
import { bearerToken, claimsOf, describeToken } from "../../../../lib/kafka/tokens/jwt.ts";
import { tokenOf } from "../../../../lib/kafka/tokens/oidc.ts";
import {
  defaultRenewal,
  renewalTime,
  type Token,
  TokenKeeper,
} from "../../../../lib/kafka/tokens/token.ts";
import { Secret } from "../../../../lib/secret.ts";

const none: { permissions: "none" } = { permissions: "none" };
const second = 1000;

/** A JWT without a signature. */
function jwt(claims: unknown): string {
  const part = (value: unknown) =>
    btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `${part({ alg: "none" })}.${part(claims)}.x`;
}

Deno.test("tokens: when one is renewed, by the rule of Java's client", none, () => {
  const at = (lifetime: number, changes = {}, random = 0) =>
    renewalTime(
      { issued: 0, expires: lifetime * second },
      { ...defaultRenewal, ...changes },
      random,
    ) / second;
  // An hour: at 80 to 85 % of it. 20 minutes: 5 minutes before its end.
  assert.equal(at(3600), 2880);
  assert.equal(Math.round(at(3600, {}, 1)), 3060);
  assert.equal(at(1200), 900);
  // Less than buffer and least use together: neither counts.
  assert.equal(at(300), 240);
  assert.equal(at(359), 359 * 0.8);
  assert.equal(at(360), 60);
  assert.equal(at(3600, { factor: 0.5, jitter: 0 }), 1800);
  assert.equal(at(3600, { buffer: 3000 }), 600);
});

Deno.test("tokens: one question serves all connections, and a token its time", none, async () => {
  let asked = 0;
  let answer = (): Promise<Token> => {
    const now = Date.now();
    return Promise.resolve({
      secret: new Secret(`t${++asked}`),
      issued: now,
      expires: now + 300 * second,
    });
  };
  const keeper = new TokenKeeper(() => answer());
  const all = await Promise.all([1, 2, 3].map(() => keeper.get(1000)));
  assert.deepEqual(all.map((token) => token.reveal()), ["t1", "t1", "t1"]);
  assert.equal((await keeper.get(1000)).reveal(), "t1");
  assert.equal(asked, 1);

  // One that is late in its life is renewed; if that fails for now, it serves on.
  const old = new TokenKeeper(() => answer());
  const fresh = answer;
  answer = () => {
    const now = Date.now();
    return Promise.resolve({
      ...{ secret: new Secret("old"), issued: now - 290 * second },
      expires: now + 10 * second,
    });
  };
  assert.equal((await old.get(1000)).reveal(), "old");
  answer = () => Promise.reject(new ConnectionError("the server is away"));
  assert.equal((await old.get(1000)).reveal(), "old");
  answer = () => Promise.reject(new Error("the client is unknown"));
  await assert.rejects(old.get(1000), /the client is unknown/);
  answer = fresh;
  assert.equal((await old.get(1000)).reveal(), "t2");

  // One without a known end is asked for each time.
  const opaque = new TokenKeeper(() => {
    const now = Date.now();
    return Promise.resolve({ secret: new Secret(`o${++asked}`), issued: now, expires: now });
  });
  const [first, next] = [await opaque.get(1000), await opaque.get(1000)];
  assert.notEqual(first.reveal(), next.reveal());
});

Deno.test("tokens: what an endpoint may answer", none, () => {
  const of = (body: unknown, status = 200, type = "application/json", orId = false) =>
    tokenOf({ status, type, text: JSON.stringify(body) }, "https://idp/token", 1000, orId);
  const exp = Math.floor(Date.now() / 1000) + 60;
  const token = of({ access_token: jwt({ exp }), expires_in: 5 });
  assert.equal(token.expires, exp * 1000);
  assert.equal(of({ access_token: "opaque", expires_in: 5 }).expires, 6000);
  assert.equal(of({ access_token: "opaque", expires_in: "5" }).expires, 6000);
  assert.equal(of({ access_token: "opaque" }).expires, 1000);
  assert.equal(of({ id_token: "opaque" }, 200, "", true).secret.reveal(), "opaque");
  const denied: [unknown, number, RegExp][] = [
    [{ error: "invalid_client" }, 401, /rejects the client \(HTTP 401\): invalid_client — check/],
    [{ error: "invalid_scope", error_description: "x\ny" }, 400, /400\): invalid_scope: x y — /],
    ["<html>", 403, /rejects the client \(HTTP 403\) — check/],
  ];
  for (const [body, status, message] of denied) {
    assert.throws(() => of(body, status), { kind: "denied", message });
  }
  const broken: [unknown, number, RegExp][] = [
    [{ id_token: "x" }, 200, /answers without an access_token/],
    [{ access_token: 5 }, 200, /answers without an access_token/],
    [{ access_token: "" }, 200, /answers without an access_token/],
    [null, 200, /answers with application\/json, not JSON — check/],
    [{}, 400, /answers HTTP 400 — check sasl\.oauthbearer\.token\.endpoint\.url$/],
    [{}, 405, /answers HTTP 405/],
  ];
  for (const [body, status, message] of broken) {
    assert.throws(() => of(body, status), { kind: "broker", message });
  }
  assert.throws(() => of({ access_token: "two words" }), {
    kind: "usage",
    message: "the OAUTHBEARER token of https://idp/token is not valid",
  });
  assert.throws(() => of({ access_token: jwt({ exp: 1 }) }), {
    kind: "denied",
    message: /expired at 1970-01-01T00:00:01Z — check the clock of this host/,
  });
});

Deno.test("tokens: what a JWT says is told, of anything else nothing", none, () => {
  const told = (text: string) => describeToken(new Secret(text));
  const claims = { aud: ["a", 'b"'], iss: "https://idp/ü", exp: 4e9, sub: "not told" };
  const encoded = [...new TextEncoder().encode(JSON.stringify(claims))];
  const payload = btoa(String.fromCharCode(...encoded));
  assert.equal(
    told(`e30.${payload}.x`),
    'its audience is ["a","b\\""], its issuer is "https://idp/ü", it expires at 2096-10-02T07:06:40Z',
  );
  assert.equal(told(jwt({ exp: 1 })), "it expired at 1970-01-01T00:00:01Z");
  assert.equal(told(jwt({ aud: "a".repeat(300) })), `its audience is "${"a".repeat(199)}…`);
  for (const text of ["opaque", "a.b", "a.b.c", "..", jwt(5), jwt(null), jwt({ exp: "x" })]) {
    assert.equal(told(text), "", text);
  }
  assert.equal(claimsOf(new Secret(jwt("x"))), null);
  assert.throws(() => bearerToken("a\nb", "its file"), /token of its file is not valid/);
});

Deno.test("tokens: an end that is not a time is said, not an error", none, () => {
  for (const [exp, said] of [[4e16, "expires"], [-4e16, "expired"], [1e300, "expires"]] as const) {
    assert.equal(describeToken(new Secret(jwt({ exp }))), `it ${said} at an impossible time`);
  }
});
