/** Reading waits for what is worth waiting for: brokers, and not for ever; and never in a hot loop. */
import assert from "node:assert/strict";
import { Commits } from "../../../lib/consume/commits.ts";
import { Span } from "../../../lib/consume/span.ts";
import { Cluster } from "../../../lib/kafka/cluster.ts";
import { findCoordinator } from "../../../lib/protocol/messages/find_coordinator.ts";
import { offsetCommit } from "../../../lib/protocol/messages/offset_commit.ts";
import { defaults } from "../../support/consume_options.ts";
import { consumeRun, rows, stored } from "../../support/consume_run.ts";
import { type Call, scriptedBroker } from "../../support/scripted_broker/mod.ts";

const permissions = { net: ["127.0.0.1"], read: true };

/** Takes the records out of an answer: of all partitions, or of one. */
function withoutRecords({ reply }: Call, partition?: number): void {
  for (const fetched of reply.topics[0].partitions) {
    if (partition === undefined || fetched.partition === partition) {
      fetched.records = new Uint8Array();
    }
  }
}

for (const isolation of ["read_committed", "read_uncommitted"] as const) {
  Deno.test(`records removed right before the end (${isolation}): the range is read`, {
    permissions,
  }, async () => {
    await using kafka = await scriptedBroker({ topics: { t: 2 } });
    const log = kafka.log("t").append(rows(0, 5));
    // Compaction has removed 5 to 9; a transaction is open from 10 on.
    log.end = log.highWatermark = isolation === "read_committed" ? 20 : 10;
    log.lastStable = 10;
    kafka.log("t", 1).append(rows(5, 8));
    const { rows: read, failure } = await consumeRun(kafka, { isolation }, { timeout: 5000 });
    assert.equal(failure, null);
    assert.deepEqual(read.sort(), rows(0, 8));
    assert.deepEqual(stored(kafka), { "t/0": 10, "t/1": 3 });
  });
}

Deno.test("an end that the answers do not reach is not a gap: the run fails with 75's kind", {
  permissions,
}, async () => {
  await using kafka = await scriptedBroker({
    topics: { t: 1 },
    on: {
      fetch(call) {
        // As a new leader that does not know yet how far its records are replicated.
        withoutRecords(call);
        call.reply.topics[0].partitions[0].lastStableOffset = 2;
      },
    },
  });
  kafka.log("t").append(rows(0, 5));
  const { failure } = await consumeRun(kafka);
  assert.equal(failure?.kind, "incomplete");
  assert.match(failure.message, /read up to offset 0 of 5: its leader sends no more records/);
  assert.deepEqual(stored(kafka), {});
});

Deno.test("a partition left out of full answers is not a gap either", { permissions }, async () => {
  await using kafka = await scriptedBroker({
    topics: { t: 2 },
    on: {
      fetch(call) {
        // The answers are full with what partition 0 has: a batch each.
        const { partitions } = call.reply.topics[0];
        const of0 = partitions.find(({ partition }: { partition: number }) => partition === 0);
        if (!of0) return;
        withoutRecords(call, 1);
        of0.records = of0.records.subarray(0, kafka.log("t").batches[0].bytes.length);
      },
    },
  });
  for (const row of rows(0, 8)) kafka.log("t").append([row]);
  kafka.log("t", 1).append(rows(8, 10));
  const { rows: read, failure } = await consumeRun(kafka);
  assert.equal(failure, null);
  assert.deepEqual(read, rows(0, 10));
});

Deno.test(
  "time in which stdout is blocked is not counted against the broker",
  { permissions },
  async () => {
    await using kafka = await scriptedBroker({
      topics: { t: 1 },
      on: {
        fetch(call) {
          if (call.nth === 0) {
            const { partitions } = call.reply.topics[0];
            partitions[0].records = kafka.log("t").batches[0].bytes;
          } else if (call.nth === 1) withoutRecords(call);
          else if (call.nth === 2) call.fail(6);
        },
      },
    });
    for (const row of rows(0, 6)) kafka.log("t").append([row]);
    let isFirst = true;
    const beforeRows = async () => {
      if (isFirst) await new Promise((resolve) => setTimeout(resolve, 2500));
      isFirst = false;
    };
    const { rows: read, failure } = await consumeRun(kafka, {}, { timeout: 1000, beforeRows });
    assert.equal(failure, null);
    assert.deepEqual(read, rows(0, 6));
  },
);

Deno.test(
  "a broker that answers at once, with nothing, is not asked without end",
  { permissions },
  async () => {
    await using kafka = await scriptedBroker({
      topics: { t: 1 },
      on: { fetch: (call) => withoutRecords(call) },
    });
    kafka.log("t").append(rows(0, 3));
    await consumeRun(kafka, { until: { idle: 2000 } }, { timeout: 2000 });
    assert.ok(kafka.requestsOf("fetch").length < 10, `${kafka.requestsOf("fetch").length} in 2 s`);
  },
);

Deno.test("an older offset is never committed after a newer one", { permissions }, async () => {
  await using kafka = await scriptedBroker({
    topics: { t: 1 },
    on: {
      offsetCommit(call) {
        if (call.nth === 0) call.fail(16); // It is tried again, a little later.
      },
    },
  });
  const cluster = new Cluster(kafka.config(), [findCoordinator, offsetCommit]);
  try {
    await cluster.refresh(["t"]);
    const span = new Span({ topic: "t", partition: 0 }, 0, 100);
    const commits = new Commits(cluster, { ...defaults, group: "g", commit: true }, [span]);
    span.written = 5;
    const first = commits.commit();
    await new Promise((resolve) => setTimeout(resolve, 20));
    span.written = 9;
    await Promise.all([first, commits.commit()]);
    assert.deepEqual(stored(kafka), { "t/0": 9 });
  } finally {
    cluster.close();
  }
});

Deno.test("time in which a broker throttles does not count as idle", { permissions }, async () => {
  await using kafka = await scriptedBroker({
    topics: { t: 1 },
    on: {
      fetch(call) {
        // Over its quota a broker answers with nothing, at once, and says for how long it is silent.
        if (call.nth > 1) return;
        withoutRecords(call);
        call.throttle(700);
      },
    },
  });
  kafka.log("t").append(rows(0, 5));
  const { rows: read, failure } = await consumeRun(kafka, { until: { idle: 400 } });
  assert.equal(failure, null);
  assert.deepEqual(read, rows(0, 5));
});

Deno.test(
  "a partition that is away for longer than the timeout is reported, once; others are read",
  {
    permissions,
  },
  async () => {
    await using kafka = await scriptedBroker({ brokers: 2, topics: { t: 2 } });
    const [here, away] = [kafka.log("t"), kafka.log("t", 1)];
    here.append(rows(0, 1));
    const { leader } = away;
    setTimeout(() => away.leader = -1, 300);
    setTimeout(() => here.append(rows(1, 2)), 2000);
    setTimeout(() => away.append(rows(2, 3)).leader = leader, 5000);
    const run = await consumeRun(kafka, { until: "forever", maxRecords: 3 }, { timeout: 2000 });
    assert.deepEqual(run.rows, rows(0, 3));
    const [warning, ...more] = run.warnings;
    assert.match(
      warning,
      /topic "t" partition 1: LEADER_NOT_AVAILABLE \(5\): tried for 2 s, and still/,
    );
    assert.deepEqual(more, []);
  },
);

for (const isBack of [true, false]) {
  Deno.test(
    `a run until nothing comes does not end before a broker that is ${
      isBack ? "slow" : "silent"
    } was heard`,
    { permissions },
    async () => {
      await using kafka = await scriptedBroker({
        brokers: 2,
        topics: { t: 2 },
        on: {
          async fetch(call) {
            if (call.broker === 1) return;
            if (isBack) await call.delay(kafka.requestsOf("fetch", 2).length > 1 ? 0 : 1500);
            else call.silent();
          },
        },
      });
      kafka.log("t").append(rows(0, 1));
      kafka.log("t", 1).append(rows(1, 2));
      const run = await consumeRun(kafka, { until: { idle: 500 } }, { timeout: 2500 });
      assert.deepEqual(run.rows, rows(0, isBack ? 2 : 1));
      assert.equal(run.failure?.kind, isBack ? undefined : "broker");
    },
  );
}

Deno.test(
  "connections that are lost while nothing comes are no outage",
  { permissions },
  async () => {
    await using kafka = await scriptedBroker({ brokers: 2, topics: { t: 2 } });
    const timer = setInterval(() => kafka.disconnect(2), 2500);
    const run = await consumeRun(kafka, { until: { idle: 6000 } }, { timeout: 1000 });
    clearInterval(timer);
    assert.deepEqual([run.failure, run.rows, run.warnings], [null, [], []]);
  },
);

Deno.test("a run until nothing comes goes on if something came while the leaders were asked", {
  permissions,
}, async () => {
  await using kafka = await scriptedBroker({ brokers: 3, topics: { t: 2 } });
  for (const id of [1, 2, 3]) kafka.racks.set(id, `rack-${id}`);
  kafka.log("t", 0).followers = [3];
  kafka.log("t", 0).append(rows(0, 2));
  const timers: ReturnType<typeof setTimeout>[] = [];
  kafka.on.listOffsets = async (call) => {
    // Not those of the start.
    if (kafka.requestsOf("fetch").length === 0) return;
    for (const at of timers.length > 0 ? [] : [200, 900]) {
      timers.push(setTimeout(() => kafka.log("t", 1).append([`${at}`]), at));
    }
    await call.delay(700);
  };
  const run = await consumeRun(
    kafka,
    { rack: "rack-3", until: { idle: 1000 } },
    { timeout: 4000 },
  );
  for (const timer of timers) clearTimeout(timer);
  assert.deepEqual([run.failure, run.rows], [null, [...rows(0, 2), "200", "900"]]);
});
