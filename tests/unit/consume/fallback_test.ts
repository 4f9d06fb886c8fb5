/** Where a group starts in a partition that it has stored no offset for. */
import assert from "node:assert/strict";
import type { ConsumeOptions } from "../../../lib/consume/options.ts";
import { consumeRun, rows, stored } from "../../support/consume_run.ts";
import { type ScriptedBroker, scriptedBroker } from "../../support/scripted_broker/mod.ts";

const permissions = { net: ["127.0.0.1"], read: true };

/** Two partitions with five records each, of which slots read one each. */
async function scene(): Promise<ScriptedBroker> {
  const kafka = await scriptedBroker({ topics: { t: 2 } });
  for (const p of [0, 1]) kafka.log("t", p).append(rows(0, 5, `p${p}`));
  return kafka;
}

const slot = (index: number, fallback: ConsumeOptions["fallback"] = "latest") => ({
  assignment: { share: "slot", index, count: 2 } as const,
  fallback,
});

/** Changes when the group is said to have begun. */
function age(kafka: ScriptedBroker, milliseconds: number): void {
  for (const [name, offset] of kafka.group("g")) {
    const metadata = offset.metadata!.replace(/began=\d+/, `began=${Date.now() - milliseconds}`);
    assert.notEqual(metadata, offset.metadata);
    kafka.group("g").set(name, { ...offset, metadata });
  }
}

Deno.test(
  "slots that begin one after the other are all of the group's first run",
  { permissions },
  async () => {
    await using kafka = await scene();
    for (const index of [0, 1]) {
      assert.deepEqual((await consumeRun(kafka, slot(index))).rows, []);
    }
    assert.deepEqual(stored(kafka), { "t/0": 5, "t/1": 5 });
  },
);

Deno.test(
  "a slot that begins long after the others reads all: the fallback was for the first run",
  { permissions },
  async () => {
    for (const fallback of ["latest", "fail"] as const) {
      await using kafka = await scene();
      await consumeRun(kafka, slot(0));
      age(kafka, 10 * 60_000);
      const { rows: read } = await consumeRun(kafka, slot(1, fallback));
      assert.deepEqual(read, rows(0, 5, "p1"));
      assert.deepEqual(stored(kafka), { "t/0": 5, "t/1": 5 });
    }
  },
);

Deno.test("partitions added later are read whole, even soon after the first run", {
  permissions,
}, async () => {
  await using kafka = await scene();
  for (const index of [0, 1]) await consumeRun(kafka, slot(index));
  const { partitions } = kafka.topics.get("t")!;
  kafka.create("more", 2).partitions.forEach((log, p) =>
    partitions.push(log.append(rows(0, 3, `p${p + 2}`)))
  );
  for (const index of [0, 1]) {
    const { rows: read } = await consumeRun(kafka, slot(index));
    assert.deepEqual(read, rows(0, 3, `p${index + 2}`));
  }
});

Deno.test("--fallback fail is a failure on the first run", { permissions }, async () => {
  await using kafka = await scene();
  const { failure } = await consumeRun(kafka, slot(0, "fail"));
  assert.equal(failure?.kind, "record");
  assert.match(failure.message, /group "g" has no stored offset for topic "t" partition 0/);
});

Deno.test(
  "with --commit no nothing is stored, not even where a fallback begins",
  { permissions },
  async () => {
    await using kafka = await scene();
    await consumeRun(kafka, { ...slot(0), commit: false });
    assert.deepEqual(stored(kafka), {});
  },
);

Deno.test(
  "a topic of a pattern that was created long after the group's first run is read whole; one of the first run is not",
  { permissions },
  async () => {
    await using kafka = await scriptedBroker({ topics: { orders_a: 1, other: 1 } });
    const options = { topics: [], topicPattern: /^orders_/u, fallback: "latest" } as const;
    kafka.log("orders_a").append(rows(0, 5, "old"));
    assert.deepEqual((await consumeRun(kafka, { ...options, topics: [] })).rows, []);
    kafka.create("orders_b", 1);
    kafka.log("orders_b").append(rows(0, 2, "soon"));
    assert.deepEqual((await consumeRun(kafka, { ...options, topics: [] })).rows, []);
    age(kafka, 10 * 60_000);
    kafka.create("orders_c", 1);
    kafka.log("orders_c").append(rows(0, 3, "later"));
    assert.deepEqual(
      (await consumeRun(kafka, { ...options, topics: [] })).rows,
      rows(0, 3, "later"),
    );
    assert.deepEqual(stored(kafka), { "orders_a/0": 5, "orders_b/0": 2, "orders_c/0": 3 });
  },
);
