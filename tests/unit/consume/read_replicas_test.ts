/** client.rack (KIP-392): which broker is asked, and that no follower decides anything by itself. */
import assert from "node:assert/strict";
import { type ConsumeRun, consumeRun, rows, stored } from "../../support/consume_run.ts";
import {
  type Call,
  type ScriptedBroker,
  scriptedBroker,
  type ScriptedOptions,
} from "../../support/scripted_broker/mod.ts";

const permissions = { net: ["127.0.0.1"], read: true };

/** Three brokers, each in its own rack; topic t is led by the first, the others follow. */
async function racks(options: ScriptedOptions = {}, count = 6): Promise<ScriptedBroker> {
  const kafka = await scriptedBroker({ brokers: 3, topics: { t: 1 }, ...options });
  for (const id of [1, 2, 3]) kafka.racks.set(id, `rack-${id}`);
  const log = kafka.log("t");
  log.followers = [2, 3];
  for (let at = 0; at < count; at += 2) log.append(rows(at, at + 2));
  return kafka;
}

/** The requests for records to a broker, and the racks and epochs that they named. */
function asked(kafka: ScriptedBroker, broker: number): string[] {
  return kafka.requestsOf("fetch", broker).map(({ version, request }) => {
    const { currentLeaderEpoch } = request.topics[0].partitions[0];
    return `version ${version} rack "${request.rackId ?? ""}" epoch ${currentLeaderEpoch}`;
  });
}

function exact(run: ConsumeRun, kafka: ScriptedBroker, count = 6): void {
  assert.equal(run.failure, null);
  assert.deepEqual(run.rows, rows(0, count));
  assert.deepEqual(stored(kafka), { "t/0": count });
  assert.deepEqual(run.warnings, []);
}

Deno.test("records come from the replica in the rack; the leader is asked once", {
  permissions,
}, async () => {
  await using kafka = await racks();
  kafka.log("t").leaderEpoch = 4;
  const lines: string[] = [];
  const run = await consumeRun(kafka, { rack: "rack-2" }, { debug: (line) => lines.push(line) });
  exact(run, kafka);
  assert.deepEqual(asked(kafka, 1), ['version 11 rack "rack-2" epoch -1']);
  assert.deepEqual([...new Set(asked(kafka, 2))], ['version 11 rack "rack-2" epoch 4']);
  assert.deepEqual(asked(kafka, 3), []);
  const line = 'topic "t" partition 0 is read from broker 2, as its leader 1 proposes';
  assert.deepEqual(lines.filter((text) => text.includes("is read from")), [line]);
});

for (
  const [what, rack, version] of [["without a rack", "", 10], [
    "in an unknown rack",
    "x",
    11,
  ]] as const
) {
  Deno.test(`${what} records come from the leader`, { permissions }, async () => {
    await using kafka = await racks();
    exact(await consumeRun(kafka, { rack }), kafka);
    assert.deepEqual(
      [...new Set(asked(kafka, 1))],
      [`version ${version} rack "${rack}" epoch -1`],
    );
    assert.deepEqual([...asked(kafka, 2), ...asked(kafka, 3)], []);
  });
}

Deno.test("brokers without Fetch 11 are asked as leaders, and -v says so", {
  permissions,
}, async () => {
  await using kafka = await racks({ versions: { fetch: [0, 10] } });
  const lines: string[] = [];
  const run = await consumeRun(kafka, { rack: "rack-2" }, { debug: (line) => lines.push(line) });
  exact(run, kafka);
  assert.deepEqual([...new Set(asked(kafka, 1))], ['version 10 rack "" epoch -1']);
  const [line, ...more] = lines.filter((text) => text.includes("client.rack"));
  assert.match(line, /^client\.rack: 127\.0\.0\.1:\d+ has no Fetch 11, so it is read from as a/);
  assert.deepEqual(more, []);
});

/** What a follower may do at its second answer, after one with records. */
const faults: Record<string, (call: Call, kafka: ScriptedBroker) => void | Promise<void>> = {
  "closes the connection": (call) => call.close(),
  "closes in the middle of an answer": (call) => call.close(90),
  "does not answer": (call) => call.silent(),
  "sends its readers to another follower": (call) => {
    call.reply.topics[0].partitions[0].preferredReadReplica = 3;
    call.reply.topics[0].partitions[0].records = new Uint8Array();
  },
  "says that there is nothing, though there is": (call) => {
    call.reply.topics[0].partitions[0].records = new Uint8Array();
  },
  "announces an answer that no broker sends": (call) => {
    call.size = 0x7fffffff;
  },
  "leaves the partition out": (call) => {
    call.reply.topics = [];
  },
};
for (const code of [-1, 1, 3, 6, 9, 29, 56, 74, 75, 78]) {
  faults[`answers error ${code}`] = (call) => call.fail(code);
}

for (const [what, fault] of Object.entries(faults)) {
  Deno.test(`a follower that ${what} is left for the leader; no row is lost or doubled`, {
    permissions,
  }, async () => {
    await using kafka = await racks();
    // One batch an answer, so that there is a second answer; and the fault lasts.
    kafka.on.fetch = async (call) => {
      if (call.broker !== 1 && call.request.topics[0].partitions[0].fetchOffset > 0) {
        return await fault(call, kafka);
      }
      const [fetched] = call.reply.topics[0].partitions;
      const { bytes } = kafka.log("t").batches[0];
      if (fetched.records.length > 0) fetched.records = fetched.records.subarray(0, bytes.length);
    };
    exact(await consumeRun(kafka, { rack: "rack-2" }, { timeout: 3000 }), kafka);
    assert.deepEqual(asked(kafka, 3), []);
    // The leader is asked to answer itself for a while, so there is no way back at once.
    const [first, ...later] = asked(kafka, 1);
    assert.equal(first, 'version 11 rack "rack-2" epoch -1');
    assert.deepEqual([...new Set(later)], ['version 11 rack "" epoch -1']);
  });
}

Deno.test("a leader that names a broker which is not there is asked itself", {
  permissions,
}, async () => {
  await using kafka = await racks();
  kafka.on.fetch = (call) => {
    if (!call.request.rackId) return;
    const [fetched] = call.reply.topics[0].partitions;
    [fetched.preferredReadReplica, fetched.records] = [9, new Uint8Array()];
  };
  exact(await consumeRun(kafka, { rack: "rack-2" }), kafka);
});

Deno.test("a follower that is stopped while it is read from: the rest comes from the leader", {
  permissions,
}, async () => {
  await using kafka = await racks();
  let isFirst = true;
  const beforeRows = async () => {
    if (isFirst) await kafka.stop(2);
    isFirst = false;
    for (let at = 6; at < 10; at++) kafka.log("t").append(rows(at, at + 1));
  };
  const run = await consumeRun(
    kafka,
    { rack: "rack-2", until: "forever", maxRecords: 10 },
    { beforeRows },
  );
  assert.deepEqual([run.failure, run.rows], [null, rows(0, 10)]);
});

for (const until of ["end", { idle: 800 }] as const) {
  const name = typeof until === "string" ? "to the end" : "until nothing comes";
  Deno.test(`a run ${name} ends at the leader's end, though its follower has less`, {
    permissions,
  }, async () => {
    await using kafka = await racks();
    kafka.log("t").replicated.set(2, 4);
    exact(await consumeRun(kafka, { rack: "rack-2", until }, { timeout: 4000 }), kafka);
    const served = kafka.requestsOf("fetch", 2).length;
    assert.ok(served >= 2, `${served} requests to the follower`);
  });
}

Deno.test("an idle run whose follower has all ends without asking the leader for records", {
  permissions,
}, async () => {
  await using kafka = await racks();
  exact(await consumeRun(kafka, { rack: "rack-2", until: { idle: 600 } }), kafka);
  assert.equal(asked(kafka, 1).length, 1);
});

Deno.test("an offset that neither the follower nor the leader has is lost, as without racks", {
  permissions,
}, async () => {
  await using kafka = await racks();
  kafka.on.fetch = (call) => {
    if (call.broker !== 2) return;
    // Deleted after the run has begun.
    kafka.log("t").logStart = 4;
    kafka.log("t").batches.splice(0, 2);
    kafka.on.fetch = undefined;
    call.fail(1);
  };
  const { failure } = await consumeRun(kafka, { rack: "rack-2" });
  assert.match(failure?.message ?? "", /offset 0 of topic "t" partition 0 does not exist/);
  assert.equal(failure?.kind, "record");
});

Deno.test("the leader is asked again when its choice is older than metadata.max.age", {
  permissions,
}, async () => {
  await using kafka = await racks();
  const timer = setTimeout(() => {
    // Another follower is in the rack now.
    kafka.racks.set(2, "elsewhere").set(3, "rack-2");
    setTimeout(() => kafka.log("t").append(rows(6, 8)), 1500);
  }, 500);
  const run = await consumeRun(kafka, {
    ...{ rack: "rack-2", until: "forever", maxRecords: 8, metadataMaxAge: 700 },
  });
  clearTimeout(timer);
  assert.deepEqual([run.failure, run.rows], [null, rows(0, 8)]);
  assert.ok(asked(kafka, 2).length > 0 && asked(kafka, 3).length > 0);
});

Deno.test("an unclean election while a follower is read is seen: nothing is silently replaced", {
  permissions,
}, async () => {
  await using kafka = await racks();
  const log = kafka.log("t");
  kafka.on.fetch = (call) => {
    if (call.broker !== 2 || call.request.topics[0].partitions[0].fetchOffset < 6) return;
    kafka.on.fetch = undefined;
    // The next leader lacks offsets 4 and 5, and has others there; this follower follows it.
    log.batches.pop();
    [log.leader, log.leaderEpoch, log.end, log.followers] = [3, 1, 4, [2]];
    log.append(rows(10, 20));
    call.fail(74);
  };
  const run = await consumeRun(kafka, { rack: "rack-2", until: "forever", maxRecords: 16 });
  assert.match(run.failure?.message ?? "", /belongs to records that were replaced/);
});

Deno.test("partitions of all leaders are read from one follower, by one reader", {
  permissions,
}, async () => {
  await using kafka = await scriptedBroker({ brokers: 3, topics: { t: 6 } });
  for (const id of [1, 2, 3]) kafka.racks.set(id, `rack-${id}`);
  for (let p = 0; p < 6; p++) {
    kafka.log("t", p).followers = [1, 2, 3].filter((id) => id !== kafka.log("t", p).leader);
    kafka.log("t", p).append(rows(2 * p, 2 * p + 2));
  }
  setTimeout(() => {
    for (let p = 0; p < 6; p++) kafka.log("t", p).append([`late ${p}`]);
  }, 1000);
  const run = await consumeRun(kafka, { rack: "rack-3", until: "forever", maxRecords: 18 });
  assert.equal(run.failure, null);
  assert.equal(new Set(run.rows).size, 18);
  // Its own two, and four that it follows.
  const counts = kafka.requestsOf("fetch", 3).map(({ request }) =>
    request.topics[0].partitions.length
  );
  assert.equal(Math.max(...counts), 6, `${counts}`);
  assert.deepEqual(kafka.requestsOf("fetch", 1).length, 1);
});

Deno.test("a commit that fails ends the run, also while a follower is read: no row is skipped", {
  permissions,
}, async () => {
  await using kafka = await racks({
    // The group has live members.
    on: { offsetCommit: (call) => call.fail(25) },
  });
  kafka.on.fetch = (call) => {
    // One batch an answer: rows are made while those before are written and committed.
    const [fetched] = call.reply.topics[0].partitions;
    const { bytes } = kafka.log("t").batches[0];
    if (fetched.records.length > 0) fetched.records = fetched.records.subarray(0, bytes.length);
  };
  // After the time of the first commit of a run without an end.
  const timer = setTimeout(() => {
    for (let at = 6; at < 10; at += 2) kafka.log("t").append(rows(at, at + 2));
  }, 5200);
  let at = 0;
  const run = await consumeRun(
    kafka,
    { rack: "rack-2", until: "forever", maxRecords: 10 },
    { beforeRows: () => new Promise((resolve) => setTimeout(resolve, at++ < 2 ? 0 : 300)) },
  );
  clearTimeout(timer);
  assert.match(run.failure?.message ?? "", /cannot commit for group "g".*live members/);
  assert.deepEqual(run.rows, rows(0, run.rows.length));
});

Deno.test("a leader that has one empty answer, after a follower's, has no gap there", {
  permissions,
}, async () => {
  await using kafka = await racks();
  let isFirst = true;
  kafka.on.fetch = (call) => {
    if (call.request.rackId && call.broker === 1) return;
    if (call.broker === 1 && !isFirst) return;
    if (call.broker === 1) isFirst = false;
    call.reply.topics[0].partitions[0].records = new Uint8Array();
  };
  exact(await consumeRun(kafka, { rack: "rack-2" }, { timeout: 3000 }), kafka);
});

Deno.test("a leader that insists on a follower that was left has no gap there", {
  permissions,
}, async () => {
  await using kafka = await racks();
  // As a replica selector that does not ask for the rack.
  kafka.on.fetch = (call) => {
    if (call.broker === 2) return call.fail(6);
    const [fetched] = call.reply.topics[0].partitions;
    [fetched.preferredReadReplica, fetched.records] = [2, new Uint8Array()];
  };
  const { failure } = await consumeRun(kafka, { rack: "rack-2" }, { timeout: 2000 });
  assert.equal(failure?.kind, "incomplete");
  assert.deepEqual(stored(kafka), {});
});
