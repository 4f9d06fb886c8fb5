/** What is committed when: nothing that the output has not accepted. */
import assert from "node:assert/strict";
import { Commits } from "../../../lib/consume/commits.ts";
import { Span } from "../../../lib/consume/span.ts";
import { Cluster } from "../../../lib/kafka/cluster.ts";
import { findCoordinator } from "../../../lib/protocol/messages/find_coordinator.ts";
import { offsetCommit } from "../../../lib/protocol/messages/offset_commit.ts";
import { defaults } from "../../support/consume_options.ts";
import { consumeRun, rows, stored } from "../../support/consume_run.ts";
import { scriptedBroker } from "../../support/scripted_broker/mod.ts";

const permissions = { net: ["127.0.0.1"], read: true };

Deno.test("commits: rows whose output fails when it is closed are not committed", {
  permissions,
}, async () => {
  await using kafka = await scriptedBroker({ topics: { t: 1 } });
  kafka.log("t").append(rows(0, 5));
  const atEnd = () => {
    throw new Deno.errors.BrokenPipe("gone");
  };
  const { rows: read, failure } = await consumeRun(kafka, {}, { atEnd });
  assert.equal(failure?.kind, "output");
  assert.deepEqual(read, rows(0, 5));
  assert.deepEqual(stored(kafka), {});
  assert.equal((await consumeRun(kafka)).failure, null);
  assert.deepEqual(stored(kafka), { "t/0": 5 });
});

Deno.test("commits: in between it is what the output has accepted, not what rows were made of", {
  permissions,
}, async () => {
  await using kafka = await scriptedBroker({ topics: { t: 1 } });
  kafka.log("t").append(rows(0, 9));
  const cluster = new Cluster(kafka.config(), [findCoordinator, offsetCommit]);
  try {
    const span = new Span({ topic: "t", partition: 0 }, 0, Infinity);
    span.fetched = 9;
    span.done = 7;
    span.written = 4;
    const options = { ...defaults, group: "g", commit: true, until: "forever" as const };
    assert.ok(await new Commits(cluster, options, [span]).commit());
    assert.deepEqual(stored(kafka), { "t/0": 4 });
  } finally {
    cluster.close();
  }
});
