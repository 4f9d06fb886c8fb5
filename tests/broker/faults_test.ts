/** What happens to three brokers while rows are written and read: none is lost, none comes twice. */
import assert from "node:assert/strict";
import type { Broker, BrokerNode } from "../../scripts/servers/broker.ts";
import { consumer, text } from "../support/cli.ts";
import { sleep, until } from "../support/group.ts";
import { isInstalled } from "../support/installed.ts";
import { createTopic, produce, uniqueName, withAdmin } from "../support/kafka.ts";
import { leadersOf, type RackCluster, rackCluster } from "../support/racks.ts";
import { Traffic } from "../support/traffic.ts";

/** Longer than broker.session.timeout.ms of these brokers: others are elected. */
const SESSION = 4000;

/** The node that leads the most partitions of a topic. */
async function leaderNode({ broker }: RackCluster, topic: string): Promise<BrokerNode> {
  const leaders = await leadersOf(broker, topic);
  const count = (id: number) => leaders.filter((leader) => leader === id).length;
  return broker.nodes.toSorted((a, b) => count(b.id) - count(a.id))[0];
}

async function tool(broker: Broker, name: string, args: string[]): Promise<string> {
  const all = ["--bootstrap-server", broker.bootstrap, ...args];
  const run = await broker.run(`org.apache.kafka.tools.${name}`, all);
  assert.equal(run.code, 0, run.stderr);
  return text(run.stdout);
}

/** The node whose controller is the active one. */
async function controllerNode({ broker }: RackCluster): Promise<BrokerNode> {
  const known = broker.nodes.filter(({ pid }) => pid !== undefined).map(({ port }) =>
    `127.0.0.1:${port}`
  ).join(",");
  const said = await tool({ ...broker, bootstrap: known }, "MetadataQuorumCommand", [
    ...["describe", "--status"],
  ]);
  const id = Number(/LeaderId:\s+(\d+)/.exec(said)![1]);
  return broker.nodes.find((node) => node.id === id)!;
}

const faults: [what: string, fault: (cluster: RackCluster, topic: string) => Promise<void>][] = [
  ["kill -9 of a leader, and its way back", async (cluster, topic) => {
    const node = await leaderNode(cluster, topic);
    await node.kill();
    await sleep(SESSION);
    await node.start();
  }],
  ["kill -9 of the active controller, and its way back", async (cluster) => {
    const node = await controllerNode(cluster);
    await node.kill();
    await sleep(SESSION);
    await node.start();
  }],
  ["a leader hangs (SIGSTOP), others are elected, and it goes on", async (cluster, topic) => {
    const node = await leaderNode(cluster, topic);
    await node.pause();
    await sleep(2 * SESSION);
    await node.resume();
  }],
  ["a leader hangs and is then killed", async (cluster, topic) => {
    const node = await leaderNode(cluster, topic);
    await node.pause();
    await sleep(SESSION);
    await node.kill();
    await node.start();
  }],
  ["a broker's disk takes no more", async (cluster, topic) => {
    const { broker } = cluster;
    if (broker.way !== "Java" || !await isInstalled("prlimit", ["--version"])) return;
    const node = await leaderNode(cluster, topic);
    // As on a full disk, no file of it can grow: the broker gives its only folder up, and ends.
    const args = ["--pid", `${node.pid}`, "--fsize=4096"];
    assert.ok((await new Deno.Command("prlimit", { args }).output()).success);
    await until("the broker ends", 60_000, () => node.pid === undefined);
    await sleep(SESSION);
    await node.start();
  }],
  ["a rolling restart", async (cluster) => {
    for (const node of cluster.broker.nodes) {
      await node.stop();
      await node.start();
    }
  }],
  ["the preferred leaders are elected", async ({ broker }) => {
    await tool(broker, "LeaderElectionCommand", [
      ...["--election-type", "preferred", "--all-topic-partitions"],
    ]);
  }],
  [
    "the partitions get other replicas, and again others, that have to copy them",
    async (...[cluster, topic]) => {
      await reassign(cluster, topic);
      await reassign(cluster, topic);
    },
  ],
];

/** Leaves each partition with one replica: that on the next broker. Waits until it leads. */
async function reassign(cluster: RackCluster, topic: string): Promise<void> {
  const before = await leadersOf(cluster.broker, topic);
  await withAdmin(cluster.broker, (admin) =>
    admin.alterPartitionReassignments({
      topics: [{
        topic,
        partitionAssignment: before.map((leader, partition) => ({
          ...{ partition, replicas: [leader % 3 + 1] },
        })),
      }],
    }));
  for (const end = Date.now() + 60_000;;) {
    const after = await leadersOf(cluster.broker, topic);
    if (after.every((leader, p) => leader === before[p] % 3 + 1)) return;
    assert.ok(Date.now() < end, `${after} after ${before}`);
    await sleep(200);
  }
}

Deno.test("faults: three brokers, written to and read from through all of them", async (t) => {
  await using cluster = await rackCluster({ properties: { "min.insync.replicas": "1" } });
  const { broker, bootstrap } = cluster;
  const topic = uniqueName("faults");
  await createTopic(broker, topic, { partitions: 6, replication: 3 });
  await using traffic = new Traffic(bootstrap, topic, [
    ["-g", uniqueName("leaders")],
    ["-g", uniqueName("rack"), "-X", "client.rack=rack-2"],
    ["-g", uniqueName("members"), "--assign", "group"],
  ]);
  await traffic.goesOn();
  for (const [what, fault] of faults) {
    await t.step(what, async () => {
      await fault(cluster, topic);
      await traffic.goesOn();
    });
  }
  await t.step("each row came once, and is stored once", async () => {
    const count = await traffic.end();
    const run = await consumer(["-b", bootstrap, "-t", topic, "-o", "earliest"]);
    assert.equal(run.code, 0, run.stderr);
    const numbers = text(run.stdout).split("\n").slice(0, -1).map(Number).sort((a, b) => a - b);
    assert.equal(numbers.length, count);
    assert.ok(numbers.every((number, i) => number === i));
  });
});

Deno.test("faults: an unclean election under a reader ends it with 65; --on-lost goes on", async () => {
  await using cluster = await rackCluster({
    properties: { "unclean.leader.election.enable": "true", "min.insync.replicas": "1" },
  });
  const { broker, bootstrap } = cluster;
  const topic = uniqueName("unclean");
  // On two nodes, so that with one of them down the controllers of the others still vote.
  const where = ["--create", "--topic", topic, "--replica-assignment", "2:3"];
  await tool(broker, "TopicCommand", where);
  const [, leader, follower] = broker.nodes;
  const write = (...values: string[]) => produce(broker, topic, values.map((value) => ({ value })));
  await write("a");
  const read = (...more: string[]) =>
    consumer(["-b", bootstrap, "-t", topic, "--timeout", "60s", "-g", topic, ...more]);
  assert.equal(text((await read()).stdout), "a\n");
  await follower.stop();
  await write("b", "c");
  assert.equal(text((await read()).stdout), "b\nc\n");
  await leader.kill();
  await follower.start();
  for (const end = Date.now() + 60_000;;) {
    try {
      await write("x", "y", "z");
      break;
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(500);
    }
  }
  const lost = await read();
  assert.equal(lost.code, 65, lost.stderr);
  assert.match(
    lost.stderr,
    /offset 3 of topic ".*" partition 0 belongs to records that were replaced/,
  );
  const goesOn = await read("--on-lost", "earliest");
  assert.equal(goesOn.code, 0, goesOn.stderr);
  assert.equal(text(goesOn.stdout), "x\ny\nz\n");
});
