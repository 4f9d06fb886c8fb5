/** A group's offsets name a record only together with the log they are of; another log is noticed. */
import assert from "node:assert/strict";
import { consumeRun, rows, stored } from "../../support/consume_run.ts";
import { type ScriptedBroker, scriptedBroker } from "../../support/scripted_broker/mod.ts";

const permissions = { net: ["127.0.0.1"], read: true };

/** A topic whose records, three or ten, a group has read. */
async function read(count: number): Promise<ScriptedBroker> {
  const kafka = await scriptedBroker({ topics: { t: 1 } });
  for (const row of rows(0, count)) kafka.log("t").append([row]);
  const run = await consumeRun(kafka);
  assert.deepEqual(run.rows, rows(0, count));
  return kafka;
}

/** Reads once for every --on-lost; each begins with what the group had stored before. */
async function readOn(kafka: ScriptedBroker) {
  const before = { ...kafka.group("g").get("t/0")! };
  const failed = await consumeRun(kafka);
  assert.deepEqual(kafka.group("g").get("t/0"), before, "a failed run commits nothing");
  const latest = await consumeRun(kafka, { onLost: "latest" });
  kafka.group("g").set("t/0", before);
  const earliest = await consumeRun(kafka, { onLost: "earliest" });
  const after = await consumeRun(kafka);
  assert.deepEqual([after.failure, after.rows, after.warnings], [null, [], []]);
  return { failed, latest, earliest };
}

const sizes = { "with less in it": 2, "of the same size": 3, "grown past": 5 };

for (const [size, count] of Object.entries(sizes)) {
  Deno.test(`a topic that was recreated, ${size}, is another log`, { permissions }, async () => {
    await using kafka = await read(3);
    const { id } = kafka.topics.get("t")!;
    kafka.create("t");
    kafka.log("t").append(rows(0, count, "new"));
    const { failed, latest, earliest } = await readOn(kafka);
    assert.equal(failed.failure?.kind, "record");
    const message = failed.failure!.message;
    assert.match(
      message,
      /^offset 3 of topic "t" partition 0 belongs to another log \(the topic was recreated/,
    );
    for (const part of [id, kafka.topics.get("t")!.id, "--on-lost earliest or latest"]) {
      assert.ok(message.includes(part), message);
    }
    assert.deepEqual(earliest.rows, rows(0, count, "new"));
    assert.equal(earliest.summary?.lost, 0);
    assert.deepEqual([latest.rows, latest.summary?.lost], [[], count]);
    assert.match(
      latest.warnings.join(),
      /recreated.* offsets were skipped; reading continues at offset/,
    );
  });
}

Deno.test("another cluster under the same names is another log", { permissions }, async () => {
  await using kafka = await read(3);
  kafka.clusterId = "elsewhere";
  kafka.log("t").append(rows(3, 5));
  const { failed } = await readOn(kafka);
  assert.match(failed.failure!.message, /of cluster scripted-cluster, .* of cluster elsewhere/);
});

const regrown = { "shorter": 0, "as long": 4, "longer": 7 };

for (const [size, count] of Object.entries(regrown)) {
  Deno.test(`a log truncated by an unclean election, then ${size}: the epochs differ`, {
    permissions,
  }, async () => {
    await using kafka = await read(10);
    const log = kafka.log("t");
    log.batches = log.batches.filter(({ first }) => first < 6);
    log.end = log.highWatermark = log.lastStable = 6;
    log.leaderEpoch = 1;
    for (const row of rows(6, 6 + count, "new")) log.append([row]);
    const { failed, latest, earliest } = await readOn(kafka);
    assert.equal(failed.failure?.kind, "record");
    assert.match(
      failed.failure!.message,
      /offset 10 of topic "t" partition 0 .* truncated at 6 .*election/,
    );
    assert.match(failed.failure!.message, /--on-lost earliest or latest/);
    assert.deepEqual(earliest.rows, rows(6, 6 + count, "new"));
    assert.deepEqual([latest.rows, latest.summary?.lost], [[], count]);
  });
}

Deno.test("a clean election does not stop a run, nor does a log that was deleted up to there", {
  permissions,
}, async () => {
  await using kafka = await read(10);
  const log = kafka.log("t");
  log.leaderEpoch = 7;
  log.append(["row 10"]);
  log.batches = log.batches.filter(({ first }) => first >= 10);
  log.logStart = 10;
  const { rows: found, failure } = await consumeRun(kafka);
  assert.deepEqual([found, failure], [["row 10"], null]);
  assert.equal(kafka.group("g").get("t/0")?.leaderEpoch, 7);
});

Deno.test("a run that reads nothing keeps the epoch; an offset without one gets the leader's", {
  permissions,
}, async () => {
  await using kafka = await read(3);
  const log = kafka.log("t");
  assert.deepEqual([stored(kafka), kafka.group("g").get("t/0")?.leaderEpoch], [{ "t/0": 3 }, 0]);
  log.leaderEpoch = 4;
  await consumeRun(kafka);
  assert.equal(kafka.group("g").get("t/0")?.leaderEpoch, 0);
  kafka.group("g").set("t/0", { offset: 3, leaderEpoch: -1, metadata: null });
  await consumeRun(kafka);
  assert.equal(kafka.group("g").get("t/0")?.leaderEpoch, 4);
});

Deno.test(
  "an epoch that is newer than the leader's, in a batch, is not believed",
  { permissions },
  async () => {
    await using kafka = await scriptedBroker({ topics: { t: 1 } });
    kafka.log("t").append(rows(0, 3), { leaderEpoch: 1_000_000 });
    assert.deepEqual((await consumeRun(kafka)).rows, rows(0, 3));
    assert.equal(kafka.group("g").get("t/0")?.leaderEpoch, -1);
    kafka.log("t").append(rows(3, 5), { leaderEpoch: 2_000_000 });
    kafka.log("t").append(rows(5, 7));
    const [bad] = kafka.log("t").batches.slice(1);
    const before = kafka.requestsOf("fetch").length;
    kafka.on.fetch = (call) => {
      // One batch, and then the leader is lost: the logs are compared.
      if (call.nth === before) call.reply.topics[0].partitions[0].records = bad.bytes;
      if (call.nth === before + 1) call.fail(6);
    };
    const run = await consumeRun(kafka);
    assert.deepEqual([run.rows, run.failure], [rows(3, 7), null]);
  },
);

const moves = {
  "an unclean election": (kafka: ScriptedBroker) => {
    const log = kafka.log("t");
    log.batches = log.batches.filter(({ first }) => first < 6);
    log.end = log.highWatermark = log.lastStable = 6;
    log.leaderEpoch = 1;
    // So that the position is there, but not the records before it.
    log.append(rows(6, 12, "new"));
  },
  "a topic that is recreated": (kafka: ScriptedBroker) => {
    kafka.create("t");
    kafka.log("t").append(rows(0, 12, "new"));
  },
};

for (const [what, move] of Object.entries(moves)) {
  for (const onLost of ["fail", "earliest"] as const) {
    Deno.test(`${what} while a run reads is noticed when the leader is lost: ${onLost}`, {
      permissions,
    }, async () => {
      await using kafka = await scriptedBroker({ topics: { t: 1 } });
      for (const row of rows(0, 10)) kafka.log("t").append([row]);
      kafka.on.fetch = (call) => {
        if (call.nth !== 1) return;
        move(kafka);
        call.fail(6);
      };
      const first = what === "an unclean election" ? 6 : 0;
      const run = await consumeRun(kafka, { until: "forever", onLost, maxRecords: 22 - first });
      const all = [...rows(0, 10), ...rows(first, 12, "new")];
      assert.deepEqual(run.rows, onLost === "fail" ? rows(0, 10) : all);
      assert.match(
        run.failure?.message ?? run.warnings.join(),
        /offset 10 of .*(unclean|recreated)/,
      );
      if (onLost === "fail") assert.equal(run.failure?.kind, "record");
      else assert.deepEqual((await consumeRun(kafka)).failure, null);
    });
  }
}

Deno.test(
  "a broker that rejects the length of our metadata: the offsets are committed without it",
  {
    permissions,
  },
  async () => {
    await using kafka = await scriptedBroker({ topics: { t: 1 } });
    kafka.on.offsetCommit = (call) => {
      const [{ partitions: [{ metadata }] }] = call.request.topics;
      if ((metadata ?? "").length > 20) call.fail(12); // OFFSET_METADATA_TOO_LARGE
    };
    kafka.log("t").append(rows(0, 3));
    const { failure, rows: read } = await consumeRun(kafka);
    assert.deepEqual([failure, read], [null, rows(0, 3)]);
    assert.deepEqual(kafka.group("g").get("t/0"), { offset: 3, leaderEpoch: 0, metadata: null });
    assert.deepEqual((await consumeRun(kafka)).rows, []);
  },
);
