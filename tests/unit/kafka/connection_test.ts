import assert from "node:assert/strict";
import { Connection, MAX_RESPONSE } from "../../../lib/kafka/connection.ts";
import { Kernel } from "../../../lib/protocol/kernel/kernel.ts";
import type { Api } from "../../../lib/protocol/messages/api.ts";
import { fetch } from "../../../lib/protocol/messages/fetch.ts";
import { findCoordinator } from "../../../lib/protocol/messages/find_coordinator.ts";
import { metadata } from "../../../lib/protocol/messages/metadata.ts";
import { produce } from "../../../lib/protocol/messages/produce.ts";
import { type Case, decodeWhole, frame } from "../../golden/frames.ts";
import {
  clientConfig,
  type Peer,
  rawBroker,
  type Request,
  response,
  untilClosed,
} from "../../support/scripted_broker/peer.ts";

const local: { permissions: Deno.PermissionOptions } = { permissions: { net: ["127.0.0.1"] } };
const wanted = { topics: ["golden-plain"] };
const apis: Api<never, unknown>[] = [metadata, fetch, findCoordinator, produce];

/** A connection to a broker that is greeted, and then follows the script. */
async function connected(
  script: (peer: Peer) => Promise<void>,
  use: (connection: Connection) => Promise<void>,
  timeout = 5000,
): Promise<void> {
  await using broker = rawBroker(async (peer) => {
    await peer.greet();
    await script(peer);
  });
  const address = { host: "127.0.0.1", port: broker.port };
  const connection = await Connection.open(address, clientConfig({ timeout }), apis);
  try {
    await use(connection);
  } finally {
    connection.close();
  }
}

/** Opens a connection to a server that follows the script from the start. */
async function opening(script: (peer: Peer) => Promise<void>, timeout = 5000): Promise<unknown> {
  await using broker = rawBroker(script);
  const address = { host: "127.0.0.1", port: broker.port };
  const name = new RegExp(`127.0.0.1:${broker.port}`, "g");
  try {
    (await Connection.open(address, clientConfig({ timeout }), apis)).close();
  } catch (error) {
    assert.ok(error instanceof Error);
    error.message = error.message.replaceAll(name, "BROKER");
    return error;
  }
  assert.fail("it was opened");
}

const pause = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

Deno.test("a response may come in any two parts, and byte by byte", local, async () => {
  const body = frame("metadata");
  const whole = response(0, body);
  await connected(async (peer) => {
    for (let split = 1; split < whole.length; split++) {
      const { correlation } = await peer.request() as Request;
      const bytes = response(correlation, body);
      await peer.send(bytes.subarray(0, split));
      await pause(0);
      await peer.send(bytes.subarray(split));
    }
    const { correlation } = await peer.request() as Request;
    for (const byte of response(correlation, body)) await peer.send(new Uint8Array([byte]));
  }, async (connection) => {
    const right = decodeWhole(metadata, body);
    for (let i = 0; i < whole.length; i++) {
      assert.deepEqual(await connection.call(metadata, wanted), right);
    }
  });
});

Deno.test(
  "requests that are sent before others are answered get their own answers",
  local,
  async () => {
    const answers: Case[] = ["fetch_plain", "fetch_java", "fetch_transactions"];
    await connected(async (peer) => {
      const requests: Request[] = [];
      for (const _ of answers) requests.push(await peer.request() as Request);
      const all = answers.flatMap((name, i) => [...response(requests[i].correlation, frame(name))]);
      await peer.send(new Uint8Array(all));
    }, async (connection) => {
      const request = {
        isolation: "read_committed" as const,
        maxWait: 0,
        maxBytes: 1,
        partitionMaxBytes: 1,
        topics: [],
      };
      const kernels = answers.map(() => new Kernel());
      const responses = kernels.map((into) => connection.call(fetch, request, { into }));
      for (
        const [i, { partitions: [{ topic, start, end }] }] of (await Promise.all(responses))
          .entries()
      ) {
        const bytes = frame(answers[i]);
        const [right] = decodeWhole(fetch, bytes).partitions;
        assert.equal(topic, right.topic);
        assert.deepEqual(kernels[i].bytes.slice(start, end), bytes.slice(right.start, right.end));
      }
    });
  },
);

Deno.test("a request's tail is sent after it, and counted in its size", local, async () => {
  const tail = new Uint8Array(100_000).fill(7);
  const got = Promise.withResolvers<Request>();
  await connected(async (peer) => {
    got.resolve(await peer.request() as Request);
    await peer.answer(await peer.request() as Request, frame("metadata"));
  }, async (connection) => {
    const topic = { topic: "t", partition: 0, recordsSize: tail.length };
    const request = { acks: 0, timeout: 1, ...topic } as const;
    await connection.call(produce, request, { tail, answered: false });
    await connection.call(metadata, wanted);
    const { frame } = await got.promise;
    assert.deepEqual(frame.slice(-tail.length), tail);
    assert.equal(new DataView(frame.buffer).getInt32(frame.length - tail.length - 4), tail.length);
  });
});

const closings: [name: string, bytes: number][] = [["before", 0], ["in the size of", 3]];
closings.push(["behind the head of", 8], ["in the middle of", 100]);
for (const [name, count] of closings) {
  Deno.test(
    `a connection closed ${name} a response fails all requests under way`,
    local,
    async () => {
      await connected(async (peer) => {
        const { correlation } = await peer.request() as Request;
        await peer.send(response(correlation, frame("metadata")).subarray(0, count));
      }, async (connection) => {
        const calls = [connection.call(metadata, wanted), connection.call(metadata, wanted)];
        for (const result of await Promise.allSettled(calls)) {
          assert.ok(result.status === "rejected");
          assert.equal(result.reason.name, "ConnectionError");
          assert.match(result.reason.message, /closed the connection|was lost/);
        }
        assert.ok(connection.closed);
        await assert.rejects(connection.call(metadata, wanted), { name: "ConnectionError" });
      });
    },
  );
}

Deno.test("an answer to a request that was not sent fails the connection", local, async () => {
  await connected(async (peer) => {
    const { correlation } = await peer.request() as Request;
    await peer.send(response(correlation + 1, frame("metadata")));
    await untilClosed(peer);
  }, async (connection) => {
    await assert.rejects(connection.call(metadata, wanted), {
      name: "Failure",
      kind: "broker",
      message: `${connection.name} sent a response to a request that was not sent to it`,
    });
    assert.ok(connection.closed);
  });
});

for (const size of [0x7fffffff, MAX_RESPONSE + 5, 3, 0, -1, -0x80000000]) {
  Deno.test(
    `a response of ${size} bytes is the broker's failure, and not waited for`,
    local,
    async () => {
      await connected(async (peer) => {
        const { correlation } = await peer.request() as Request;
        const bytes = response(correlation, frame("metadata"));
        new DataView(bytes.buffer).setInt32(0, size);
        await peer.send(bytes);
        await untilClosed(peer);
      }, async (connection) => {
        const message = `${connection.name} sent a response of ${size} bytes to Metadata: ` +
          `at most ${MAX_RESPONSE} are accepted`;
        await assert.rejects(connection.call(metadata, wanted), { kind: "broker", message });
        assert.ok(connection.closed);
      });
    },
  );
}

Deno.test("a response that is too long or too short names its API and broker", local, async () => {
  const bodies = [new Uint8Array([...frame("metadata"), 0]), frame("metadata").subarray(0, 50)];
  await connected(async (peer) => {
    for (const body of bodies) await peer.answer(await peer.request() as Request, body);
    await peer.answer(await peer.request() as Request, frame("metadata"));
  }, async (connection) => {
    const failed = `${connection.name} sent a response to Metadata that cannot be read`;
    await assert.rejects(connection.call(metadata, wanted), {
      kind: "broker",
      message: `${failed}: 1 bytes left at the end of a message`,
    });
    await assert.rejects(connection.call(metadata, wanted), { kind: "broker" });
    // The stream itself is in order: the next response is read.
    assert.equal((await connection.call(metadata, wanted)).controllerId, 1);
  });
});

Deno.test("a broker that stops answering fails all requests at the deadline", local, async () => {
  await connected(untilClosed, async (connection) => {
    const started = performance.now();
    const calls = [connection.call(metadata, wanted), connection.call(metadata, wanted)];
    for (const result of await Promise.allSettled(calls)) {
      assert.ok(result.status === "rejected");
      assert.equal(result.reason.name, "ConnectionError");
      const message = `${connection.name} did not answer Metadata within 0.15 s`;
      assert.equal(result.reason.message, message);
    }
    const took = performance.now() - started;
    assert.ok(took > 140 && took < 2000, `${took} ms`);
  }, 150);
});

Deno.test("close() fails what is under way", local, async () => {
  await connected(untilClosed, async (connection) => {
    const call = connection.call(metadata, wanted);
    connection.close();
    await assert.rejects(call, {
      name: "ConnectionError",
      message: `the connection to ${connection.name} was closed`,
    });
  });
});

Deno.test(
  "open: a port that accepts and never answers is given up at the deadline",
  local,
  async () => {
    const started = performance.now();
    const error = await opening(untilClosed, 150) as Error;
    assert.equal(error.name, "ConnectionError");
    assert.equal(error.message, "BROKER did not answer ApiVersions within 0.15 s");
    const took = performance.now() - started;
    assert.ok(took > 140 && took < 2000, `${took} ms`);
  },
);

Deno.test("open: a port without a listener", local, async () => {
  const broker = rawBroker(untilClosed);
  await broker[Symbol.asyncDispose]();
  const address = { host: "127.0.0.1", port: broker.port };
  await assert.rejects(Connection.open(address, clientConfig(), apis), {
    name: "ConnectionError",
    message: `cannot connect to 127.0.0.1:${broker.port}: Connection refused`,
  });
});

const strangers = {
  "a web server": "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
  "an SSH server": "SSH-2.0-OpenSSH_9.6\r\n",
  "a mail server": "220 mail.example.org ESMTP\r\n",
  "an answer of zeros": "\0".repeat(64),
};
for (const [name, text] of Object.entries(strangers)) {
  Deno.test(`open: ${name} does not speak Kafka's protocol`, local, async () => {
    const error = await opening(async (peer) => {
      await peer.request();
      await peer.send(new TextEncoder().encode(text));
      await untilClosed(peer);
    }) as Error;
    assert.equal(`${error}`, "Failure: BROKER does not speak Kafka's protocol");
  });
}

Deno.test("open: a broker that is too old says so, with both versions", local, async () => {
  const versions = (...apis: number[][]) => {
    const view = new DataView(new ArrayBuffer(6 + 6 * apis.length));
    view.setInt32(2, apis.length);
    apis.flat().forEach((value, i) => view.setInt16(6 + 2 * i, value));
    return new Uint8Array(view.buffer);
  };
  // Kafka 0.11 accepts Fetch up to version 5.
  const old = versions([0, 0, 3], [1, 0, 5], [3, 0, 7], [10, 0, 1], [18, 0, 1]);
  const error = await opening((peer) => peer.greet(old)) as Error;
  const advice = "Kafka 2.1 or later is required";
  assert.equal(
    `${error}`,
    `Failure: BROKER accepts versions 0 to 5 of Fetch, this client uses version 10: ${advice}`,
  );
  const none = await opening((peer) => peer.greet(versions([18, 0, 1]))) as Error;
  assert.equal(
    `${none}`,
    `Failure: BROKER accepts no version of Metadata, this client uses version 7: ${advice}`,
  );
});
