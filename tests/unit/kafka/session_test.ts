/** Sessions of KIP-368: logging in again on the same connection, before the broker closes it. */
import assert from "node:assert/strict";
import { Failure } from "../../../lib/failure.ts";
import type { BearerConfig } from "../../../lib/kafka/config.ts";
import { Connection } from "../../../lib/kafka/connection.ts";
import { ConnectionError } from "../../../lib/kafka/connection_error.ts";
import { metadata } from "../../../lib/protocol/messages/metadata.ts";
import { Secret } from "../../../lib/secret.ts";
import { type ScriptedBroker, scriptedBroker } from "../../support/scripted_broker/mod.ts";

const local: { permissions: Deno.PermissionOptions } = { permissions: { net: ["127.0.0.1"] } };

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A broker whose sessions end after `lifetime` milliseconds; it takes any token but `wrong`. */
async function sessions(lifetime: number): Promise<ScriptedBroker> {
  const kafka = await scriptedBroker({
    topics: { t: 1 },
    sasl: { username: "u", password: "p" },
  });
  kafka.on = {
    saslHandshake: (call) => void (call.reply.errorCode = 0),
    saslAuthenticate: (call) => {
      const text = new TextDecoder().decode(call.request.authBytes as Uint8Array);
      const isWrong = text.includes("wrong");
      call.reply.errorCode = isWrong ? 58 : 0;
      call.reply.errorMessage = isWrong ? "no such token" : null;
      call.reply.sessionLifetimeMs = lifetime;
    },
  };
  return kafka;
}

const bearer = (token: () => Promise<string>): BearerConfig => ({
  mechanism: "OAUTHBEARER",
  from: "a file",
  token: async () => new Secret(await token()),
  extensions: {},
});

const order = (kafka: ScriptedBroker) => kafka.requests.map(({ api }) => api);

async function open(kafka: ScriptedBroker, token: () => Promise<string>, timeout = 30_000) {
  const config = kafka.config({ sasl: bearer(token), timeout });
  return await Connection.open(kafka.brokers.get(1)!, config, [metadata]);
}

/** Sends until this many logins were seen; every request is answered. */
async function until(kafka: ScriptedBroker, connection: Connection, logins: number): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (kafka.requestsOf("saslAuthenticate").length < logins) {
    assert.ok(performance.now() < deadline, `${order(kafka)}`);
    const answers = await Promise.all(
      [1, 2, 3].map(() => connection.call(metadata, { topics: ["t"] })),
    );
    for (const { topics } of answers) assert.equal(topics.length, 1);
    await pause(10);
  }
}

Deno.test(
  "a session is renewed on its connection, between requests that are all answered",
  local,
  async () => {
    await using kafka = await sessions(300);
    let tokens = 0;
    const connection = await open(kafka, () => Promise.resolve(`token-${++tokens}`));
    await until(kafka, connection, 4);
    assert.equal(new Set(kafka.requests.map(({ connection }) => connection)).size, 1);
    // Nothing is between the messages of a login.
    for (const [i, api] of order(kafka).entries()) {
      if (api === "saslHandshake") assert.equal(order(kafka)[i + 1], "saslAuthenticate");
    }
    // Each time it is asked for again: it may have been renewed.
    assert.equal(tokens, 4);
    connection.close();
  },
);

Deno.test("a session by a password is renewed in the same way", local, async () => {
  await using kafka = await sessions(300);
  const sasl = { mechanism: "PLAIN" as const, username: "u", password: new Secret("p") };
  const connection = await Connection.open(kafka.brokers.get(1)!, kafka.config({ sasl }), [
    metadata,
  ]);
  await until(kafka, connection, 3);
  assert.equal(new Set(kafka.requests.map(({ connection }) => connection)).size, 1);
  connection.close();
});

Deno.test("a session without an end is not renewed", local, async () => {
  await using kafka = await sessions(0);
  const connection = await open(kafka, () => Promise.resolve("token"));
  for (let i = 0; i < 20; i++) {
    await connection.call(metadata, { topics: ["t"] });
    await pause(10);
  }
  assert.equal(kafka.requestsOf("saslAuthenticate").length, 1);
  connection.close();
});

Deno.test(
  "a login that cannot be prepared is tried again while the session lasts",
  local,
  async () => {
    await using kafka = await sessions(3000);
    let asked = 0;
    const connection = await open(kafka, () => {
      if (++asked !== 2) return Promise.resolve("token");
      return Promise.reject(new ConnectionError("cannot get a token: idp does not answer"));
    });
    const began = performance.now();
    // The requests go on meanwhile.
    await until(kafka, connection, 2);
    assert.ok(asked >= 3);
    assert.ok(performance.now() - began > 2000);
    connection.close();
  },
);

Deno.test(
  "a session that ends without a new login ends its connection, with the reason",
  local,
  async () => {
    await using kafka = await sessions(300);
    let asked = 0;
    const connection = await open(kafka, () => {
      if (++asked === 1) return Promise.resolve("token");
      return Promise.reject(new ConnectionError("cannot get a token: idp does not answer"));
    });
    await pause(400);
    const calls = [1, 2].map(() => connection.call(metadata, { topics: ["t"] }));
    for (const call of calls) {
      await assert.rejects(call, (error) => {
        assert.ok(error instanceof ConnectionError, String(error));
        assert.equal(error.message, "cannot get a token: idp does not answer");
        return true;
      });
    }
    assert.ok(connection.closed);
  },
);

Deno.test(
  "a login that is rejected when it is renewed is a failure, for all requests",
  local,
  async () => {
    await using kafka = await sessions(300);
    let asked = 0;
    const connection = await open(kafka, () => Promise.resolve(++asked === 1 ? "token" : "wrong"));
    await pause(400);
    const calls = [1, 2].map(() => connection.call(metadata, { topics: ["t"] }));
    for (const call of calls) {
      await assert.rejects(call, (error) => {
        assert.ok(error instanceof Failure && error.kind === "denied", String(error));
        assert.match(error.message, /rejects the token of a file with OAUTHBEARER: no such token$/);
        return true;
      });
    }
    assert.ok(connection.closed);
  },
);

Deno.test(
  "a broker that is silent in the middle of a renewal is a lost connection",
  local,
  async () => {
    await using kafka = await sessions(300);
    const connection = await open(kafka, () => Promise.resolve("token"), 1000);
    kafka.on.saslHandshake = (call) => call.silent();
    await pause(400);
    const message = /did not answer SaslHandshake within 1 s$/;
    await assert.rejects(connection.call(metadata, { topics: ["t"] }), { message });
  },
);
