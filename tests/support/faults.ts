/** What happens to three brokers, and to the partitions that they have. */
import assert from "node:assert/strict";
import type { Broker, BrokerNode } from "../../scripts/servers/broker.ts";
import { text } from "./cli.ts";
import { sleep, until } from "./group.ts";
import { isInstalled } from "./installed.ts";
import { withAdmin } from "./kafka.ts";
import { leadersOf, type RackCluster } from "./racks.ts";

/** Longer than broker.session.timeout.ms of these brokers: others are elected. */
const SESSION = 4000;

/** For the broker's disk that is full: it limits the files of a process. */
const hasPrlimit = await isInstalled("prlimit", ["--version"]);

export interface Fault {
  name: string;
  /** False where it cannot happen. Everywhere unless given. */
  isPossible?(cluster: RackCluster): boolean;
  /** Returns when it is over. */
  happen(cluster: RackCluster, topic: string): Promise<void>;
}

/** Runs a step for each of the faults, one after the other; those that cannot happen are ignored. */
export async function faultSteps(
  t: Deno.TestContext,
  cluster: RackCluster,
  topic: string,
  faults: readonly Fault[],
  after: () => Promise<void>,
): Promise<void> {
  for (const { name, isPossible, happen } of faults) {
    await t.step({
      name,
      ignore: isPossible?.(cluster) === false,
      async fn() {
        await happen(cluster, topic);
        await after();
      },
    });
  }
}

/** The node that leads the most partitions of a topic. */
async function leaderNode({ broker }: RackCluster, topic: string): Promise<BrokerNode> {
  const leaders = await leadersOf(broker, topic);
  const count = (id: number) => leaders.filter((leader) => leader === id).length;
  return broker.nodes.toSorted((a, b) => count(b.id) - count(a.id))[0];
}

/** Runs one of Kafka's tools. */
export async function kafkaTool(broker: Broker, name: string, args: string[]): Promise<string> {
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
  const said = await kafkaTool({ ...broker, bootstrap: known }, "MetadataQuorumCommand", [
    ...["describe", "--status"],
  ]);
  const id = Number(/LeaderId:\s+(\d+)/.exec(said)![1]);
  return broker.nodes.find((node) => node.id === id)!;
}

/** Kills a node for long enough that others are elected. */
async function killFor(node: BrokerNode): Promise<void> {
  await node.kill();
  await sleep(SESSION);
  await node.start();
}

export const leaderKilled: Fault = {
  name: "kill -9 of a leader, and its way back",
  happen: async (cluster, topic) => await killFor(await leaderNode(cluster, topic)),
};

export const controllerKilled: Fault = {
  name: "kill -9 of the active controller, and its way back",
  happen: async (cluster) => await killFor(await controllerNode(cluster)),
};

export const leaderHangs: Fault = {
  name: "a leader hangs (SIGSTOP), others are elected, and it goes on",
  async happen(cluster, topic) {
    const node = await leaderNode(cluster, topic);
    await node.pause();
    await sleep(2 * SESSION);
    await node.resume();
  },
};

export const leaderHangsAndDies: Fault = {
  name: "a leader hangs and is then killed",
  async happen(cluster, topic) {
    const node = await leaderNode(cluster, topic);
    await node.pause();
    await sleep(SESSION);
    await node.kill();
    await node.start();
  },
};

export const diskFull: Fault = {
  name: "a broker's disk takes no more",
  isPossible: ({ broker }) => hasPrlimit && broker.way === "Java",
  async happen(cluster, topic) {
    const node = await leaderNode(cluster, topic);
    // As on a full disk, no file of it can grow: the broker gives its only folder up, and ends.
    const args = ["--pid", `${node.pid}`, "--fsize=4096"];
    assert.ok((await new Deno.Command("prlimit", { args }).output()).success);
    await until("the broker ends", 60_000, () => node.pid === undefined);
    await sleep(SESSION);
    await node.start();
  },
};

export const rollingRestart: Fault = {
  name: "a rolling restart",
  async happen({ broker }) {
    for (const node of broker.nodes) {
      await node.stop();
      await node.start();
    }
  },
};

export const preferredElection: Fault = {
  name: "the preferred leaders are elected",
  async happen({ broker }) {
    await kafkaTool(broker, "LeaderElectionCommand", [
      ...["--election-type", "preferred", "--all-topic-partitions"],
    ]);
  },
};

export const reassigned: Fault = {
  name: "the partitions get other replicas, and again others, that have to copy them",
  async happen(...[cluster, topic]) {
    await reassign(cluster, topic);
    await reassign(cluster, topic);
  },
};

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

/** A topic of one partition on the nodes 2 and 3: with one of them down the controllers still vote. */
export async function uncleanTopic({ broker }: RackCluster, topic: string): Promise<void> {
  await kafkaTool(broker, "TopicCommand", [
    ...["--create", "--topic", topic, "--replica-assignment", "2:3"],
    ...["--config", "unclean.leader.election.enable=true"],
  ]);
}

/**
 * The last records of such a topic are lost: `during` writes them while its follower is down, which
 * then leads without them, and gets what `after` writes; that may have to be tried again.
 */
export async function uncleanElection(
  { broker }: RackCluster,
  during: () => Promise<void>,
  after: () => Promise<void>,
): Promise<void> {
  const [, leader, follower] = broker.nodes;
  await follower.stop();
  await during();
  await leader.kill();
  await follower.start();
  for (const end = Date.now() + 60_000;;) {
    try {
      return await after();
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(500);
    }
  }
}
