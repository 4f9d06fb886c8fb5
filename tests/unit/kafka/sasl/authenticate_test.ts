import assert from "node:assert/strict";
import { inspect } from "node:util";
import { Failure } from "../../../../lib/failure.ts";
import type { SaslConfig } from "../../../../lib/kafka/config.ts";
import { Secret } from "../../../../lib/secret.ts";
import { authenticate } from "../../../../lib/kafka/sasl/authenticate.ts";
import type { Link } from "../../../../lib/kafka/requests.ts";
import type { SaslAuthenticateResponse } from "../../../../lib/protocol/messages/sasl.ts";

const secret = "t0p-secret";

/** A broker that answers a login with these: the handshake's error code, then each message. */
function link(handshake: number, ...answers: (string | SaslAuthenticateResponse)[]) {
  const sent: string[] = [];
  const call = (api: { name: string }, request: unknown) => {
    if (api.name === "SaslHandshake") {
      sent.push(String(request));
      return Promise.resolve({ errorCode: handshake, mechanisms: ["A", "B"] });
    }
    sent.push(new TextDecoder().decode(request as Uint8Array));
    const answer = answers.shift()!;
    return Promise.resolve(
      typeof answer === "string"
        ? {
          errorCode: 0,
          errorMessage: null,
          authBytes: new TextEncoder().encode(answer),
          sessionLifetime: 0,
        }
        : answer,
    );
  };
  return {
    sent,
    link: { name: "broker:1", host: "broker", accepts: () => true, call } as unknown as Link,
  };
}

const refusal = (errorMessage: string | null) => ({
  errorCode: 58,
  errorMessage,
  authBytes: new Uint8Array(),
  sessionLifetime: 0,
});

const plain: SaslConfig = { mechanism: "PLAIN", username: "ann", password: new Secret(secret) };
const scram: SaslConfig = { ...plain, mechanism: "SCRAM-SHA-256", tokenauth: false };
const bearer: SaslConfig = {
  mechanism: "OAUTHBEARER",
  from: "a file",
  token: () => Promise.resolve(new Secret(secret)),
  extensions: { logicalCluster: "lkc-1", pool: "p" },
};

Deno.test({
  name: "sasl: what is sent, by RFC 4616 and RFC 7628 with KIP-342's extensions",
  permissions: "none",
  fn: async () => {
    const first = link(0, "");
    await authenticate(first.link, plain, 1000);
    assert.deepEqual(first.sent, ["PLAIN", `\0ann\0${secret}`]);
    const second = link(0, "");
    await authenticate(second.link, bearer, 1000);
    assert.deepEqual(second.sent, [
      "OAUTHBEARER",
      `n,,\x01auth=Bearer ${secret}\x01logicalCluster=lkc-1\x01pool=p\x01\x01`,
    ]);
  },
});

Deno.test({
  name: "sasl: each rejection is a failure of its kind, with the broker's words and no secret",
  permissions: "none",
  fn: async () => {
    const cases: [ReturnType<typeof link>, SaslConfig, Failure["kind"], RegExp][] = [
      [
        link(33),
        plain,
        "denied",
        /does not accept sasl.mechanism PLAIN: UNSUPP.*; it accepts A, B$/,
      ],
      [link(34), plain, "broker", /does not use SASL on this port — set/],
      [link(0, refusal("bad")), plain, "denied", /^broker:1 rejects user "ann" with PLAIN: bad$/],
      [link(0, refusal(null)), plain, "denied", /: SASL_AUTHENTICATION_FAILED \(58\)$/],
      [link(0, refusal(`no ${secret}!`)), plain, "denied", /PLAIN: no \*\*\*!$/],
      [link(0, refusal("who?")), scram, "denied", /"ann" with SCRAM-SHA-256: who\?$/],
      [link(0, "nonsense"), scram, "denied", /SCRAM-SHA-256: its first message is not SCRAM's$/],
      [
        link(0, '{"status":"x"}', refusal("no")),
        bearer,
        "denied",
        /the token of a file .*BEARER: no$/,
      ],
      [link(0, '{"status":"x"}', ""), bearer, "denied", /OAUTHBEARER: {"status":"x"}$/],
    ];
    for (const [{ link, sent }, config, kind, message] of cases) {
      const failure = await authenticate(link, config, 1000).then(() => {}, (error) => error);
      assert.ok(failure instanceof Failure, String(failure));
      assert.equal(failure.kind, kind);
      assert.match(failure.message, message);
      assert.ok(!inspect(failure, { depth: 9 }).includes(secret));
      if (config === bearer) assert.equal(sent.at(-1), "\x01");
    }
  },
});

Deno.test({
  name: "sasl: a secret is not in what is printed or encoded",
  permissions: "none",
  fn: () => {
    const held = { sasl: plain };
    const shown = [
      inspect(held, { depth: 9, showHidden: true }),
      Deno.inspect(held, { depth: 9, showHidden: true }),
      JSON.stringify(held),
      `${plain.password}`,
      String(new Error("x", { cause: held })),
    ];
    for (const text of shown) assert.ok(!text.includes(secret), text);
    assert.equal((plain.password as Secret).reveal(), secret);
  },
});
