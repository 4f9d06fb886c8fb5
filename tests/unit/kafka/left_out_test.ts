/** A broker that leaves out of its answer what was asked for: asked again, with waits in between. */
import assert from "node:assert/strict";
import { Cluster } from "../../../lib/kafka/cluster.ts";
import { commitOffsets, lookUpOffsets, storedOffsets } from "../../../lib/kafka/offsets.ts";
import { findCoordinator } from "../../../lib/protocol/messages/find_coordinator.ts";
import { LATEST, listOffsets } from "../../../lib/protocol/messages/list_offsets.ts";
import { offsetCommit } from "../../../lib/protocol/messages/offset_commit.ts";
import { offsetFetch } from "../../../lib/protocol/messages/offset_fetch.ts";
import {
  type Call,
  type ScriptedBroker,
  scriptedBroker,
} from "../../support/scripted_broker/mod.ts";
import { producer } from "../../support/cli.ts";

const local: { permissions: Deno.PermissionOptions } = { permissions: { net: ["127.0.0.1"] } };

const items = [0, 1, 2].map((partition) => ({ topic: "t", partition }));

type Ask = "listOffsets" | "offsetFetch" | "offsetCommit" | "metadata";

const asks: Record<Ask, (cluster: Cluster) => Promise<unknown>> = {
  listOffsets: (cluster) =>
    lookUpOffsets(cluster, "read_committed", items.map((i) => ({ ...i, timestamp: LATEST }))),
  offsetFetch: (cluster) => storedOffsets(cluster, "g", items),
  offsetCommit: (cluster) => commitOffsets(cluster, "g", items.map((i) => ({ ...i, offset: 5 }))),
  metadata: async (cluster) => (await cluster.topic("t")).partitions.length,
};

const results: Record<Ask, unknown> = {
  listOffsets: [1, 2, 3],
  offsetFetch: [7, 7, 7],
  offsetCommit: undefined,
  metadata: 3,
};

async function broken(api: Ask, breaks: (call: Call) => void): Promise<ScriptedBroker> {
  const kafka = await scriptedBroker({ topics: { t: 3 } });
  for (const { partition } of items) {
    kafka.log("t", partition).append(Array(partition + 1).fill("x"));
    kafka.group("g").set(`t/${partition}`, { offset: 7, leaderEpoch: -1, metadata: null });
  }
  kafka.on = { [api]: breaks };
  return kafka;
}

function open(kafka: ScriptedBroker): Cluster {
  const apis = [listOffsets, findCoordinator, offsetFetch, offsetCommit];
  return new Cluster(kafka.config({ timeout: 500 }), apis);
}

const without = {
  "a partition": ({ reply: { topics: [topic] } }: Call) => {
    const isAnother = ({ partition }: { partition: number }) => partition !== 1;
    topic.partitions = topic.partitions.filter(isAnother);
  },
  "a topic": (call: Call) => void call.reply.topics.pop(),
};

for (const api of Object.keys(asks) as Ask[]) {
  for (const [what, breaks] of Object.entries(without)) {
    Deno.test(`${api}: ${what} is always left out`, local, async () => {
      await using kafka = await broken(api, breaks);
      const cluster = open(kafka);
      try {
        if (api !== "metadata") await cluster.refresh(["t"]);
        await assert.rejects(asks[api](cluster), (error: Error & { kind: string }) => {
          assert.equal(error.kind, "broker", error.stack);
          assert.match(
            error.message,
            /topic "t".* left .* out of its answer.*\(tried for 0.5 s\)$/,
          );
          return true;
        });
        const tries = kafka.requestsOf(api).length;
        assert.ok(tries > 1 && tries < 8, `${tries} tries in 0.5 s`);
      } finally {
        cluster.close();
      }
    });
    Deno.test(`${api}: ${what} is left out once`, local, async () => {
      await using kafka = await broken(api, (call) => call.nth === 0 ? breaks(call) : undefined);
      const cluster = open(kafka);
      try {
        if (api !== "metadata") await cluster.refresh(["t"]);
        assert.deepEqual(await asks[api](cluster), results[api]);
      } finally {
        cluster.close();
      }
    });
  }
}

Deno.test("findCoordinator: an answer without an address is not an answer", local, async () => {
  await using kafka = await broken("offsetFetch", () => {});
  const nowhere = { nodeId: -1, host: "", port: -1 };
  kafka.on = { findCoordinator: (call) => void Object.assign(call.reply, nowhere) };
  const cluster = open(kafka);
  try {
    await assert.rejects(asks.offsetFetch(cluster), {
      kind: "broker",
      message: /^cannot find the coordinator of group "g": .* left .* \(tried for 0.5 s\)$/,
    });
    assert.ok(kafka.requestsOf("findCoordinator").length < 8);
  } finally {
    cluster.close();
  }
});

Deno.test("produce: rows are not delivered by an answer that leaves their partition out", async () => {
  for (const breaks of Object.values(without)) {
    await using kafka = await scriptedBroker({ topics: { t: 1 } });
    kafka.on = {
      produce(call) {
        if (call.nth > 0) return;
        call.fail(3);
        if (breaks === without["a topic"]) call.reply.topics = [];
        else call.reply.topics[0].partitions = [];
      },
    };
    const { code, stderr } = await producer(["-b", kafka.bootstrap, "-t", "t"], {
      stdin: "a\nb\n",
    });
    assert.equal(code, 0, stderr);
    assert.equal(kafka.log("t").end, 2);
  }
});

Deno.test("an answer that cannot be read is not a bug: exit 69, and the broker is named", async () => {
  await using kafka = await scriptedBroker({ topics: { t: 1 } });
  const lies: [string, (call: Call) => void][] = [
    ["sent a response of 2147483647 bytes to Produce", (call) => void (call.size = 0x7fffffff)],
    ["sent a response to a request that was not", (call) => void (call.correlation += 5)],
    ["sent a response to Produce that cannot be read", (call) => void (call.size = 12)],
  ];
  for (const [says, lie] of lies) {
    kafka.on = { produce: lie };
    const { code, stderr } = await producer(["-b", kafka.bootstrap, "-t", "t"], { stdin: "a\n" });
    assert.equal(code, 69, stderr);
    assert.match(stderr, new RegExp(`^kafka_producer: 127.0.0.1:\\d+ ${says}`, "m"));
  }
});
