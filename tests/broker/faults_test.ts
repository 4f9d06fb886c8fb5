/** What happens to three brokers while rows are written and read: none is lost, none comes twice. */
import assert from "node:assert/strict";
import { consumer, text } from "../support/cli.ts";
import {
  controllerKilled,
  diskFull,
  faultSteps,
  leaderHangs,
  leaderHangsAndDies,
  leaderKilled,
  preferredElection,
  reassigned,
  rollingRestart,
  uncleanElection,
  uncleanTopic,
} from "../support/faults.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import { rackCluster } from "../support/racks.ts";
import { Traffic } from "../support/traffic.ts";

/** In the order in which they happen. */
const faults = [
  ...[leaderKilled, controllerKilled, leaderHangs, leaderHangsAndDies, diskFull],
  ...[rollingRestart, preferredElection, reassigned],
];

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
  await faultSteps(t, cluster, topic, faults, () => traffic.goesOn());
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
  await using cluster = await rackCluster({ properties: { "min.insync.replicas": "1" } });
  const { broker, bootstrap } = cluster;
  const topic = uniqueName("unclean");
  await uncleanTopic(cluster, topic);
  const write = (...values: string[]) => produce(broker, topic, values.map((value) => ({ value })));
  await write("a");
  const read = (...more: string[]) =>
    consumer(["-b", bootstrap, "-t", topic, "--timeout", "60s", "-g", topic, ...more]);
  assert.equal(text((await read()).stdout), "a\n");
  await uncleanElection(cluster, async () => {
    await write("b", "c");
    assert.equal(text((await read()).stdout), "b\nc\n");
  }, () => write("x", "y", "z"));
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
