/** A deadline belongs to one thing: to connecting, or to one request. */
import assert from "node:assert/strict";
import { Cluster } from "../../../lib/kafka/cluster.ts";
import { Connection } from "../../../lib/kafka/connection.ts";
import { openSocket } from "../../../lib/kafka/socket.ts";
import { metadata } from "../../../lib/protocol/messages/metadata.ts";
import { produce } from "../../../lib/protocol/messages/produce.ts";
import { scriptedBroker } from "../../support/scripted_broker/mod.ts";
import { clientConfig, rawBroker } from "../../support/scripted_broker/peer.ts";
import { silentPort } from "../../support/silence.ts";

const local: { permissions: Deno.PermissionOptions } = { permissions: { net: ["127.0.0.1"] } };
const address = (port: number) => ({ host: "127.0.0.1", port });

Deno.test("a request has the whole timeout, however many brokers are named", local, async () => {
  await using kafka = await scriptedBroker({
    brokers: 3,
    topics: { t: 1 },
    on: { metadata: (call) => call.delay(500) },
  });
  const cluster = new Cluster(kafka.config({ timeout: 900 }), []);
  try {
    assert.equal((await cluster.refresh(["t"])).topics.length, 1);
    assert.equal(kafka.requestsOf("metadata").length, 1);
  } finally {
    cluster.close();
  }
});

Deno.test("brokers that are silent do not use up the time of the next ones", local, async () => {
  await using first = silentPort();
  await using second = silentPort();
  await using kafka = await scriptedBroker({ topics: { t: 1 } });
  const silent = [first, second].map(({ port }) => `127.0.0.1:${port}`);
  const brokers = [...silent, ...kafka.addresses];
  const cluster = new Cluster(clientConfig({ brokers, timeout: 1500 }), []);
  const started = performance.now();
  try {
    assert.equal((await cluster.topic("t")).partitions.length, 1);
    assert.ok(performance.now() - started < 1500);
  } finally {
    cluster.close();
  }
});

Deno.test(
  "all brokers silent: the deadline is one request's, and not one after the other",
  local,
  async () => {
    await using first = silentPort();
    await using second = silentPort();
    const brokers = [first, second].map(({ port }) => `127.0.0.1:${port}`);
    const cluster = new Cluster(clientConfig({ brokers, timeout: 400 }), []);
    const started = performance.now();
    try {
      const message = /did not answer ApiVersions within 0.4 s/;
      await assert.rejects(cluster.topic("t"), { kind: "broker", message });
      const took = performance.now() - started;
      assert.ok(took > 380 && took < 1500, `${took} ms`);
    } finally {
      cluster.close();
    }
  },
);

Deno.test(
  "a request that is not answered ends with its timeout, and its connection too",
  local,
  async () => {
    await using kafka = await scriptedBroker({
      topics: { t: 1 },
      on: { metadata: (call) => call.silent() },
    });
    const [host, port] = kafka.addresses[0].split(":");
    const config = kafka.config({ timeout: 400 });
    const connection = await Connection.open({ host, port: Number(port) }, config, []);
    const started = performance.now();
    await assert.rejects(connection.call(metadata, { topics: ["t"] }), {
      message: `${connection.name} did not answer Metadata within 0.4 s`,
    });
    const took = performance.now() - started;
    assert.ok(took > 380 && took < 3000, `${took} ms`);
    assert.ok(connection.closed);
  },
);

Deno.test("wrong credentials are tried at one broker only", local, async () => {
  await using kafka = await scriptedBroker({
    brokers: 3,
    sasl: { username: "u", password: "right" },
  });
  const { Secret } = await import("../../../lib/secret.ts");
  const sasl = { mechanism: "PLAIN" as const, username: "u", password: new Secret("wrong") };
  const cluster = new Cluster(kafka.config({ sasl }), []);
  try {
    await assert.rejects(cluster.topic("t"), { kind: "denied" });
    assert.equal(kafka.requestsOf("saslAuthenticate").length, 1);
  } finally {
    cluster.close();
  }
});

Deno.test("connecting has a deadline of its own, the TLS handshake included", async () => {
  await using silent = silentPort();
  const tls = { authorities: [], identity: null, checkHostname: true };
  const config = clientConfig({ timeout: 60_000, tls });
  const started = performance.now();
  await assert.rejects(openSocket(address(silent.port), config, 200), {
    message: "no connection within 0.2 s",
  });
  assert.ok(performance.now() - started < 2000);
});

Deno.test(
  "a request without an answer has a deadline where the broker reads no more",
  local,
  async () => {
    const stuck = Promise.withResolvers<void>();
    await using broker = rawBroker(async (peer) => {
      await peer.greet();
      await stuck.promise;
    });
    const connection = await Connection.open(
      address(broker.port),
      clientConfig({ timeout: 300 }),
      [metadata, produce],
    );
    const tail = new Uint8Array(64 * 1024 * 1024);
    const one = { topic: "t", partition: 0, recordsSize: tail.length };
    try {
      await assert.rejects(
        connection.call(produce, { acks: 0, timeout: 1, ...one }, { tail, answered: false }),
        {
          name: "ConnectionError",
          message: `${connection.name} did not answer Produce within 0.3 s`,
        },
      );
    } finally {
      connection.close();
      stuck.resolve();
    }
  },
);

Deno.test(
  "requests that wait to be sent fail with the connection where the broker reads no more",
  local,
  async () => {
    const stuck = Promise.withResolvers<void>();
    await using broker = rawBroker(async (peer) => {
      await peer.greet();
      await stuck.promise;
    });
    const connection = await Connection.open(
      address(broker.port),
      clientConfig({ timeout: 300 }),
      [metadata, produce],
    );
    const tail = new Uint8Array(64 * 1024 * 1024);
    const one = { topic: "t", partition: 0, recordsSize: tail.length };
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error("still waiting after 3 s")), 3000);
    try {
      const calls = [1, 2].map(() =>
        connection.call(produce, { acks: -1, timeout: 1, ...one }, { tail })
      );
      for (const result of await Promise.race([Promise.allSettled(calls), late.promise])) {
        assert.equal(result.status, "rejected");
        assert.match(result.reason.message, /did not answer Produce within 0.3 s/);
      }
    } finally {
      clearTimeout(timer);
      connection.close();
      stuck.resolve();
    }
  },
);

Deno.test("a login that waits for its token has the deadline, too", local, async () => {
  await using kafka = await scriptedBroker({ sasl: { username: "u", password: "p" } });
  const sasl = {
    mechanism: "OAUTHBEARER" as const,
    from: "a file",
    token: () => new Promise<never>(() => {}),
    extensions: {},
  };
  kafka.on = { saslHandshake: (call) => void (call.reply.errorCode = 0) };
  const config = kafka.config({ sasl, timeout: 300 });
  await assert.rejects(Connection.open(kafka.brokers.get(1)!, config, []), {
    message: /did not answer the login within 0.3 s$/,
  });
});

Deno.test("time in which this process was stopped counts towards no deadline", local, async () => {
  await using kafka = await scriptedBroker({ topics: { t: 1 } });
  kafka.on = { metadata: (call) => call.delay(50) };
  const connection = await Connection.open(
    kafka.brokers.get(1)!,
    kafka.config({ timeout: 200 }),
    [metadata],
  );
  try {
    const call = connection.call(metadata, { topics: ["t"] });
    await new Promise((resolve) => setTimeout(resolve, 10));
    // As SIGSTOP and SIGCONT, or a machine that sleeps.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 800);
    assert.equal((await call).topics.length, 1);
  } finally {
    connection.close();
  }
});
