/** client.rack with three real brokers in three racks (KIP-392): who is read from is counted. */
import assert from "node:assert/strict";
import { generateRows } from "../../scripts/generate_rows.ts";
import { consumer, runProgram, start, text } from "../support/cli.ts";
import { createTopic, groupOffsets, kafkajs, uniqueName } from "../support/kafka.ts";
import { leadersOf, type RackCluster, rackCluster } from "../support/racks.ts";
import { RowSum } from "../support/rows.ts";

const ROWS = 300_000;

/** A topic whose partitions all brokers lead in turn, and its rows. */
async function filled({ broker }: RackCluster): Promise<{ topic: string; written: RowSum }> {
  const topic = uniqueName("racks");
  await createTopic(broker, topic, { partitions: 6, replication: 3 });
  const child = start("producer", ["-b", broker.bootstrap, "-t", topic, "-q", "--acks", "all"]);
  const written = new RowSum();
  const writer = child.stdin.getWriter();
  for (const chunk of generateRows({ rows: ROWS })) {
    written.add(chunk);
    await writer.write(chunk);
  }
  await writer.close();
  const { code, stderr } = await child.output();
  assert.equal(code, 0, text(stderr));
  assert.deepEqual([...new Set(await leadersOf(broker, topic))].sort(), [1, 2, 3]);
  return { topic, written };
}

/** What each broker sent during `work`, bytes. */
async function sentDuring(cluster: RackCluster, work: () => Promise<void>): Promise<number[]> {
  const before = cluster.sent();
  await work();
  return cluster.sent().map((sent, i) => sent - before[i]);
}

/** Reads a topic from its start, and compares its rows with those written; returns stderr. */
async function readAll(
  cluster: RackCluster,
  topic: string,
  written: RowSum,
  args: string[],
): Promise<string> {
  const group = uniqueName("all");
  const run = await consumer(["-b", cluster.bootstrap, "-t", topic, "-g", group, ...args]);
  assert.equal(run.code, 0, run.stderr);
  const sum = new RowSum();
  sum.add(run.stdout);
  assert.equal(sum.toString(), written.toString());
  await assertCommitted(cluster, group, topic);
  return run.stderr;
}

/** Reads the same, and does `disturb` when a fifth came; returns stderr. */
async function readDisturbed(
  cluster: RackCluster,
  topic: string,
  written: RowSum,
  args: string[],
  disturb: () => Promise<void>,
): Promise<string> {
  const group = uniqueName("disturbed");
  const child = start("consumer", [
    ...["-b", cluster.bootstrap, "-t", topic, "-g", group, "-v", ...args],
  ]);
  child.stdin.close();
  const said = new Response(child.stderr).text();
  const sum = new RowSum();
  let isDisturbed = false;
  for await (const chunk of child.stdout) {
    sum.add(chunk);
    if (isDisturbed || sum.bytes < 0.2 * written.bytes) continue;
    isDisturbed = true;
    await disturb();
  }
  assert.equal((await child.status).code, 0, await said);
  assert.ok(isDisturbed, "all rows came before anything happened");
  assert.equal(sum.toString(), written.toString());
  await assertCommitted(cluster, group, topic);
  return await said;
}

async function assertCommitted({ broker }: RackCluster, group: string, topic: string) {
  const stored = [...(await groupOffsets(broker, group, topic)).values()];
  assert.equal(stored.reduce((a, b) => a + b, 0n), BigInt(ROWS));
}

Deno.test("racks: rows come from the replica in the client's rack, and exactly the same ones", async (t) => {
  await using cluster = await rackCluster();
  const { topic, written } = await filled(cluster);

  await t.step("without client.rack each leader sends its partitions", async () => {
    const sent = await sentDuring(cluster, async () => {
      await readAll(cluster, topic, written, []);
    });
    assert.ok(sent.every((bytes) => bytes > 0.1 * written.bytes), `${sent} of ${written.bytes}`);
  });

  for (const id of [1, 3]) {
    await t.step(`in rack-${id} broker ${id} sends them all`, async () => {
      const sent = await sentDuring(cluster, async () => {
        await readAll(cluster, topic, written, ["-X", `client.rack=rack-${id}`]);
      });
      const [own] = sent.splice(id - 1, 1);
      assert.ok(own > written.bytes, `${own} of ${written.bytes}`);
      assert.ok(sent.every((bytes) => bytes < 20_000), `${sent}`);
    });
  }

  await t.step(
    "a file of properties says it, too; -v names the broker of each partition",
    async () => {
      const file = await Deno.makeTempFile({ suffix: ".conf" });
      try {
        await Deno.writeTextFile(file, "client.rack=rack-2\n");
        const said = await readAll(cluster, topic, written, ["-F", file, "-v"]);
        const found = [
          ...said.matchAll(/partition (\d) is read from broker 2, as its leader (\d)/g),
        ];
        assert.equal(found.length, 4, said);
        assert.ok(found.every(([, , leader]) => leader !== "2"));
      } finally {
        await Deno.remove(file);
      }
    },
  );

  await t.step("in a rack that no broker is in the leaders send them", async () => {
    const sent = await sentDuring(cluster, async () => {
      await readAll(cluster, topic, written, ["-X", "client.rack=rack-9"]);
    });
    assert.ok(sent.every((bytes) => bytes > 0.1 * written.bytes), `${sent} of ${written.bytes}`);
  });

  await t.step("a member of a group reads from it, too", async () => {
    const sent = await sentDuring(cluster, async () => {
      await readAll(
        ...[cluster, topic, written] as const,
        ["--assign", "group", "-X", "client.rack=rack-2"],
      );
    });
    const [own] = sent.splice(1, 1);
    assert.ok(own > written.bytes, `${own} of ${written.bytes}`);
    assert.ok(sent.every((bytes) => bytes < 0.1 * written.bytes), `${sent}`);
  });

  await t.step("of aborted transactions no follower sends a row", async () => {
    const topic = uniqueName("transactions");
    await createTopic(cluster.broker, topic, { replication: 3 });
    const producer = kafkajs(cluster.broker).producer({
      ...{ transactionalId: topic, idempotent: true, maxInFlightRequests: 1 },
    });
    await producer.connect();
    const rows = new RowSum();
    for (let n = 0; n < 20; n++) {
      const transaction = await producer.transaction();
      const values = [`${n},a`, `${n},b`];
      await transaction.send({ topic, messages: values.map((value) => ({ value })) });
      if (n % 3 === 1) await transaction.abort();
      else {
        await transaction.commit();
        rows.add(new TextEncoder().encode(values.join("\n") + "\n"));
      }
    }
    await producer.disconnect();
    for (const id of [1, 2, 3]) {
      const run = await consumer([
        ...["-b", cluster.bootstrap, "-t", topic, "-o", "earliest"],
        ...["-X", `client.rack=rack-${id}`],
      ]);
      assert.equal(run.code, 0, run.stderr);
      const sum = new RowSum();
      sum.add(run.stdout);
      assert.equal(sum.toString(), rows.toString());
    }
  });

  await t.step("the follower that is read from hangs (SIGSTOP): the same rows, once", async () => {
    const node = cluster.broker.nodes[2];
    const args = ["-X", "client.rack=rack-3", "--timeout", "12s"];
    const said = await readDisturbed(cluster, topic, written, args, () => node.pause());
    await node.resume();
    assert.match(said, /is read from its leader for 10 s: broker 3 did not answer within 4\.5 s/);
  });

  await t.step("kill -9 of the follower that is read from: the same rows, once", async () => {
    const node = cluster.broker.nodes[1];
    const args = ["-X", "client.rack=rack-2"];
    const said = await readDisturbed(cluster, topic, written, args, () => node.kill());
    assert.match(said, /is read from its leader for 10 s: /);
  });
});

Deno.test("racks: kafka_producer ignores client.rack; an unknown property is still one", async () => {
  const args = ["-b", "127.0.0.1:1", "-t", "t", "--timeout", "1s"];
  const known = await runProgram("producer", [...args, "-X", "client.rack=a"], { stdin: "1\n" });
  assert.doesNotMatch(known.stderr, /client\.rack/);
  const unknown = await runProgram("consumer", [...args, "-X", "client.racks=a"]);
  assert.match(unknown.stderr, /unknown property "client\.racks" — did you mean "client\.rack"\?/);
  assert.equal(unknown.code, 64);
});
