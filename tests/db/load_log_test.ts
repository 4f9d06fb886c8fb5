/** Which log a load reads: real brokers, whose topics are recreated, replaced and truncated. */
import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import {
  createTopic,
  deleteRecords,
  deleteTopic,
  produce,
  topicOffsets,
  uniqueName,
} from "../support/kafka.ts";
import { gpdbKafka, text } from "../support/cli.ts";
import { until } from "../support/group.ts";
import { dialect, load, ownServer } from "../support/load.ts";
import { clientSession } from "../support/load_client.ts";
import { startWorld, things } from "../support/load_world.ts";

const ignore = !ownServer;

Deno.test({
  name: "load: a topic recreated with more, as many or fewer records is another one",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, sql, topic } = world;
    await world.add({ onLost: "earliest" });
    await produce(broker, topic, things("a", "b", "c"));
    assert.equal((await load(world, "things")).rows, 3);
    for (const names of [["v", "w", "x", "y", "z"], ["p", "q", "r", "s", "t"], ["k"]]) {
      await deleteTopic(broker, topic);
      await createTopic(broker, topic);
      await produce(broker, topic, things(...names));
      await assert.rejects(
        load(world, "things"),
        new RegExp(`topic "${topic}" was deleted and created again: its id is \\S{22}, but source`),
      );
      const [lag] = await sql`SELECT error FROM kafka.lag`;
      assert.match(lag.error, /was deleted and created again/);
      await sql`TRUNCATE things`;
      await sql`SELECT kafka.seek('things', 'earliest')`;
      assert.equal((await load(world, "things")).rows, names.length);
      assert.equal(await world.names(), names.join(" "));
    }
  },
});

Deno.test({
  name: "client: a topic recreated between the plan of a load and its rows is not read",
  ignore: ignore || dialect === "greenplum",
  async fn() {
    await using world = await startWorld();
    const { broker, topic, sql } = world;
    await using client = clientSession(world.dsn);
    await world.add({ via: "client" });
    await produce(broker, topic, things("a", "b", "c"));
    await client.load("things");
    await produce(broker, topic, things("d", "e", "f"));
    let loading: Promise<unknown> = Promise.resolve();
    await sql.begin(async (tx) => {
      await tx`LOCK TABLE things IN ACCESS EXCLUSIVE MODE`;
      loading = client.load("things").catch((error) => error);
      await until("the load waits for the table", 30_000, async () => {
        return (await sql`SELECT 1 FROM pg_locks WHERE NOT granted`).length > 0;
      });
      await deleteTopic(broker, topic);
      await createTopic(broker, topic);
      // Some of them have the offsets that were planned.
      await produce(broker, topic, things("t", "u", "v", "w", "x", "y", "z"));
    });
    assert.match(
      `${await loading}`,
      /its log is not the one that was planned \(the topic was recreated: /,
    );
    await assert.rejects(client.load("things"), /was deleted and created again/);
    assert.equal(await world.names(), "a b c");
  },
});

Deno.test({
  name: "lag: SQL and gpdb-kafka lag say the same, also if records were deleted unread",
  ignore,
  async fn() {
    await using world = await startWorld(3);
    const { broker, sql, topic } = world;
    await world.add();
    for (let p = 0; p < 2; p++) await produce(broker, topic, things("a", "b", "c", "d"), p);
    await load(world, "things", 1);
    await produce(broker, topic, things("z"), 2);
    await deleteRecords(broker, topic, { 0: 3, 1: 4 });
    const found = await sql`SELECT partition_no, lag::int FROM kafka.lag`;
    const run = await gpdbKafka([
      ...["lag", "--source", "things", "--dsn", world.dsn, "-b", broker.bootstrap, "--json"],
    ]);
    assert.equal(run.code, 0, run.stderr);
    const report = JSON.parse(text(run.stdout));
    assert.deepEqual(found.map(({ lag }) => lag), [1, 0, 1]);
    assert.equal(report.total.databaseLag, 2, text(run.stdout));
  },
});

Deno.test({
  name: "load: the topic of another cluster is another one",
  ignore,
  async fn() {
    await using world = await startWorld();
    await using other = await startBroker({ own: true });
    const { broker, sql, topic } = world;
    await world.add();
    await produce(broker, topic, things("a"));
    assert.equal((await load(world, "things")).rows, 1);
    await createTopic(other, topic);
    await produce(other, topic, things("x", "y"));
    await world.add({ brokers: other.bootstrap });
    await assert.rejects(
      load(world, "things"),
      new RegExp(
        `topic "${topic}" now belongs to cluster \\S+, but source "things" has loaded it from`,
      ),
    );
    await sql`SELECT kafka.seek('things', '0:1')`;
    assert.equal((await load(world, "things")).rows, 1);
    assert.equal(await world.names(), "a y");
  },
});

Deno.test({
  name: "load: a log cut by an unclean leader election is rejected, whatever was written since",
  ignore,
  async fn() {
    await using world = await startWorld();
    await using cluster = await startBroker({
      own: true,
      nodes: 3,
      heap: "256m",
      properties: { "unclean.leader.election.enable": "true", "min.insync.replicas": "1" },
    });
    const { sql } = world;
    const topic = uniqueName("unclean");
    // On two nodes, so that with one of them down the controllers of the others still vote.
    await cluster.run("org.apache.kafka.tools.TopicCommand", [
      ...["--bootstrap-server", cluster.bootstrap, "--create", "--topic", topic],
      ...["--replica-assignment", "2:3"],
    ]);
    const [, leader, follower] = cluster.nodes;
    await world.add({ topic, brokers: cluster.bootstrap });
    await produce(cluster, topic, things("a"));
    await follower.stop();
    await produce(cluster, topic, things("b", "c"));
    assert.equal((await load(world, "things")).rows, 3);
    await leader.kill();
    await follower.start();
    for (let tries = 0;; tries++) {
      try {
        await produce(cluster, topic, things("x", "y", "z"));
        break;
      } catch (error) {
        if (tries === 30) throw error;
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
    // Past where the source stands: by the offset alone nothing is wrong.
    assert.equal((await topicOffsets(cluster, topic))[0].high, 4n);
    await assert.rejects(
      load(world, "things"),
      new RegExp(`topic "${topic}" partition 0 was truncated: .* ends at offset 1, .* stands at 3`),
    );
    await sql`SELECT kafka.seek('things', '0:1')`;
    assert.equal((await load(world, "things")).rows, 3);
  },
});
